/*
 * Pairs of ends that talk through the pump at the same time, each sending a pattern of its own and checking every
 * byte that it hears: a lost, doubled, mixed or misplaced byte is found where it happens.
 */
#ifndef CULVERT_TALK_H
#define CULVERT_TALK_H

#include <sys/epoll.h>
#include <sys/wait.h>

#include "check.h"

struct talker {
	int fd;
	uint64_t seed_out, size_out, sent;
	uint64_t seed_in, size_in, received;
	bool heard_end;
};

/* Byte number `at` of a pattern: a byte of splitmix64 of its word. */
static inline unsigned char pattern(uint64_t seed, uint64_t at)
{
	uint64_t z = seed + (at / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (unsigned char)((z ^ (z >> 31)) >> (at % 8 * 8));
}

static inline void pattern_fill(unsigned char *out, uint64_t seed, uint64_t at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = pattern(seed, at + i);
}

static inline void nonblocking(int fd)
{
	CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
}

/* Sends a piece; when all is sent, says so by SHUT_WR. Returns whether there is more to send. */
static inline bool talk_send(struct talker *talker)
{
	static unsigned char bytes[32768];
	uint64_t left = talker->size_out - talker->sent;
	size_t size = left < sizeof bytes ? (size_t)left : sizeof bytes;
	ssize_t sent;

	pattern_fill(bytes, talker->seed_out, talker->sent, size);
	sent = size ? send(talker->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
	CHECK(sent >= 0 || errno == EAGAIN);
	if (sent > 0)
		talker->sent += (uint64_t)sent;
	if (talker->sent < talker->size_out)
		return true;
	CHECK(shutdown(talker->fd, SHUT_WR) == 0);
	return false;
}

static inline void talk_hear(struct talker *talker)
{
	static unsigned char bytes[65536];
	ssize_t received = recv(talker->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (received < 0) {
		CHECK(errno == EAGAIN);
		return;
	}
	for (ssize_t i = 0; i < received; i++)
		CHECK(bytes[i] == pattern(talker->seed_in, talker->received + (uint64_t)i));
	talker->received += (uint64_t)received;
	talker->heard_end = received == 0;
	if (talker->heard_end)
		CHECK(talker->received == talker->size_in);
}

/* Lets all of them talk until each has heard the other's end. */
static inline void talk(struct talker *talkers, int count)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	int64_t deadline = now_ms() + DEADLINE_MS * 2;
	int left = count;

	CHECK(epoll_fd >= 0);
	for (int i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u32 = (uint32_t)i};

		nonblocking(talkers[i].fd);
		CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, talkers[i].fd, &event) == 0);
	}
	while (left > 0) {
		struct epoll_event events[64];
		int ready = epoll_wait(epoll_fd, events, 64, 1000);

		CHECK(now_ms() < deadline);
		for (int i = 0; i < ready; i++) {
			struct talker *one = &talkers[events[i].data.u32];

			if (events[i].events & EPOLLOUT && !talk_send(one)) {
				events[i].events &= ~(uint32_t)EPOLLOUT;
				struct epoll_event event = {.events = EPOLLIN, .data = events[i].data};
				CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_MOD, one->fd, &event) == 0);
			}
			if (events[i].events & ~(uint32_t)EPOLLOUT && !one->heard_end) {
				talk_hear(one);
				if (one->heard_end) {
					left--;
					/* Its own sending may go on. */
					struct epoll_event event = {.events = EPOLLOUT, .data = events[i].data};
					bool is_sending = one->sent < one->size_out;
					CHECK(epoll_ctl(epoll_fd, is_sending ? EPOLL_CTL_MOD : EPOLL_CTL_DEL, one->fd,
					                &event) == 0);
				}
			}
		}
	}
	close(epoll_fd);
}

static inline void socket_pair(int out[2])
{
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) == 0);
}

/* A flow over two connections made by `pair`: ends[0] is the app's own socket, ends[1] the proxy's own. */
static inline int flow_between(void (*pair)(int[2]), int ends[2])
{
	int app[2], proxy[2], flow;

	pair(app);
	pair(proxy);
	flow = cv_pump_add(app[1], proxy[0], NULL, 0, NULL, 0);
	CHECK(flow >= 0);
	close(app[1]);
	close(proxy[0]);
	ends[0] = app[0];
	ends[1] = proxy[1];
	return flow;
}

static inline struct cv_flow_event reap_one(void)
{
	struct cv_flow_event ended;

	EVENTUALLY(cv_pump_reap(&ended, 1) == 1);
	return ended;
}

/* Each case has a process of its own, since the pump is started once in a process. */
static inline void in_process(const char *sentence, void (*run)(void))
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		/* Whatever blocks for good ends here, by SIGALRM. */
		alarm(90);
		run();
		fflush(stdout);
		exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	if (status != 0) {
		printf("not ok %s: status %x\n", sentence, status);
		exit(1);
	}
	passed(sentence);
}

#endif
