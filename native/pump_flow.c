/*
 * How bytes move through one flow, on the flow's thread.
 *
 * *Does*: early bytes, splice, copy and peek; ends forwarded as ends, failures as resets.
 * *Must not*: block, allocate, take a lock, or read a byte that it has no place for. What has been read from a
 * source is at once either in the destination's socket or in the pipe of its direction.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pump.h"

/* Steps of both directions in one run; then other flows have their turn. */
#define STEPS_IN_A_RUN 64

enum step {
	STUCK, /* nothing to do until an event */
	MOVED,
	ENDED, /* the flow is over: do not touch it */
};

static const struct linger resetting = {.l_onoff = 1, .l_linger = 0};
static const struct linger orderly = {.l_onoff = 0, .l_linger = 0};

/*
 * Closes with a reset. The connection is dissolved first (connect(2), AF_UNSPEC), since close alone does nothing
 * as long as the one who gave us the socket has not closed its own; for Unix sockets that is refused.
 */
static void reset(int fd)
{
	struct sockaddr unspecified = {.sa_family = AF_UNSPEC};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &resetting, sizeof resetting);
	(void)connect(fd, &unspecified, sizeof unspecified);
	close(fd);
}

/* Ends a flow: both sockets are closed, in an orderly way for CV_END_CLEAN only, and pump.c is to tell. */
void cv_flow_end(struct pump_thread *thread, struct flow *flow, uint32_t reason, int error)
{
	for (int i = APP; i <= PROXY; i++) {
		struct side *side = &flow->side[i];
		struct way *way = &flow->way[i];

		/* A dial may have come to nothing before there was one. */
		if (side->fd < 0)
			continue;
		/* Explicitly: while the giver's copy is open, close would leave it in the epoll set (epoll(7)). */
		(void)epoll_ctl(thread->epoll_fd, EPOLL_CTL_DEL, side->fd, NULL);
		if (reason == CV_END_CLEAN) {
			(void)setsockopt(side->fd, SOL_SOCKET, SO_LINGER, &orderly, sizeof orderly);
			close(side->fd);
		} else {
			reset(side->fd);
		}
		side->fd = -1;
		if (way->pipe.read_fd >= 0)
			cv_pipe_discard(thread, &way->pipe);
		free(way->early);
		way->early = NULL;
	}
	if (flow->dial)
		cv_dial_forget(thread, flow);
	if (flow->in_ready) {
		TAILQ_REMOVE(&thread->ready, flow, ready_link);
		flow->in_ready = false;
		thread->ready_count--;
	}
	if (flow->in_half) {
		TAILQ_REMOVE(&thread->half, flow, half_link);
		flow->in_half = false;
	}
	flow->reason = reason;
	flow->error = error;
	STAILQ_INSERT_TAIL(&thread->ended, flow, ended_link);
}

static enum step failed(struct pump_thread *thread, struct flow *flow, int side, int error)
{
	cv_flow_end(thread, flow, side == APP ? CV_END_APP_RESET : CV_END_PROXY_RESET, error);
	return ENDED;
}

static void delivered(const struct pump_thread *thread, struct flow *flow, int from, size_t bytes)
{
	struct way *way = &flow->way[from];
	/* Only this thread writes; others read. */
	uint64_t before = atomic_load_explicit(&way->bytes, memory_order_relaxed);

	if (before == 0 && from == PROXY && bytes > 0)
		atomic_store_explicit(&flow->first_byte_ms, (uint32_t)(thread->now_ms - flow->opened_ms) + 1,
		                      memory_order_relaxed);
	atomic_store_explicit(&way->bytes, before + bytes, memory_order_relaxed);
	way->moved += bytes;
}

static enum step forward_end(struct pump_thread *thread, struct flow *flow, int from)
{
	flow->way[from].source_ended = true;
	if (shutdown(flow->side[!from].fd, SHUT_WR) < 0)
		return failed(thread, flow, !from, errno);
	flow->way[from].done = true;
	if (flow->way[!from].done || (from == APP && flow->released)) {
		cv_flow_end(thread, flow, CV_END_CLEAN, 0);
		return ENDED;
	}
	flow->active_ms = thread->now_ms;
	TAILQ_INSERT_TAIL(&thread->half, flow, half_link);
	flow->in_half = true;
	return MOVED;
}

/*
 * Sends to the destination of a direction what fits: the number of bytes, 0 when it is full, or -1 when the flow
 * has ended by it.
 */
static ssize_t deliver(struct pump_thread *thread, struct flow *flow, int from, const void *bytes, size_t size)
{
	struct side *to = &flow->side[!from];
	ssize_t sent = send(to->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent >= 0) {
		delivered(thread, flow, from, (size_t)sent);
		return sent;
	}
	if (errno == EAGAIN) {
		to->writable = false;
		return 0;
	}
	failed(thread, flow, !from, errno);
	return -1;
}

static enum step early_out(struct pump_thread *thread, struct flow *flow, int from)
{
	struct way *way = &flow->way[from];
	ssize_t sent;

	if (!flow->side[!from].writable)
		return STUCK;
	sent = deliver(thread, flow, from, way->early + way->early_sent, way->early_size - way->early_sent);
	if (sent <= 0)
		return sent < 0 ? ENDED : STUCK;
	way->early_sent += (uint32_t)sent;
	if (way->early_sent == way->early_size) {
		free(way->early);
		way->early = NULL;
	}
	return MOVED;
}

static enum step pipe_out(struct pump_thread *thread, struct flow *flow, int from)
{
	struct side *to = &flow->side[!from];
	struct way *way = &flow->way[from];
	ssize_t sent;

	if (!to->writable)
		return STUCK;
	sent = splice(way->pipe.read_fd, NULL, to->fd, NULL, way->in_pipe, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (sent < 0 && errno == EAGAIN) {
		to->writable = false;
		return STUCK;
	}
	if (sent <= 0)
		return failed(thread, flow, !from, sent < 0 ? errno : EIO);
	delivered(thread, flow, from, (size_t)sent);
	way->in_pipe -= (uint32_t)sent;
	if (way->in_pipe == 0)
		cv_pipe_give_back(thread, &way->pipe);
	return MOVED;
}

/* What a read that gave nothing or failed means for the flow. */
static enum step nothing_read(struct pump_thread *thread, struct flow *flow, int from, ssize_t received)
{
	if (received == 0) {
		if (from == PROXY && cv_proxy_is_cut(flow))
			return failed(thread, flow, from, ECONNRESET);
		return forward_end(thread, flow, from);
	}
	if (errno != EAGAIN)
		return failed(thread, flow, from, errno);
	flow->side[from].readable = false;
	return STUCK;
}

/*
 * Small amounts: read and send, two system calls. A short read is the end of what is there (epoll(7)), which saves
 * the third. What the destination does not take goes into a pipe, which has to be at hand before.
 */
static enum step copy_through(struct pump_thread *thread, struct flow *flow, int from)
{
	struct side *source = &flow->side[from];
	struct way *way = &flow->way[from];
	ssize_t received = recv(source->fd, thread->scratch, COPY_BYTES, MSG_DONTWAIT);
	ssize_t sent, rest;

	if (received <= 0)
		return nothing_read(thread, flow, from, received);
	if (received == COPY_BYTES)
		way->fat = true;
	else if (!source->exact)
		source->readable = false;
	sent = deliver(thread, flow, from, thread->scratch, (size_t)received);
	if (sent < 0)
		return ENDED;
	rest = received - sent;
	if (rest == 0)
		return MOVED;
	/* Fits in one piece: the pipe is empty and holds COPY_BYTES at least. */
	if (!cv_pipe_take(thread, &way->pipe))
		return failed(thread, flow, from, ENOBUFS);
	if (write(way->pipe.write_fd, thread->scratch + sent, (size_t)rest) != rest)
		return failed(thread, flow, from, EIO);
	way->in_pipe = (uint32_t)rest;
	return MOVED;
}

/* Without a pipe: only what the destination has taken is taken from the source. */
static enum step peek_through(struct pump_thread *thread, struct flow *flow, int from)
{
	struct side *source = &flow->side[from];
	ssize_t seen = recv(source->fd, thread->scratch, COPY_BYTES, MSG_PEEK | MSG_DONTWAIT);
	ssize_t sent;

	if (seen <= 0)
		return nothing_read(thread, flow, from, seen);
	sent = deliver(thread, flow, from, thread->scratch, (size_t)seen);
	if (sent <= 0)
		return sent < 0 ? ENDED : STUCK;
	if (sent == seen && seen < COPY_BYTES && !source->exact)
		source->readable = false;
	while (sent > 0) {
		/* TCP throws away without copying (tcp(7)); Unix sockets copy, hence the buffer. */
		ssize_t taken = recv(source->fd, thread->scratch, (size_t)sent, MSG_TRUNC | MSG_DONTWAIT);

		if (taken <= 0)
			return failed(thread, flow, from, taken < 0 ? errno : EIO);
		sent -= taken;
	}
	return MOVED;
}

/*
 * What is spliced at once: what the destination has room for, and PIPE_BYTES that may have to wait in the pipe.
 * Spliced pages are counted as what they hold and an sk_buff for some 64 KiB of it, for which 1/16 is set aside
 * (sock(7), SO_MEMINFO; TCP queues, Unix sockets allocate).
 */
static size_t amount_for(int fd)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof memory;
	uint32_t used, buffer;
	size_t room;

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) < 0)
		return PIPE_BYTES;
	buffer = memory[SK_MEMINFO_SNDBUF];
	used = memory[SK_MEMINFO_WMEM_QUEUED];
	if (used < memory[SK_MEMINFO_WMEM_ALLOC])
		used = memory[SK_MEMINFO_WMEM_ALLOC];
	if (used >= buffer)
		return PIPE_BYTES;
	room = (size_t)(buffer - used) / 16 * 15;
	return room < LARGE_PIPE_BYTES - PIPE_BYTES ? PIPE_BYTES + room : LARGE_PIPE_BYTES;
}

/* Large amounts: pages move from the source into the pipe and on, without a copy. */
static enum step splice_through(struct pump_thread *thread, struct flow *flow, int from)
{
	struct side *source = &flow->side[from];
	struct way *way = &flow->way[from];
	ssize_t received;
	int error;

	if (!cv_pipe_take(thread, &way->pipe))
		return peek_through(thread, flow, from);
	received = splice(source->fd, NULL, way->pipe.write_fd, NULL, amount_for(flow->side[!from].fd),
			  SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (received > 0) {
		thread->was_spliced = true;
		way->in_pipe = (uint32_t)received;
		return pipe_out(thread, flow, from);
	}
	error = errno;
	cv_pipe_give_back(thread, &way->pipe);
	if (received < 0 && error == EAGAIN && !source->exact) {
		/* The pipe was empty, so that the source is: splice(2) says EAGAIN for either. */
		source->readable = false;
		way->fat = way->moved > COPY_BYTES;
		return STUCK;
	}
	/*
	 * Before urgent data tcp_splice_read stops, and says EAGAIN or, once the peer has shut down, 0 like at
	 * the end. EINVAL is a socket that cannot be spliced. Reading tells the truth in all three cases.
	 */
	way->fat = false;
	way->spliceless = received < 0 && error == EINVAL;
	if (received < 0 && error != EINVAL && error != EAGAIN)
		return failed(thread, flow, from, error);
	return cv_pipe_at_hand(thread) ? copy_through(thread, flow, from) : peek_through(thread, flow, from);
}

static enum step step(struct pump_thread *thread, struct flow *flow, int from)
{
	struct way *way = &flow->way[from];

	if (way->done)
		return STUCK;
	if (way->early)
		return early_out(thread, flow, from);
	if (way->in_pipe > 0)
		return pipe_out(thread, flow, from);
	if (way->source_ended)
		return forward_end(thread, flow, from);
	if (!flow->side[from].readable || !flow->side[!from].writable)
		return STUCK;
	if (way->fat && !way->spliceless)
		return splice_through(thread, flow, from);
	return cv_pipe_at_hand(thread) ? copy_through(thread, flow, from) : peek_through(thread, flow, from);
}

/* Moves what can be moved, for a bounded time; what is left then waits in the thread's queue. */
void cv_flow_run(struct pump_thread *thread, struct flow *flow)
{
	flow->way[APP].moved = flow->way[PROXY].moved = 0;
	for (int i = 0; i < STEPS_IN_A_RUN; i++) {
		enum step up = step(thread, flow, APP);
		enum step down = up == ENDED ? ENDED : step(thread, flow, PROXY);

		if (down == ENDED)
			return;
		if (up == MOVED || down == MOVED)
			flow->active_ms = thread->now_ms;
		else
			return;
	}
	if (!flow->in_ready) {
		TAILQ_INSERT_TAIL(&thread->ready, flow, ready_link);
		flow->in_ready = true;
		thread->ready_count++;
	}
}

/* The app is gone: the flow ends as soon as what it sent is delivered, now or in a later run. */
void cv_flow_release(struct pump_thread *thread, struct flow *flow)
{
	flow->released = true;
	if (flow->way[APP].done)
		cv_flow_end(thread, flow, CV_END_CLEAN, 0);
	else
		cv_flow_run(thread, flow);
}

/* What epoll says about one side. Failures are left to the calls that meet them: data may lie before them. */
void cv_flow_event(struct flow *flow, int side, uint32_t events)
{
	struct side *one = &flow->side[side];

	if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		one->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		one->writable = true;
	if (events & (EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		one->exact = true;
}

/* Registers a side, edge-triggered, for everything: its present state is told at once. */
int cv_flow_watch(struct pump_thread *thread, struct flow *flow, int side)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.u64 = cv_event_data(flow, side),
	};

	return epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, flow->side[side].fd, &event) < 0 ? -errno : 0;
}

/* Takes a flow over: both sockets are registered once and tried at once. */
void cv_flow_start(struct pump_thread *thread, struct flow *flow)
{
	flow->opened_ms = thread->now_ms;
	for (int i = APP; i <= PROXY; i++) {
		int result = cv_flow_watch(thread, flow, i);

		if (result < 0) {
			failed(thread, flow, i, -result);
			return;
		}
		flow->side[i].readable = flow->side[i].writable = true;
	}
	cv_flow_run(thread, flow);
}

/*
 * Whether a half-closed flow has been silent for so long that it is to end. Bytes that wait for a slow reader, in
 * a pipe or in a socket (SIOCOUTQ: sent and not acknowledged), are not silence: a reset would destroy them.
 */
bool cv_flow_is_silent(const struct pump_thread *thread, struct flow *flow)
{
	if (thread->now_ms - flow->active_ms < CV_HALF_IDLE_SECONDS * 1000)
		return false;
	for (int i = APP; i <= PROXY; i++) {
		int waiting = 0;

		if (flow->way[i].in_pipe > 0 || flow->way[i].early ||
		    (ioctl(flow->side[i].fd, SIOCOUTQ, &waiting) == 0 && waiting > 0)) {
			flow->active_ms = thread->now_ms;
			return false;
		}
	}
	return true;
}
