/* How flows end: an end of file stays one, a failure stays one, and a killed relay looks like a failure. */
#include "talk.h"

/* What recv says now that something has to come: bytes, 0 or a negative errno value. */
static int heard(int fd)
{
	char byte;
	ssize_t received = recv(fd, &byte, 1, 0);

	return received < 0 ? -errno : (int)received;
}

static void close_by_reset(int fd)
{
	struct linger resetting = {.l_onoff = 1, .l_linger = 0};

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &resetting, sizeof resetting) == 0);
	close(fd);
}

/* One side says all it has to say and shuts down; the other answers long afterwards. */
static void half_close_by(int first)
{
	struct cv_flow_event ended;
	char bytes[8];
	int ends[2];

	CHECK(cv_pump_start(1, 4) == 0);
	flow_between(tcp_pair, ends);
	write_fully(ends[first], "question", 8);
	CHECK(shutdown(ends[first], SHUT_WR) == 0);
	read_fully(ends[!first], bytes, 8);
	EXPECT(heard(ends[!first]), 0);
	EXPECT(cv_pump_reap(&ended, 1), 0);
	for (int i = 0; i < 100; i++) {
		write_fully(ends[!first], "answer..", 8);
		read_fully(ends[first], bytes, 8);
		CHECK(memcmp(bytes, "answer..", 8) == 0);
	}
	close(ends[!first]);
	EXPECT(heard(ends[first]), 0);
	ended = reap_one();
	EXPECT(ended.reason, CV_END_CLEAN);
	EXPECT(first == 0 ? ended.bytes_down : ended.bytes_up, 800);
	EXPECT(first == 0 ? ended.bytes_up : ended.bytes_down, 8);
}

static void half_close_by_app(void)
{
	half_close_by(0);
}

static void half_close_by_proxy(void)
{
	half_close_by(1);
}

static void reset_by(int first, uint32_t reason)
{
	struct cv_flow_event ended;
	char bytes[8];
	int ends[2];

	CHECK(cv_pump_start(1, 4) == 0);
	for (int i = 0; i < 50; i++) {
		flow_between(tcp_pair, ends);
		if (i % 2) {
			write_fully(ends[first], "some way", 8);
			read_fully(ends[!first], bytes, 8);
		}
		close_by_reset(ends[first]);
		EXPECT(heard(ends[!first]), -ECONNRESET);
		close(ends[!first]);
		ended = reap_one();
		EXPECT(ended.reason, reason);
		EXPECT(ended.error, ECONNRESET);
	}
}

static void reset_by_app(void)
{
	reset_by(0, CV_END_APP_RESET);
}

static void reset_by_proxy(void)
{
	reset_by(1, CV_END_PROXY_RESET);
}

/* As without a relay, a reset takes away what is under way, not what lies in the reader's socket. */
static void reset_after_bytes(void)
{
	enum { SIZE = 20000 };
	static char bytes[SIZE];
	int ends[2];

	CHECK(cv_pump_start(1, 4) == 0);
	flow_between(tcp_pair, ends);
	write_fully(ends[1], bytes, SIZE);
	EVENTUALLY(recv(ends[0], bytes, SIZE, MSG_PEEK) == SIZE);
	close_by_reset(ends[1]);
	EXPECT(reap_one().reason, CV_END_PROXY_RESET);
	read_fully(ends[0], bytes, SIZE);
	EXPECT(heard(ends[0]), -ECONNRESET);
}

static void aborted(void)
{
	struct cv_flow_event ended;
	int ends[2], flow;

	CHECK(cv_pump_start(2, 4) == 0);
	EXPECT(cv_pump_abort(0), -ENOENT);
	EXPECT(cv_pump_abort(4), -EINVAL);
	for (int i = 0; i < 200; i++) {
		flow = flow_between(tcp_pair, ends);
		EXPECT(cv_pump_abort(flow), 0);
		EXPECT(cv_pump_abort(flow), 0);
		EXPECT(heard(ends[0]), -ECONNRESET);
		EXPECT(heard(ends[1]), -ECONNRESET);
		close(ends[0]);
		close(ends[1]);
		ended = reap_one();
		EXPECT(ended.flow, flow);
		EXPECT(ended.reason, CV_END_ABORTED);
		EXPECT(cv_pump_abort(flow), -ENOENT);
	}
}

/* Node closes its own socket some time later: neither an end nor a reset waits for that. */
static void giver_holds_its_copies(void)
{
	int app[2], proxy[2];

	CHECK(cv_pump_start(1, 4) == 0);
	for (int i = 0; i < 3; i++) {
		tcp_pair(app);
		tcp_pair(proxy);
		CHECK(cv_pump_add(app[1], proxy[0], NULL, 0, NULL, 0) >= 0);
		if (i == 0) {
			close_by_reset(app[0]);
			EXPECT(heard(proxy[1]), -ECONNRESET);
			EXPECT(reap_one().reason, CV_END_APP_RESET);
		} else if (i == 1) {
			close_by_reset(proxy[1]);
			EXPECT(heard(app[0]), -ECONNRESET);
			EXPECT(reap_one().reason, CV_END_PROXY_RESET);
		} else {
			CHECK(shutdown(proxy[1], SHUT_WR) == 0);
			EXPECT(heard(app[0]), 0);
			CHECK(shutdown(app[0], SHUT_WR) == 0);
			EXPECT(heard(proxy[1]), 0);
			EXPECT(reap_one().reason, CV_END_CLEAN);
		}
	}
}

static void relay_killed(void)
{
	char bytes[4];
	int app[2], proxy[2];
	pid_t relay;

	tcp_pair(app);
	tcp_pair(proxy);
	relay = fork();
	CHECK(relay >= 0);
	if (relay == 0) {
		close(app[0]);
		close(proxy[1]);
		CHECK(cv_pump_start(1, 4) == 0);
		CHECK(cv_pump_add(app[1], proxy[0], NULL, 0, NULL, 0) >= 0);
		for (;;)
			pause();
	}
	close(app[1]);
	close(proxy[0]);
	write_fully(proxy[1], "half", 4);
	read_fully(app[0], bytes, 4);
	CHECK(kill(relay, SIGKILL) == 0);
	EXPECT(heard(app[0]), -ECONNRESET);
	EXPECT(heard(proxy[1]), -ECONNRESET);
	CHECK(waitpid(relay, NULL, 0) == relay);
}

/* The time is 2 s in the library that tests load (native/Makefile). */
static void half_closed_and_silent(void)
{
	enum { SIZE = 300000 };
	static char bytes[SIZE];
	int silent[2], open[2], slow[2], late[2];
	int silent_flow, late_flow;
	struct cv_flow_event ended;

	CHECK(cv_pump_start(1, 8) == 0);
	silent_flow = flow_between(tcp_pair, silent);
	flow_between(tcp_pair, open);
	/* A download is complete at the proxy's end, and the app does not read for a long time. */
	int app[2], proxy[2];
	tcp_pair(app);
	tcp_pair(proxy);
	CHECK(setsockopt(app[0], SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int)) == 0);
	CHECK(setsockopt(app[1], SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int)) == 0);
	CHECK(cv_pump_add(app[1], proxy[0], NULL, 0, NULL, 0) >= 0);
	close(app[1]);
	close(proxy[0]);
	slow[0] = app[0];
	slow[1] = proxy[1];
	write_fully(slow[1], bytes, SIZE);
	CHECK(shutdown(slow[1], SHUT_WR) == 0);
	/* All is in the app's receive buffer already: the reset may come and takes nothing away. */
	late_flow = flow_between(tcp_pair, late);
	write_fully(late[1], "complete", 8);
	CHECK(shutdown(late[1], SHUT_WR) == 0);
	CHECK(shutdown(silent[0], SHUT_WR) == 0);
	for (int i = 0; i < 2; i++) {
		ended = reap_one();
		EXPECT(ended.reason, CV_END_HALF_IDLE);
		CHECK((int)ended.flow == silent_flow || (int)ended.flow == late_flow);
	}
	EXPECT(heard(silent[0]), -ECONNRESET);
	read_fully(late[0], bytes, 8);
	EXPECT(heard(late[0]), 0);
	/* Twice the time for the other two. */
	poll(NULL, 0, 4000);
	EXPECT(cv_pump_reap(&ended, 1), 0);
	read_fully(slow[0], bytes, SIZE);
	EXPECT(heard(slow[0]), 0);
	write_fully(open[0], "still", 5);
	read_fully(open[1], bytes, 5);
}

/* When the first byte came is counted from when both sides are there, whatever the app has sent before. */
static void first_byte(void)
{
	uint64_t counters[3];
	struct cv_flow_event ended;
	char bytes[8];
	int64_t began;
	int ends[2];

	CHECK(cv_pump_start(1, 4) == 0);
	began = now_ms();
	flow_between(tcp_pair, ends);
	write_fully(ends[0], "question", 8);
	read_fully(ends[1], bytes, 8);
	EVENTUALLY(cv_pump_counters(0, 1, counters) == 0 && counters[0] == 8);
	EXPECT(counters[2], 0);
	EVENTUALLY(now_ms() - began > 40);
	write_fully(ends[1], "answer..", 8);
	read_fully(ends[0], bytes, 8);
	EVENTUALLY(cv_pump_counters(0, 1, counters) == 0 && counters[1] == 8);
	CHECK(counters[2] > 30 && (int64_t)counters[2] <= now_ms() - began + 1);
	close(ends[0]);
	close(ends[1]);
	ended = reap_one();
	EXPECT(ended.first_byte_ms, counters[2]);
}

int main(void)
{
	in_process("when the first byte came for the app is known, and that there was none", first_byte);
	in_process("an app that has sent all still hears the answer, and its end is an end", half_close_by_app);
	in_process("a proxy that has sent all still hears the app, and its end is an end", half_close_by_proxy);
	in_process("a reset by the app is a reset for the proxy", reset_by_app);
	in_process("a reset by the proxy is a reset for the app", reset_by_proxy);
	in_process("what had reached the app before a reset can be read, and then the reset", reset_after_bytes);
	in_process("an aborted flow is reset on both sides and told of once", aborted);
	in_process("ends and resets do not wait until the giver closes its copies", giver_holds_its_copies);
	in_process("a relay killed in the middle looks like a reset on both sides", relay_killed);
	in_process("half-closed and silent flows end, slow readers and open flows do not", half_closed_and_silent);
	return 0;
}
