/*
 * A flow whose proxy's side is one end of a pair of Unix sockets, as Node has it for what it must encrypt. The other
 * end is the bridge's, played here.
 */
#include "dial_play.h"

struct bridged {
	int app;
	int bridge;
	int flow;
};

static struct bridged bridged_open(const struct stage *stage)
{
	struct bridged one = {.app = app_connect(stage)};
	int32_t pair[2];

	one.flow = (int)next_event(CV_FLOW_ACCEPTED).flow;
	EXPECT(cv_socket_pair(pair), 0);
	EXPECT(cv_pump_join(one.flow, pair[0], NULL, 0), 0);
	EXPECT(cv_close(pair[0]), 0);
	CHECK(fcntl(pair[1], F_SETFL, 0) == 0);
	one.bridge = pair[1];
	return one;
}

static int hear_one(int fd)
{
	char byte;
	ssize_t received = recv(fd, &byte, 1, 0);

	return received < 0 ? -errno : (int)received;
}

static void ended_by(const struct bridged *one, uint32_t reason)
{
	struct cv_flow_event ended = next_event(CV_FLOW_ENDED);

	EXPECT(ended.flow, one->flow);
	EXPECT(ended.reason, reason);
	close(one->app);
}

static void pairs(void)
{
	int32_t pair[2];
	char byte;

	EXPECT(cv_socket_pair(pair), 0);
	for (int i = 0; i < 2; i++) {
		EXPECT(fcntl(pair[i], F_GETFD), FD_CLOEXEC);
		EXPECT(fcntl(pair[i], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	}
	write_fully(pair[0], "x", 1);
	read_fully(pair[1], &byte, 1);
	EXPECT(cv_is_hung_up(pair[1]), 0);
	CHECK(shutdown(pair[0], SHUT_WR) == 0);
	EXPECT(cv_is_hung_up(pair[1]), 0);
	close(pair[0]);
	EXPECT(cv_is_hung_up(pair[1]), 1);
	close(pair[1]);
	EXPECT(cv_is_hung_up(999), -EBADF);
}

/* Much and little in both directions at once; what is much is spliced. */
static void every_byte(void)
{
	struct stage stage = stage_open(2, 16);
	struct bridged one[6];
	struct talker talkers[12];
	uint64_t sizes[] = {0, 1, 100000, 3000000, 30000000, 5};

	for (int i = 0; i < 6; i++) {
		uint64_t up = 10 * (uint64_t)i + 1, down = up + 1;

		one[i] = bridged_open(&stage);
		talkers[2 * i] = (struct talker){.fd = one[i].app, .seed_out = up, .size_out = sizes[i],
		                                 .seed_in = down, .size_in = sizes[5 - i]};
		talkers[2 * i + 1] = (struct talker){.fd = one[i].bridge, .seed_out = down, .size_out = sizes[5 - i],
		                                     .seed_in = up, .size_in = sizes[i]};
	}
	talk(talkers, 12);
	for (int i = 0; i < 6; i++) {
		struct cv_flow_event ended = next_event(CV_FLOW_ENDED);

		EXPECT(ended.reason, CV_END_CLEAN);
	}
	/* The pump has closed its end as well: that is how the bridge knows the end of all from the app's. */
	for (int i = 0; i < 6; i++) {
		EXPECT(cv_is_hung_up(one[i].bridge), 1);
		close(one[i].bridge);
		close(one[i].app);
	}
}

static void half_closes(void)
{
	struct stage stage = stage_open(1, 8);
	struct bridged one = bridged_open(&stage);

	CHECK(shutdown(one.app, SHUT_WR) == 0);
	EXPECT(hear_one(one.bridge), 0);
	EXPECT(cv_is_hung_up(one.bridge), 0);
	write_fully(one.bridge, "answer", 6);
	hear(one.app, "answer", 6);
	/* It has heard all that there is to hear, and may close without further words. */
	close(one.bridge);
	EXPECT(hear_one(one.app), 0);
	ended_by(&one, CV_END_CLEAN);

	one = bridged_open(&stage);
	write_fully(one.bridge, "all there is", 12);
	CHECK(shutdown(one.bridge, SHUT_WR) == 0);
	hear(one.app, "all there is", 12);
	EXPECT(hear_one(one.app), 0);
	write_fully(one.app, "late", 4);
	hear(one.bridge, "late", 4);
	CHECK(shutdown(one.app, SHUT_WR) == 0);
	EXPECT(hear_one(one.bridge), 0);
	close(one.bridge);
	ended_by(&one, CV_END_CLEAN);
}

/* Each time something else lies in the sockets; the app must never hear an end of file. */
static void closed_early(void)
{
	struct stage stage = stage_open(1, 8);

	for (int i = 0; i < 60; i++) {
		struct bridged one = bridged_open(&stage);
		char heard[16];
		int result;

		if (i % 3 == 1) {
			write_fully(one.bridge, "half of", 7);
			hear(one.app, "half of", 7);
		}
		if (i % 4 == 1)
			write_fully(one.app, "unread", 6);
		if (i % 5 == 1) {
			CHECK(shutdown(one.bridge, SHUT_WR) == 0);
			EXPECT(hear_one(one.app), 0);
		}
		close(one.bridge);
		result = (int)recv(one.app, heard, sizeof heard, 0);
		if (i % 5 == 1) {
			/* What came was whole; only what the app says further goes nowhere. */
			EXPECT(next_event(CV_FLOW_ENDED).reason, CV_END_PROXY_RESET);
			close(one.app);
			continue;
		}
		EXPECT(result, -1);
		EXPECT(errno, ECONNRESET);
		ended_by(&one, CV_END_PROXY_RESET);
	}
}

/* A pair whose other end is closed before the flow is joined. */
static void closed_before(void)
{
	struct stage stage = stage_open(1, 8);
	struct bridged one = {.app = app_connect(&stage)};
	int32_t pair[2];

	one.flow = (int)next_event(CV_FLOW_ACCEPTED).flow;
	EXPECT(cv_socket_pair(pair), 0);
	EXPECT(cv_close(pair[1]), 0);
	EXPECT(cv_pump_join(one.flow, pair[0], NULL, 0), 0);
	EXPECT(cv_close(pair[0]), 0);
	EXPECT(hear_one(one.app), -ECONNRESET);
	ended_by(&one, CV_END_PROXY_RESET);
}

/* The app's reset is no end of file for the bridge either: the pump's end is gone without one. */
static void reset_by_the_app(void)
{
	struct stage stage = stage_open(1, 8);

	for (int i = 0; i < 40; i++) {
		struct bridged one = bridged_open(&stage);
		struct linger resetting = {.l_onoff = 1, .l_linger = 0};
		int result;

		if (i % 2) {
			write_fully(one.app, "half of", 7);
			hear(one.bridge, "half of", 7);
		}
		if (i % 4 == 0) {
			EXPECT(cv_pump_abort(one.flow), 0);
			EXPECT(hear_one(one.app), -ECONNRESET);
		} else {
			CHECK(setsockopt(one.app, SOL_SOCKET, SO_LINGER, &resetting, sizeof resetting) == 0);
			close(one.app);
			one.app = dup(one.bridge);
		}
		result = hear_one(one.bridge);
		CHECK(result == 0 || result == -ECONNRESET);
		EXPECT(cv_is_hung_up(one.bridge), 1);
		close(one.bridge);
		ended_by(&one, i % 4 ? CV_END_APP_RESET : CV_END_ABORTED);
	}
}

/* Who reads nothing holds the other side up, and nothing else. */
static void slow_bridge(void)
{
	struct stage stage = stage_open(1, 8);
	struct bridged one = bridged_open(&stage), other = bridged_open(&stage);
	static char bytes[1 << 16];
	uint64_t counters[6];
	int64_t sent = 0;

	nonblocking(one.app);
	for (int64_t since = now_ms(); now_ms() - since < 300;) {
		ssize_t result = send(one.app, bytes, sizeof bytes, MSG_NOSIGNAL);

		if (result > 0) {
			sent += result;
			since = now_ms();
		}
		poll(NULL, 0, 1);
	}
	CHECK(sent < 32 << 20);
	write_fully(other.app, "past it", 7);
	hear(other.bridge, "past it", 7);
	CHECK(shutdown(one.app, SHUT_WR) == 0);
	for (ssize_t got; sent > 0; sent -= got) {
		got = recv(one.bridge, bytes, sizeof bytes, 0);
		CHECK(got > 0);
	}
	EXPECT(hear_one(one.bridge), 0);
	EXPECT(cv_pump_counters(0, 2, counters), 0);
	close(one.bridge);
	ended_by(&one, CV_END_CLEAN);
	close(other.app);
	close(other.bridge);
}

int main(void)
{
	in_process("a pair is two ends that know whether the other is closed", pairs);
	in_process("every byte crosses a bridge, and its ends are ends", every_byte);
	in_process("half closes cross a bridge in both directions", half_closes);
	in_process("a bridge that is closed early resets the app", closed_early);
	in_process("a bridge that is closed before the flow begins resets the app", closed_before);
	in_process("a bridge can tell an app's reset from its end of file", reset_by_the_app);
	in_process("a bridge that does not read holds up its own flow alone", slow_bridge);
	return 0;
}
