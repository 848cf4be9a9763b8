/*
 * Readiness and doorbells as bytes in a pipe.
 *
 * Node can wait for pipes and stream sockets, not for SOCK_SEQPACKET, pidfds or a thread of ours. This part owns
 * one thread with one epoll instance and one pipe; Node reads the other end as a stream of 8-byte records.
 * *Does*: write one record for each readiness (EPOLLONESHOT, until cv_watch_again) and one for a doorbell.
 * *Must not*: lose a record, read from a watched descriptor, hold a lock while it waits, or block in cv_ring.
 *
 * A record is smaller than PIPE_BUF, so that threads may write side by side without mixing (pipe(7)). When the
 * pipe is full, the thread waits for room with what it has; a doorbell instead leaves its mark in `ring_owed`
 * and an eventfd wakes the thread, which delivers it when there is room.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "internal.h"

#define RING_KINDS 32
#define EVENTS_AT_ONCE 64
/* epoll data of the eventfd; no descriptor is negative. */
#define DOORBELL (-1)

struct record {
	uint32_t kind;
	uint32_t value;
};

static int epoll_fd = -1;
static int doorbell_fd = -1;
static _Atomic int pipe_write_fd = -1;
/* Bit per kind: a record is in the pipe, or owed, that nobody has answered with cv_ring_clear. */
static _Atomic uint32_t ring_pending;
/* Bit per kind: the pipe was full, the thread has to write it. */
static _Atomic uint32_t ring_owed;

/* Writes a record or answers -EAGAIN when the pipe is full. */
static int record_try(uint32_t kind, uint32_t value)
{
	struct record record = {.kind = kind, .value = value};
	ssize_t written;

	do
		written = write(pipe_write_fd, &record, sizeof record);
	while (written < 0 && errno == EINTR);
	return written < 0 ? -errno : 0;
}

/* Writes a record, waiting for room as long as it takes. Fails only when nobody reads any more. */
static int record_write(uint32_t kind, uint32_t value)
{
	int result;

	while ((result = record_try(kind, value)) == -EAGAIN) {
		struct pollfd room = {.fd = pipe_write_fd, .events = POLLOUT};

		if (poll(&room, 1, -1) < 0 && errno != EINTR)
			return -errno;
	}
	return result;
}

static int doorbells_write(void)
{
	uint64_t count;
	uint32_t owed;

	/* Emptied before the marks are taken: a mark that is set later comes with another wake-up. */
	if (read(doorbell_fd, &count, sizeof count) < 0 && errno != EAGAIN)
		return -errno;
	owed = atomic_exchange(&ring_owed, 0);
	for (uint32_t kind = 0; kind < RING_KINDS; kind++)
		if (owed & (UINT32_C(1) << kind)) {
			int result = record_write(kind, 0);

			if (result < 0)
				return result;
		}
	return 0;
}

static void *watch_run(void *unused)
{
	struct epoll_event events[EVENTS_AT_ONCE];

	(void)unused;
	for (;;) {
		int count = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, -1);

		if (count < 0 && errno != EINTR)
			return NULL;
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;
			int result = fd == DOORBELL ? doorbells_write()
			                            : record_write(CV_RING_READABLE, (uint32_t)fd);

			if (result < 0)
				return NULL; /* Node has closed its end: the process is on its way out */
		}
	}
}

static int watch_control(int operation, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.fd = fd};

	if (fd < 0)
		return -EBADF;
	if (epoll_fd < 0)
		return -ENOTCONN;
	return epoll_ctl(epoll_fd, operation, fd, &event) < 0 ? -errno : 0;
}

static int watch_open(int pipe_fds[2])
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = DOORBELL};

	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	doorbell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (epoll_fd < 0 || doorbell_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, doorbell_fd, &event) < 0)
		return -errno;
	pipe_write_fd = pipe_fds[1];
	return cv_thread_start("culvert-watch", watch_run, NULL);
}

/* Starts the thread. Returns the read end of the pipe, which is the caller's; -EALREADY the second time. */
int cv_watch_start(void)
{
	int pipe_fds[2] = {-1, -1};
	int result;

	if (epoll_fd >= 0)
		return -EALREADY;
	result = watch_open(pipe_fds);
	if (result == 0)
		return pipe_fds[0];
	pipe_write_fd = -1;
	for (int i = 0; i < 2; i++)
		if (pipe_fds[i] >= 0)
			close(pipe_fds[i]);
	if (epoll_fd >= 0)
		close(epoll_fd);
	if (doorbell_fd >= 0)
		close(doorbell_fd);
	epoll_fd = doorbell_fd = -1;
	return result;
}

/* Watches fd for one readiness; -EEXIST when it is watched, -EPERM for a plain file (epoll_ctl(2)). */
int cv_watch_add(int fd)
{
	return watch_control(EPOLL_CTL_ADD, fd);
}

/* Arms a watched descriptor again; a readiness that is there already is told at once. */
int cv_watch_again(int fd)
{
	return watch_control(EPOLL_CTL_MOD, fd);
}

/* Ends the watch; to be called before fd is closed. A record may be in the pipe already and is then void. */
int cv_watch_remove(int fd)
{
	return watch_control(EPOLL_CTL_DEL, fd);
}

/* Wakes Node for a kind other than CV_RING_READABLE, from any thread; never blocks. Silent before the start. */
void cv_ring(uint32_t kind)
{
	uint32_t bit;
	uint64_t one = 1;

	if (kind >= RING_KINDS || pipe_write_fd < 0)
		return;
	bit = UINT32_C(1) << kind;
	if (atomic_fetch_or(&ring_pending, bit) & bit)
		return;
	if (record_try(kind, 0) != -EAGAIN)
		return;
	atomic_fetch_or(&ring_owed, bit);
	/* Fails only at 2^64 - 2 unread rings (eventfd(2)), and then the thread is awake anyway. */
	if (write(doorbell_fd, &one, sizeof one) < 0)
		return;
}

/* Says that the caller is about to look: the next cv_ring of the kind makes a new record. */
void cv_ring_clear(uint32_t kind)
{
	if (kind < RING_KINDS)
		atomic_fetch_and(&ring_pending, ~(UINT32_C(1) << kind));
}
