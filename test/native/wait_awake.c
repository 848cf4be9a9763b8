/* When a thread looks again and when it sleeps, on a clock and a queue of events that the test moves. */
#include <sys/epoll.h>

#include "check.h"

/* When the next event comes, by the test's clock; and what the waiting thread did until then. */
static struct {
	int64_t clock;
	int64_t next_event;
	int looks, sleeps, yields;
} play;

static int played_clock(clockid_t which, struct timespec *out)
{
	CHECK(which == CLOCK_MONOTONIC);
	*out = (struct timespec){play.clock / 1000000000, play.clock % 1000000000};
	return 0;
}

static int played_wait(int epoll_fd, struct epoll_event *events, int room, int timeout_ms)
{
	(void)events;
	CHECK(epoll_fd == 3 && room == 4);
	play.clock += 1000;
	if (timeout_ms == 0) {
		play.looks++;
		return play.clock >= play.next_event;
	}
	play.sleeps++;
	int64_t until = timeout_ms < 0 ? INT64_MAX : play.clock + timeout_ms * (int64_t)1000000;
	bool is_event = play.next_event <= until;
	int64_t woken = is_event ? play.next_event : until;
	if (woken > play.clock)
		play.clock = woken;
	return is_event;
}

static int played_yield(void)
{
	play.yields++;
	return 0;
}

#define clock_gettime played_clock
#define epoll_wait played_wait
#define sched_yield played_yield
#include "wait.c"

#define MICROSECONDS 1000

static int next(struct cv_wait *wait, int64_t in, int timeout_ms)
{
	struct epoll_event events[4];

	play.looks = play.sleeps = play.yields = 0;
	play.next_event = play.clock + in;
	return cv_wait(wait, 3, events, 4, timeout_ms);
}

/* The next event is waited for asleep from the first moment. */
static void expect_asleep(struct cv_wait *wait, int64_t in)
{
	EXPECT(next(wait, in, -1), 1);
	EXPECT(play.sleeps, 1);
	EXPECT(play.looks, 0);
}

static struct cv_wait used_to_short_waits(void)
{
	struct cv_wait wait = {0};

	for (int i = 0; i < 20; i++)
		EXPECT(next(&wait, 40 * MICROSECONDS, -1), 1);
	return wait;
}

static void short_waits_are_awake(void)
{
	struct cv_wait wait = {0};

	for (int i = 0; i < 4; i++)
		expect_asleep(&wait, 40 * MICROSECONDS);
	EXPECT(next(&wait, 40 * MICROSECONDS, -1), 1);
	EXPECT(play.sleeps, 0);
	EXPECT(play.looks, 40);
	EXPECT(play.yields, 39);
	passed("after four short waits the fifth is waited for awake, and others may have the processor");
}

static void a_lane_that_falls_silent_is_slept_through(void)
{
	struct cv_wait wait = used_to_short_waits();
	int64_t begun = play.clock;

	EXPECT(next(&wait, 60000 * MICROSECONDS, -1), 1);
	EXPECT(play.sleeps, 1);
	CHECK(play.looks >= 95 && play.looks <= 101);
	EXPECT(play.clock - begun, 60000 * MICROSECONDS);
	EXPECT(next(&wait, 60000 * MICROSECONDS, -1), 1);
	expect_asleep(&wait, 60000 * MICROSECONDS);
	passed("it stays awake for 100 µs at most, and after two long waits not at all");
}

static void far_proxies_are_slept_for(void)
{
	struct cv_wait wait = {0};

	for (int i = 0; i < 50; i++) {
		expect_asleep(&wait, 20 * MICROSECONDS);
		expect_asleep(&wait, 200 * MICROSECONDS);
	}
	passed("where every second wait is long none is awake");
}

static void timeouts_are_kept(void)
{
	struct cv_wait wait = used_to_short_waits();
	int64_t begun = play.clock;

	EXPECT(next(&wait, 60000 * MICROSECONDS, 5), 0);
	CHECK(play.clock - begun >= 5000 * MICROSECONDS && play.clock - begun <= 5200 * MICROSECONDS);
	wait = used_to_short_waits();
	EXPECT(next(&wait, 60 * MICROSECONDS, 0), 0);
	EXPECT(play.looks, 1);
	EXPECT(play.sleeps, 0);
	EXPECT(next(&wait, 60 * MICROSECONDS, -1), 1);
	EXPECT(play.sleeps, 0);
	passed("a timeout is kept, and a look without one teaches nothing");
}

static void large_amounts_are_slept_for(void)
{
	struct cv_wait wait = used_to_short_waits();

	cv_wait_asleep(&wait);
	expect_asleep(&wait, 40 * MICROSECONDS);
	passed("who moves large amounts sleeps at once");
}

int main(void)
{
	short_waits_are_awake();
	a_lane_that_falls_silent_is_slept_through();
	far_proxies_are_slept_for();
	timeouts_are_kept();
	large_amounts_are_slept_for();
	return 0;
}
