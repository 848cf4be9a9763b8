/* What an app has sent first, seen and left where it is. */
#include "dial_play.h"

static char seen[64];

static int held_flow(const struct stage *stage, int *app)
{
	*app = app_connect(stage);
	return (int)next_event(CV_FLOW_ACCEPTED).flow;
}

static void sees(int flow, const char *bytes)
{
	int size = (int)strlen(bytes);

	EVENTUALLY(cv_pump_peek(flow, seen, sizeof seen) == size);
	EXPECT(memcmp(seen, bytes, (size_t)size), 0);
}

static void close_by_reset(int fd)
{
	struct linger resetting = {.l_onoff = 1, .l_linger = 0};

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &resetting, sizeof resetting) == 0);
	close(fd);
}

static void accepted(void)
{
	struct stage stage = stage_open(1, 8);
	int app, pair[2], flow = held_flow(&stage, &app);

	EXPECT(cv_pump_peek(flow, seen, sizeof seen), 0);
	write_fully(app, "first", 5);
	sees(flow, "first");
	EXPECT(cv_pump_peek(flow, seen, 2), 2);
	EXPECT(cv_pump_peek(flow, seen, 0), 0);
	write_fully(app, " words", 6);
	sees(flow, "first words");
	tcp_pair(pair);
	EXPECT(cv_pump_join(flow, pair[0], NULL, 0), 0);
	close(pair[0]);
	hear(pair[1], "first words", 11);
	write_fully(app, "more", 4);
	EXPECT(cv_pump_peek(flow, seen, sizeof seen), 0);
	hear(pair[1], "more", 4);
	close(app);
	close(pair[1]);
	EXPECT(next_event(CV_FLOW_ENDED).reason, CV_END_CLEAN);
	EXPECT(cv_pump_peek(flow, seen, sizeof seen), -ENOENT);
	EXPECT(cv_pump_peek(-1, seen, sizeof seen), -ENOENT);
	EXPECT(cv_pump_peek(8, seen, sizeof seen), -ENOENT);
}

static void dialled(void)
{
	struct stage stage = stage_open(1, 8);
	int app, flow, proxy = dial_begun(&stage, &app, &flow, false, PATIENT_MS);

	EXPECT(cv_pump_peek(flow, seen, sizeof seen), 0);
	write_fully(app, "first", 5);
	sees(flow, "first");
	until_request(proxy);
	sees(flow, "first");
	/* Also when that is all that the app will ever say. */
	CHECK(shutdown(app, SHUT_WR) == 0);
	sees(flow, "first");
	write_fully(proxy, yes, sizeof yes);
	hear(proxy, "first", 5);
	next_event(CV_FLOW_OPENED);
	EXPECT(cv_pump_peek(flow, seen, sizeof seen), 0);
	close(app);
	close(proxy);
	EXPECT(next_event(CV_FLOW_ENDED).reason, CV_END_CLEAN);
}

/* The kernel tells a reset once. Who looked has heard it, and yet it must not become an end of file. */
static void looked_at_after_a_reset(void)
{
	struct stage stage = stage_open(1, 8);

	for (int i = 0; i < 100; i++) {
		int app, pair[2], flow = held_flow(&stage, &app);
		struct cv_flow_event ended;

		if (i % 2)
			write_fully(app, "half of", 7);
		close_by_reset(app);
		/* The bytes come first, then the error, then nothing. */
		for (int look = 0; look < 3; look++)
			CHECK(cv_pump_peek(flow, seen, sizeof seen) >= 0);
		if (i % 4 < 2) {
			tcp_pair(pair);
			EXPECT(cv_pump_join(flow, pair[0], NULL, 0), 0);
			close(pair[0]);
			while ((ended.error = (int)recv(pair[1], seen, sizeof seen, 0)) > 0)
				;
			EXPECT(ended.error, -1);
			EXPECT(errno, ECONNRESET);
			close(pair[1]);
		} else {
			flow_dial(&stage, flow, false, PATIENT_MS);
		}
		ended = next_event(CV_FLOW_ENDED);
		EXPECT(ended.reason, CV_END_APP_RESET);
	}
}

/* At every moment of a dial, until it opens, fails, or is given up. */
static void looked_at_all_the_time(void)
{
	enum { ROUNDS = 400 };
	struct stage stage = stage_open(2, 8);
	struct cv_flow_event event;

	for (int i = 0; i < ROUNDS; i++) {
		int app, flow, result, proxy = dial_begun(&stage, &app, &flow, false, PATIENT_MS);

		write_fully(app, "first", 5);
		until_request(proxy);
		if (i % 3 == 0)
			close_by_reset(app);
		else if (i % 3 == 1)
			write_fully(proxy, yes, sizeof yes);
		else
			EXPECT(cv_pump_abort(flow), 0);
		for (int look = 0; look < 50; look++) {
			result = cv_pump_peek(flow, seen, sizeof seen);
			CHECK(result == 5 || result == 0 || result == -ENOENT);
		}
		if (i % 3 != 0)
			close_by_reset(app);
		while ((event = reap_one()).kind != CV_FLOW_ENDED)
			CHECK(cv_pump_peek(flow, seen, sizeof seen) >= -ENOENT);
		CHECK(event.reason == (i % 3 == 2 ? CV_END_ABORTED : CV_END_APP_RESET));
		close(proxy);
	}
}

int main(void)
{
	in_process("an accepted app's first bytes are seen and stay", accepted);
	in_process("the first bytes of an app that is being dialled are seen and stay", dialled);
	in_process("a reset that only a look has met is still a reset", looked_at_after_a_reset);
	in_process("a flow may be looked at at any moment", looked_at_all_the_time);
	return 0;
}
