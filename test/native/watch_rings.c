/* Records of readiness and doorbells: none is lost, not even when nobody reads for a while. */
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "talk.h"

struct record {
	uint32_t kind;
	uint32_t value;
};

/* The next record, or false when none comes within the time. */
static bool next_record(int pipe_fd, struct record *out, int patience_ms)
{
	struct pollfd readable = {.fd = pipe_fd, .events = POLLIN};

	if (poll(&readable, 1, patience_ms) == 0)
		return false;
	EXPECT(read(pipe_fd, out, sizeof *out), sizeof *out);
	return true;
}

static void hundred_descriptors(void)
{
	enum { COUNT = 100, ROUNDS = 500 };
	static int fds[COUNT];
	static uint64_t heard[COUNT];
	uint64_t left = COUNT * ROUNDS;
	int pipe_fd = cv_watch_start();
	struct record record;
	pid_t writer;

	CHECK(pipe_fd >= 0);
	EXPECT(cv_watch_start(), -EALREADY);
	for (int i = 0; i < COUNT; i++) {
		fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		CHECK(fds[i] >= 0);
		EXPECT(cv_watch_add(fds[i]), 0);
	}
	EXPECT(cv_watch_add(fds[0]), -EEXIST);
	writer = fork();
	CHECK(writer >= 0);
	if (writer == 0) {
		uint64_t one = 1;

		for (int round = 0; round < ROUNDS; round++)
			for (int i = 0; i < COUNT; i++)
				CHECK(write(fds[(i * 37 + round) % COUNT], &one, sizeof one) == sizeof one);
		_exit(0);
	}
	while (left > 0) {
		uint64_t count;
		int which = 0;

		CHECK(next_record(pipe_fd, &record, DEADLINE_MS));
		EXPECT(record.kind, CV_RING_READABLE);
		while (which < COUNT && fds[which] != (int)record.value)
			which++;
		CHECK(which < COUNT);
		CHECK(read(fds[which], &count, sizeof count) == sizeof count);
		heard[which] += count;
		left -= count;
		EXPECT(cv_watch_again(fds[which]), 0);
	}
	for (int i = 0; i < COUNT; i++)
		EXPECT(heard[i], ROUNDS);
	CHECK(waitpid(writer, NULL, 0) == writer);
	CHECK(!next_record(pipe_fd, &record, 50));
}

static void once_until_again(void)
{
	int pipe_fd = cv_watch_start(), ends[2];
	struct record record;
	char byte;

	CHECK(pipe_fd >= 0);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	EXPECT(cv_watch_add(ends[0]), 0);
	CHECK(!next_record(pipe_fd, &record, 50));
	write_fully(ends[1], "a", 1);
	CHECK(next_record(pipe_fd, &record, DEADLINE_MS));
	EXPECT(record.value, ends[0]);
	write_fully(ends[1], "b", 1);
	CHECK(!next_record(pipe_fd, &record, 50));
	/* What is there already is told at once. */
	EXPECT(cv_watch_again(ends[0]), 0);
	CHECK(next_record(pipe_fd, &record, DEADLINE_MS));
	read_fully(ends[0], &byte, 1);
	read_fully(ends[0], &byte, 1);
	EXPECT(cv_watch_again(ends[0]), 0);
	close(ends[1]);
	CHECK(next_record(pipe_fd, &record, DEADLINE_MS));
	EXPECT(record.value, ends[0]);
	EXPECT(cv_watch_remove(ends[0]), 0);
	EXPECT(cv_watch_remove(ends[0]), -ENOENT);
	EXPECT(cv_watch_again(ends[0]), -ENOENT);
	EXPECT(cv_watch_add(-1), -EBADF);
	CHECK(!next_record(pipe_fd, &record, 50));
}

/* 512 records fill the pipe; 700 descriptors are ready and a doorbell rings before anybody reads. */
static void full_pipe(void)
{
	enum { COUNT = 700 };
	static bool seen[4096];
	int pipe_fd = cv_watch_start(), ends[2], records = 0;
	bool has_doorbell = false;
	struct record record;

	CHECK(pipe_fd >= 0);
	CHECK(fcntl(pipe_fd, F_SETPIPE_SZ, 4096) >= 0);
	CHECK(cv_pump_start(1, 4) == 0);
	for (int i = 0; i < COUNT; i++) {
		int fd = eventfd(1, EFD_CLOEXEC);

		CHECK(fd >= 0 && fd < 4096);
		EXPECT(cv_watch_add(fd), 0);
	}
	struct pollfd room = {.fd = pipe_fd, .events = POLLIN};
	CHECK(poll(&room, 1, DEADLINE_MS) == 1);
	/* The writer has met the full pipe when its amount has stopped growing at the brim. */
	EVENTUALLY(({
		int waiting;
		CHECK(ioctl(pipe_fd, FIONREAD, &waiting) == 0);
		waiting == 4096;
	}));
	flow_between(socket_pair, ends);
	close(ends[0]);
	close(ends[1]);
	poll(NULL, 0, 50);
	while (records < COUNT || !has_doorbell) {
		CHECK(next_record(pipe_fd, &record, DEADLINE_MS));
		if (record.kind == CV_RING_PUMP) {
			CHECK(!has_doorbell);
			has_doorbell = true;
		} else {
			EXPECT(record.kind, CV_RING_READABLE);
			CHECK(record.value < 4096 && !seen[record.value]);
			seen[record.value] = true;
			records++;
		}
	}
	CHECK(!next_record(pipe_fd, &record, 50));
	struct cv_flow_event ended;
	EXPECT(cv_pump_reap(&ended, 1), 1);
}

/* Only the doorbell says when to look: one that is lost would end this by its deadline. */
static void doorbells(void)
{
	enum { COUNT = 20000, AT_ONCE = 8 };
	int pipe_fd = cv_watch_start(), under_way = 0, begun = 0, ended_count = 0;
	struct cv_flow_event ended[3];
	struct record record;

	CHECK(pipe_fd >= 0);
	CHECK(cv_pump_start(2, AT_ONCE) == 0);
	while (ended_count < COUNT) {
		for (; under_way < AT_ONCE && begun < COUNT; under_way++, begun++) {
			int ends[2];

			flow_between(socket_pair, ends);
			close(ends[0]);
			close(ends[1]);
		}
		CHECK(next_record(pipe_fd, &record, DEADLINE_MS));
		EXPECT(record.kind, CV_RING_PUMP);
		/* Fewer than may have ended: the rest has to ring again. */
		int count = cv_pump_reap(ended, 1 + begun % 3);
		CHECK(count >= 0);
		under_way -= count;
		ended_count += count;
	}
}

int main(void)
{
	in_process("100 descriptors at once: every readiness is told", hundred_descriptors);
	in_process("a descriptor is silent until it is watched again", once_until_again);
	in_process("a full pipe delays records and doorbells and loses none", full_pipe);
	in_process("20,000 ended flows are found by doorbells alone", doorbells);
	return 0;
}
