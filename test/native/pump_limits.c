/* What the pump may cost: memory of a stopped reader, pipes, descriptors, slots; and what it does without. */
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "talk.h"

#define HELD_MAX (256 * 1024)

static int64_t waiting_in(int fd, unsigned long request)
{
	int bytes;

	CHECK(ioctl(fd, request, &bytes) == 0);
	return bytes;
}

/* Bytes that are neither in a socket nor delivered: what the pump itself holds. */
static int64_t held(int64_t sent, int writer, int pump_reads_from, int flow)
{
	uint64_t counters[3];

	CHECK(cv_pump_counters(flow, 1, counters) == 0);
	return sent - waiting_in(writer, SIOCOUTQ) - waiting_in(pump_reads_from, SIOCINQ) - (int64_t)counters[0];
}

static void stopped_reader(void)
{
	enum { SIZE = 64 << 20 };
	static unsigned char bytes[65536];
	int64_t sent = 0, quiet_since = now_ms(), received = 0;
	int app[2], proxy[2], flow;

	CHECK(cv_pump_start(1, 4) == 0);
	tcp_pair(app);
	tcp_pair(proxy);
	nonblocking(app[0]);
	flow = cv_pump_add(app[1], proxy[0], NULL, 0, NULL, 0);
	EXPECT(flow, 0);
	/* Until nothing more is taken for half a second. */
	while (now_ms() - quiet_since < 500) {
		ssize_t n;

		pattern_fill(bytes, 3, (uint64_t)sent, sizeof bytes);
		n = send(app[0], bytes, sizeof bytes, MSG_NOSIGNAL);
		CHECK(n > 0 || errno == EAGAIN);
		if (n > 0) {
			sent += n;
			quiet_since = now_ms();
		}
		CHECK(sent < SIZE);
	}
	CHECK(held(sent, app[0], app[1], flow) >= 0);
	CHECK(held(sent, app[0], app[1], flow) <= HELD_MAX);
	/* The reader goes on: nothing is lost and the writer gets room again. */
	CHECK(shutdown(app[0], SHUT_WR) == 0);
	while (received < sent) {
		ssize_t n = recv(proxy[1], bytes, sizeof bytes, 0);

		CHECK(n > 0);
		for (ssize_t i = 0; i < n; i++)
			CHECK(bytes[i] == pattern(3, (uint64_t)(received + i)));
		received += n;
	}
	EXPECT(recv(proxy[1], bytes, 1, 0), 0);
	close(proxy[1]);
	EXPECT(reap_one().bytes_up, sent);
}

static void talk_all(int count, uint64_t size)
{
	struct talker *talkers = calloc((size_t)count * 2, sizeof *talkers);

	for (int i = 0; i < count; i++) {
		int ends[2];

		flow_between(i % 3 ? tcp_pair : socket_pair, ends);
		for (int side = 0; side < 2; side++)
			talkers[2 * i + side] = (struct talker){.fd = ends[side],
			                                        .seed_out = (uint64_t)(2 * i + side),
			                                        .size_out = size,
			                                        .seed_in = (uint64_t)(2 * i + !side),
			                                        .size_in = size};
	}
	talk(talkers, count * 2);
	for (int i = 0; i < count; i++)
		EXPECT(reap_one().reason, CV_END_CLEAN);
	for (int i = 0; i < count * 2; i++)
		close(talkers[i].fd);
	free(talkers);
}

/* No descriptor is left as soon as the flows are there; the threads have one pipe each by then. */
static void no_descriptor_for_a_pipe(void)
{
	enum { COUNT = 20, SIZE = 2 << 20 };
	struct talker talkers[2 * COUNT];
	struct rlimit files, none;

	CHECK(cv_pump_start(2, COUNT) == 0);
	int before = descriptor_count();
	for (int i = 0; i < COUNT; i++) {
		int ends[2];

		flow_between(i % 2 ? tcp_pair : socket_pair, ends);
		for (int side = 0; side < 2; side++)
			talkers[2 * i + side] = (struct talker){.fd = ends[side],
			                                        .seed_out = (uint64_t)(2 * i + side),
			                                        .size_out = SIZE,
			                                        .seed_in = (uint64_t)(2 * i + !side),
			                                        .size_in = SIZE};
	}
	/* Four sockets a flow, the listener of tcp_pair(), two pipes; then one for the epoll instance of talk(). */
	EVENTUALLY(descriptor_count() - before == 4 * COUNT + 1 + 4);
	int next = dup(0);
	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	none = files;
	none.rlim_cur = (rlim_t)next + 1;
	close(next);
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	talk(talkers, 2 * COUNT);
	for (int i = 0; i < COUNT; i++)
		EXPECT(reap_one().reason, CV_END_CLEAN);
	/* The leak check at the end opens files. */
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
}

/* More readers stop at once than there are pipes; the others must not wait for them. */
static void more_stopped_readers_than_pipes(void)
{
	enum { COUNT = 300, SMALL = 32768, SIZE = 384 << 10 };
	static struct talker talkers[2 * COUNT];
	int before = descriptor_count();

	CHECK(cv_pump_start(2, COUNT + 50) == 0);
	for (int i = 0; i < COUNT; i++) {
		struct talker *writer = &talkers[2 * i], *reader = &talkers[2 * i + 1];
		int app[2], proxy[2];

		tcp_pair(app);
		tcp_pair(proxy);
		CHECK(setsockopt(proxy[0], SOL_SOCKET, SO_SNDBUF, &(int){SMALL}, sizeof(int)) == 0);
		CHECK(setsockopt(proxy[1], SOL_SOCKET, SO_RCVBUF, &(int){SMALL}, sizeof(int)) == 0);
		CHECK(cv_pump_add(app[1], proxy[0], NULL, 0, NULL, 0) >= 0);
		close(app[1]);
		close(proxy[0]);
		*writer = (struct talker){.fd = app[0], .seed_out = (uint64_t)i, .size_out = SIZE};
		*reader = (struct talker){.fd = proxy[1], .seed_in = (uint64_t)i, .size_in = SIZE};
		/* All but the last piece, or what is taken. */
		for (int piece = 0; piece < SIZE / 32768 - 1; piece++)
			talk_send(writer);
	}
	talk_all(50, 100000);
	/* Sockets, the pump's copies, 80 pipes, epoll instances and the like. */
	CHECK(descriptor_count() - before <= COUNT * 4 + 2 * 128 + 16);
	talk(talkers, 2 * COUNT);
	for (int i = 0; i < COUNT; i++)
		EXPECT(reap_one().reason, CV_END_CLEAN);
}

/* A soft limit of 15 descriptors at the start is one pipe, and a stopped reader has it: only peeking is left. */
static void the_only_pipe_is_held(void)
{
	static unsigned char bytes[4 << 20];
	struct rlimit files, few;
	uint64_t counters[3];
	int stopped[2];

	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	few = files;
	few.rlim_cur = 15;
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	CHECK(cv_pump_start(1, 64) == 0);
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	int before = descriptor_count();
	EXPECT(flow_between(tcp_pair, stopped), 0);
	nonblocking(stopped[0]);
	for (int64_t quiet_since = now_ms(); now_ms() - quiet_since < 300;)
		if (send(stopped[0], bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
			quiet_since = now_ms();
	CHECK(cv_pump_counters(0, 1, counters) == 0 && counters[0] > 0);
	talk_all(30, 3 << 20);
	/* The listener, two ends, the pump's two copies, one pipe: no second one was made. */
	EXPECT(descriptor_count() - before, 7);
}

/* Counts the descriptors that are pipes and those that are not. */
static void descriptors_by_kind(int *pipes, int *others)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;

	CHECK(directory != NULL);
	for (*pipes = *others = 0; (entry = readdir(directory));) {
		char target[64] = "";

		readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);
		++*(strncmp(target, "pipe:", 5) == 0 ? pipes : others);
	}
	closedir(directory);
}

static void ten_thousand_flows_in_turn(void)
{
	enum { COUNT = 10000, AT_ONCE = 4 };
	int pipes, others, pipes_at_first, others_at_first;

	CHECK(cv_pump_start(2, AT_ONCE) == 0);
	for (int i = 0; i < COUNT / AT_ONCE; i++) {
		int ends[AT_ONCE][2];

		for (int j = 0; j < AT_ONCE; j++) {
			flow_between(socket_pair, ends[j]);
			write_fully(ends[j][0], "hello", 5);
			/* Every kind of end; some with bytes still in the pump. */
			if (j == 3)
				CHECK(cv_pump_abort(j) == 0 || errno == ENOENT);
			close(ends[j][j % 2]);
		}
		for (int j = 0; j < AT_ONCE; j++)
			close(ends[j][!(j % 2)]);
		for (int j = 0; j < AT_ONCE; j++)
			reap_one();
		if (i == 0)
			descriptors_by_kind(&pipes_at_first, &others_at_first);
	}
	descriptors_by_kind(&pipes, &others);
	EXPECT(others, others_at_first);
	/* A thread makes a pipe when it first needs one, and keeps it: two for a flow are the most that were ever in use. */
	CHECK(pipes - pipes_at_first <= AT_ONCE * 2 * 2);
}

static void slots(void)
{
	int ends[3][2], extra[2];

	EXPECT(cv_pump_add(0, 1, NULL, 0, NULL, 0), -ENOTCONN);
	EXPECT(cv_pump_start(0, 1), -EINVAL);
	EXPECT(cv_pump_start(1, 0), -EINVAL);
	CHECK(cv_pump_start(1, 3) == 0);
	EXPECT(cv_pump_start(1, 3), -EALREADY);
	int before = descriptor_count();
	for (int i = 0; i < 3; i++)
		EXPECT(flow_between(tcp_pair, ends[i]), i);
	tcp_pair(extra);
	/* Four for a flow, the extra ones, the listener of tcp_pair() and the thread's pipe. */
	before += 3 * 4 + 2 + 1 + 2;
	EVENTUALLY(descriptor_count() == before);
	EXPECT(cv_pump_add(extra[0], extra[1], NULL, 0, NULL, 0), -ENOSPC);
	close(ends[1][0]);
	close(ends[1][1]);
	/* Taken until its end has been told. */
	uint64_t counters[9];
	EVENTUALLY(descriptor_count() == before - 4);
	EXPECT(cv_pump_add(extra[0], extra[1], NULL, 0, NULL, 0), -ENOSPC);
	EXPECT(reap_one().flow, 1);
	EXPECT(cv_pump_add(999, extra[1], NULL, 0, "x", 1), -EBADF);
	EXPECT(cv_pump_add(extra[0], 999, "x", 1, NULL, 0), -EBADF);
	EXPECT(cv_pump_add(extra[0], extra[1], NULL, 0, NULL, 0), 1);
	EXPECT(cv_pump_counters(0, 4, counters), -EINVAL);
	EXPECT(cv_pump_counters(0, 3, counters), 0);
}

int main(void)
{
	in_process("a stopped reader costs at most 256 KiB beyond the sockets, and can go on", stopped_reader);
	in_process("flows work where no descriptor is left for a pipe", no_descriptor_for_a_pipe);
	in_process("flows work while stopped readers hold every pipe", more_stopped_readers_than_pipes);
	in_process("flows work by peeking while a stopped reader holds the only pipe", the_only_pipe_is_held);
	in_process("10,000 flows in turn leave no descriptor behind", ten_thousand_flows_in_turn);
	in_process("a slot is taken until its end is told, and errors leave nothing", slots);
	return 0;
}
