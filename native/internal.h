/*
 * What the parts of libculvert share with one another and nobody outside calls.
 *
 * The way of a doorbell, so that none is lost: a part first puts what it has to tell where its collecting
 * function finds it, then calls cv_ring. The collecting function first calls cv_ring_clear, then looks, and
 * is called until it finds nothing. A ring in between is then either still in the pipe or seen by the look.
 */
#ifndef CULVERT_INTERNAL_H
#define CULVERT_INTERNAL_H

#include "culvert.h"

struct epoll_event;

/* To be called by cv_pump_reap and cv_udp_poll before they look: the next cv_ring of the kind writes again. */
void cv_ring_clear(uint32_t kind);

/* socket.c: what a socket sends leaves by this interface or not at all. 0, or -ENODEV, -EPERM. */
int cv_bind_to_device(int fd, const char *device);

/*
 * Starts a detached thread with a small stack, every signal blocked and a name of at most 15 characters.
 * Returns 0 or a negative errno value.
 */
int cv_thread_start(const char *name, void *(*run)(void *), void *argument);

/* Milliseconds of the clock that nobody sets (clock_gettime(2), CLOCK_MONOTONIC). */
int64_t cv_monotonic_ms(void);

/* How long a thread's last waits were (wait.c); all zero at first, and for that thread only. */
struct cv_wait {
	int short_waits;
};

/*
 * epoll_wait(2), which may look again and again for 100 µs before it sleeps, if waits of late were shorter than
 * that. Returns what epoll_wait returns.
 */
int cv_wait(struct cv_wait *wait, int epoll_fd, struct epoll_event *events, int room, int timeout_ms);

/* To be called by a thread that moves large amounts: let the next waits be slept through, whatever the last were. */
void cv_wait_asleep(struct cv_wait *wait);

#endif
