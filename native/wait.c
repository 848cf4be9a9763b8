/*
 * Waiting for events: asleep, or awake for a moment.
 *
 * A processor with nothing to do goes to sleep, and to wake it takes longer than a relay's whole work on a small
 * packet: a few microseconds, on a virtual machine 30 and more. A thread therefore looks again and again for
 * AWAKE_NS before it sleeps, provided that its last waits would have ended in that time: between a program and a
 * proxy on the same machine or network, which answer at once. A wait that was long counts as several short ones,
 * so that an exchange over the internet, where every second wait is long, is slept through, and so is an idle lane.
 * Between two looks others may have the processor (sched_yield(2)). The kernel does the same for a whole
 * processor of a guest (Documentation/virt/guest-halt-polling.rst), where it is switched on.
 */
#include <sched.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <time.h>

#include "internal.h"

#define AWAKE_NS 100000
/* Waits in a row that have to be short, and how many the thread remembers. */
#define SHORT_ENOUGH 4
#define SHORT_MOST 8
#define LONG_COSTS 3

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void learn(struct cv_wait *wait, bool is_short)
{
	wait->short_waits += is_short ? 1 : -LONG_COSTS;
	if (wait->short_waits > SHORT_MOST)
		wait->short_waits = SHORT_MOST;
	if (wait->short_waits < 0)
		wait->short_waits = 0;
}

int cv_wait(struct cv_wait *wait, int epoll_fd, struct epoll_event *events, int room, int timeout_ms)
{
	int64_t begun = now_ns();
	int count;

	if (timeout_ms == 0)
		return epoll_wait(epoll_fd, events, room, 0);
	while (wait->short_waits >= SHORT_ENOUGH && now_ns() - begun < AWAKE_NS) {
		count = epoll_wait(epoll_fd, events, room, 0);
		if (count != 0) {
			learn(wait, true);
			return count;
		}
		(void)sched_yield();
	}
	count = epoll_wait(epoll_fd, events, room, timeout_ms);
	learn(wait, now_ns() - begun < AWAKE_NS);
	return count;
}

void cv_wait_asleep(struct cv_wait *wait)
{
	wait->short_waits = 0;
}
