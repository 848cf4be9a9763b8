/* Every byte arrives, once, in order: large and small, early and urgent, alone and among many. */
#include "talk.h"

#define MIB (UINT64_C(1) << 20)

static void pair_up(struct talker two[2], const int ends[2], uint64_t seed, uint64_t up, uint64_t down)
{
	two[0] = (struct talker){
		.fd = ends[0], .seed_out = seed, .size_out = up, .seed_in = seed + 1, .size_in = down};
	two[1] = (struct talker){
		.fd = ends[1], .seed_out = seed + 1, .size_out = down, .seed_in = seed, .size_in = up};
}

static void large_over(void (*pair)(int[2]))
{
	struct talker two[2];
	struct cv_flow_event ended;
	int ends[2];
	int flow;

	CHECK(cv_pump_start(2, 8) == 0);
	flow = flow_between(pair, ends);
	pair_up(two, ends, 7, 64 * MIB, 64 * MIB);
	talk(two, 2);
	ended = reap_one();
	EXPECT(ended.flow, flow);
	EXPECT(ended.reason, CV_END_CLEAN);
	EXPECT(ended.error, 0);
	EXPECT(ended.bytes_up, 64 * MIB);
	EXPECT(ended.bytes_down, 64 * MIB);
}

static void large_over_tcp(void)
{
	large_over(tcp_pair);
}

static void large_over_unix(void)
{
	large_over(socket_pair);
}

static void early_bytes(void)
{
	enum { SIZE = 65536 };
	static unsigned char down[SIZE + 5], up[SIZE + 5], heard[SIZE + 5];
	int app[2], proxy[2];
	struct cv_flow_event ended;

	CHECK(cv_pump_start(1, 8) == 0);
	pattern_fill(down, 1, 0, sizeof down);
	pattern_fill(up, 2, 0, sizeof up);
	tcp_pair(app);
	tcp_pair(proxy);
	/* So small that early bytes cannot be sent at once. */
	CHECK(setsockopt(app[1], SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int)) == 0);
	CHECK(setsockopt(proxy[0], SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int)) == 0);
	write_fully(app[0], up + SIZE, 5);
	write_fully(proxy[1], down + SIZE, 5);
	EXPECT(cv_pump_add(app[1], proxy[0], down, SIZE + 1, up, SIZE), -EMSGSIZE);
	CHECK(cv_pump_add(app[1], proxy[0], down, SIZE, up, SIZE) >= 0);
	close(app[1]);
	close(proxy[0]);
	read_fully(app[0], heard, sizeof heard);
	CHECK(memcmp(heard, down, sizeof down) == 0);
	read_fully(proxy[1], heard, sizeof heard);
	CHECK(memcmp(heard, up, sizeof up) == 0);
	close(app[0]);
	close(proxy[1]);
	ended = reap_one();
	EXPECT(ended.reason, CV_END_CLEAN);
	EXPECT(ended.bytes_up, SIZE + 5);
	EXPECT(ended.bytes_down, SIZE + 5);
}

static void early_bytes_before_an_end(void)
{
	int app[2], proxy[2];
	char heard[16];

	CHECK(cv_pump_start(1, 8) == 0);
	tcp_pair(app);
	tcp_pair(proxy);
	close(proxy[1]);
	CHECK(cv_pump_add(app[1], proxy[0], "last words", 10, NULL, 0) >= 0);
	close(app[1]);
	close(proxy[0]);
	read_fully(app[0], heard, 10);
	CHECK(memcmp(heard, "last words", 10) == 0);
	EXPECT(recv(app[0], heard, sizeof heard, 0), 0);
	close(app[0]);
	EXPECT(reap_one().reason, CV_END_CLEAN);
}

/* Before urgent data splice(2) answers EAGAIN, or 0 once the sender has shut down, and recv(2) stops short. */
static void urgent_bytes(void)
{
	enum { SIZE = 300000, ROUNDS = 20 };
	static unsigned char sent[SIZE], heard[SIZE + 1];
	int ends[2];

	CHECK(cv_pump_start(1, 8) == 0);
	flow_between(tcp_pair, ends);
	for (int i = 0; i < ROUNDS; i++) {
		pattern_fill(sent, (uint64_t)i, 0, SIZE);
		write_fully(ends[0], sent, SIZE / 2);
		EXPECT(send(ends[0], sent + SIZE / 2, 1, MSG_OOB), 1);
		write_fully(ends[0], sent + SIZE / 2 + 1, SIZE / 2 - 1);
		read_fully(ends[1], heard, SIZE);
		CHECK(memcmp(sent, heard, SIZE) == 0);
	}
	/* The last one lies there with the end of file behind it before the pump comes to it. */
	for (size_t i = 0; i < 2; i++) {
		write_fully(ends[0], sent, SIZE);
		EXPECT(send(ends[0], "!", 1, MSG_OOB), 1);
	}
	close(ends[0]);
	for (size_t i = 0; i < 2; i++) {
		read_fully(ends[1], heard, SIZE + 1);
		CHECK(memcmp(sent, heard, SIZE) == 0 && heard[SIZE] == '!');
	}
	EXPECT(recv(ends[1], heard, 1, 0), 0);
	close(ends[1]);
	EXPECT(reap_one().bytes_up, (uint64_t)SIZE * (ROUNDS + 2) + 2);
}

static void many_flows(void)
{
	enum { COUNT = 2000 };
	static struct talker talkers[2 * COUNT];
	static uint64_t up[COUNT], down[COUNT];
	static bool seen[COUNT];

	CHECK(cv_pump_start(3, COUNT) == 0);
	srand(1);
	for (int i = 0; i < COUNT; i++) {
		int ends[2];
		int flow = flow_between(i % 5 ? tcp_pair : socket_pair, ends);

		/* From nothing to 256 KiB, most of them small. */
		up[flow] = (uint64_t)rand() % (UINT64_C(1) << rand() % 19);
		down[flow] = (uint64_t)rand() % (UINT64_C(1) << rand() % 19);
		pair_up(&talkers[2 * i], ends, (uint64_t)i * 2, up[flow], down[flow]);
	}
	talk(talkers, 2 * COUNT);
	for (int i = 0; i < COUNT; i++) {
		struct cv_flow_event ended = reap_one();

		CHECK(ended.flow < COUNT && !seen[ended.flow]);
		seen[ended.flow] = true;
		EXPECT(ended.reason, CV_END_CLEAN);
		EXPECT(ended.bytes_up, up[ended.flow]);
		EXPECT(ended.bytes_down, down[ended.flow]);
	}
}

/* One flow that never rests must not hold up another one on the same thread. */
static void fairness(void)
{
	int fat[2], thin[2];
	int64_t worst = 0;
	pid_t children[2];

	CHECK(cv_pump_start(1, 8) == 0);
	flow_between(tcp_pair, fat);
	flow_between(tcp_pair, thin);
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		CHECK(children[i] >= 0);
		if (children[i] == 0) {
			static char bytes[65536];

			while (i == 0 ? send(fat[0], bytes, sizeof bytes, MSG_NOSIGNAL) > 0
			              : recv(fat[1], bytes, sizeof bytes, 0) > 0)
				;
			_exit(0);
		}
	}
	for (int i = 0; i < 200; i++) {
		int64_t start = now_ms();
		char byte = 'x';

		write_fully(thin[0], &byte, 1);
		read_fully(thin[1], &byte, 1);
		if (now_ms() - start > worst)
			worst = now_ms() - start;
	}
	for (int i = 0; i < 2; i++) {
		CHECK(kill(children[i], SIGKILL) == 0);
		CHECK(waitpid(children[i], NULL, 0) == children[i]);
	}
	/* A run of the other is some megabytes; the rest is the scheduler of a busy machine. */
	CHECK(worst < 1000);
}

int main(void)
{
	in_process("64 MiB each way over TCP arrive as they were", large_over_tcp);
	in_process("64 MiB each way over Unix sockets arrive as they were", large_over_unix);
	in_process("early bytes of both sides come first and are counted once", early_bytes);
	in_process("early bytes come before an end of file that was there already", early_bytes_before_an_end);
	in_process("urgent data neither ends nor stalls a flow, and its byte stays in place", urgent_bytes);
	in_process("2,000 flows at once with random sizes keep every byte", many_flows);
	in_process("a flow that never rests does not hold up another one", fairness);
	return 0;
}
