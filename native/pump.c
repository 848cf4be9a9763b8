/*
 * The TCP relay: bytes between an app's socket and a proxy's socket.
 *
 * *Does*: everything between "two connected sockets" and "this flow has ended so, after so many bytes".
 * *Must not*: look at a byte, open a connection, decide anything, or turn a failure into a clean end.
 *
 * Theory of operation
 *
 * Threads. Each has its own epoll instance and its own flows; a flow stays on the thread that it was given to,
 * the one with the fewest, so that nothing on the data path is shared and no lock is taken there. Node's thread
 * reaches a pump thread through its mailbox (a list under a short lock, and an eventfd): new flows and aborts.
 * A pump thread reaches Node through the list of ended flows and a doorbell (internal.h).
 *
 * Events. Both sockets of a flow are registered once, edge-triggered, for everything. An event only sets marks
 * (readable, writable); the calls that answer EAGAIN take them off. Thus nothing is ever re-registered, a hang-up
 * cannot spin, and what a flow does next is a function of its marks and of what lies in its pipes.
 *
 * Bytes. In each direction at most one of three ways is used, chosen anew whenever the pipe is empty:
 *   copy    read up to COPY_BYTES into the thread's buffer, send. Quickest for round trips. What is not taken
 *           goes into a pipe.
 *   splice  source → pipe → destination, without a copy, as soon as a copy came back full.
 *   peek    when no pipe is to be had: look, send, then take as much as was sent. Slower, but a flow needs
 *           nothing but its two sockets, so that none can starve.
 * Nothing is read unless the destination could take something: a stopped reader holds one pipe of at most
 * PIPE_BYTES, and the rest is the business of TCP's windows. Pipes belong to the thread and are taken only while
 * bytes are in them. A run of one flow is bounded; if more is left, the flow goes to the end of the queue.
 *
 * Ends. An end of file is forwarded (SHUT_WR) when everything before it has been delivered. When both have been,
 * the end is clean. In every other case both sides are reset. SO_LINGER {1, 0} is on from cv_pump_add until the
 * clean end, so that the kernel does the same when this process is killed: a half download never looks complete.
 *
 * Slots. A flow's slot goes FREE → LIVE (cv_pump_add) → ENDED (its thread) → FREE (cv_pump_reap). The thread
 * publishes ENDED only when it has no event and no letter left that means the flow; after that it does not touch
 * the slot, and the slot may be given to another thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pump.h"

#define EVENTS_AT_ONCE 128
#define EARLY_MAX (64 * 1024)
#define FLOWS_MAX (1 << 20)
#define HALF_CHECK_MS (CV_HALF_IDLE_SECONDS > 10 ? 1000 : 100)
#define KEEPALIVE_SECONDS 60
/* epoll data of the mailbox; flows have twice their number, plus one for the proxy's side. */
#define MAIL UINT64_MAX

static struct pump_thread threads[THREADS_MAX];
static int thread_count;
static struct flow *flows;
static int flow_count;
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;
static struct flow_list free_slots = STAILQ_HEAD_INITIALIZER(free_slots);
static struct flow_list ended_slots = STAILQ_HEAD_INITIALIZER(ended_slots);

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t event_data(const struct flow *flow, int side)
{
	return (uint64_t)(flow - flows) * 2 + (uint64_t)side;
}

/* Puts a flow into its thread's mailbox; the lock is held. Wakes the thread if the box was empty. */
static void mail_put(struct pump_thread *thread, struct flow *flow)
{
	uint64_t one = 1;
	bool was_empty = STAILQ_EMPTY(&thread->mail);

	if (flow->in_mail)
		return;
	flow->in_mail = true;
	STAILQ_INSERT_TAIL(&thread->mail, flow, mail_link);
	/* Cannot fail: the counter is reset by each reading and far from 2^64 (eventfd(2)). */
	if (was_empty && write(thread->mail_fd, &one, sizeof one) < 0)
		return;
}

/* What is asked of a flow by its letters; they merge. */
struct letter {
	bool abort;
	bool release;
};

static struct flow *mail_take(struct pump_thread *thread, struct letter *letter)
{
	struct flow *flow;

	pthread_mutex_lock(&thread->mail_lock);
	flow = STAILQ_FIRST(&thread->mail);
	if (flow) {
		STAILQ_REMOVE_HEAD(&thread->mail, mail_link);
		flow->in_mail = false;
		*letter = (struct letter){.abort = flow->abort_asked, .release = flow->release_asked};
	}
	pthread_mutex_unlock(&thread->mail_lock);
	return flow;
}

static void mail_read(struct pump_thread *thread)
{
	struct flow *flow;
	uint64_t count;
	struct letter letter;

	/* EAGAIN: somebody else's wake-up was merged. The box is looked into in any case. */
	if (read(thread->mail_fd, &count, sizeof count) < 0 && errno != EAGAIN)
		return;
	while ((flow = mail_take(thread, &letter))) {
		if (flow->reason)
			continue;
		if (letter.abort) {
			cv_flow_end(thread, flow, CV_END_ABORTED, 0);
			continue;
		}
		if (!flow->started) {
			flow->started = true;
			cv_flow_start(thread, flow, event_data(flow, APP), event_data(flow, PROXY));
		}
		if (letter.release && !flow->reason)
			cv_flow_release(thread, flow);
	}
}

/* Gives the flows that ended since the last time to cv_pump_reap. */
static void ended_publish(struct pump_thread *thread)
{
	struct flow *flow;
	int count = 0;

	if (STAILQ_EMPTY(&thread->ended))
		return;
	pthread_mutex_lock(&thread->mail_lock);
	STAILQ_FOREACH(flow, &thread->ended, ended_link)
	{
		if (flow->in_mail)
			STAILQ_REMOVE(&thread->mail, flow, flow, mail_link);
		flow->in_mail = false;
		atomic_store(&flow->state, FLOW_ENDED);
		count++;
	}
	pthread_mutex_unlock(&thread->mail_lock);
	atomic_fetch_sub(&thread->load, count);
	pthread_mutex_lock(&slots_lock);
	STAILQ_CONCAT(&ended_slots, &thread->ended);
	pthread_mutex_unlock(&slots_lock);
	cv_ring(CV_RING_PUMP);
}

/* Runs each flow that had not done everything, once; those that put themselves back wait for the next time. */
static void ready_run(struct pump_thread *thread)
{
	for (int left = thread->ready_count; left > 0 && thread->ready_count > 0; left--) {
		struct flow *flow = TAILQ_FIRST(&thread->ready);

		TAILQ_REMOVE(&thread->ready, flow, ready_link);
		flow->in_ready = false;
		thread->ready_count--;
		cv_flow_run(thread, flow);
	}
}

static void half_check(struct pump_thread *thread)
{
	struct flow *next;

	if (thread->now_ms - thread->half_checked_ms < HALF_CHECK_MS)
		return;
	thread->half_checked_ms = thread->now_ms;
	for (struct flow *flow = TAILQ_FIRST(&thread->half); flow; flow = next) {
		next = TAILQ_NEXT(flow, half_link);
		if (cv_flow_is_silent(thread, flow))
			cv_flow_end(thread, flow, CV_END_HALF_IDLE, 0);
	}
}

static void *pump_run(void *argument)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	struct pump_thread *thread = argument;

	for (;;) {
		int patience = thread->ready_count ? 0 : TAILQ_EMPTY(&thread->half) ? -1 : HALF_CHECK_MS;
		int count = epoll_wait(thread->epoll_fd, events, EVENTS_AT_ONCE, patience);
		bool has_mail = false;

		thread->now_ms = monotonic_ms();
		ready_run(thread);
		for (int i = 0; i < count; i++) {
			uint64_t data = events[i].data.u64;
			struct flow *flow = &flows[data / 2];

			if (data == MAIL) {
				has_mail = true;
			} else if (!flow->reason) {
				cv_flow_event(flow, data & 1, events[i].events);
				cv_flow_run(thread, flow);
			}
		}
		if (has_mail)
			mail_read(thread);
		half_check(thread);
		ended_publish(thread);
	}
	return NULL;
}

static int thread_open(struct pump_thread *thread, int pipe_limit)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = MAIL};

	pthread_mutex_init(&thread->mail_lock, NULL);
	STAILQ_INIT(&thread->mail);
	STAILQ_INIT(&thread->ended);
	TAILQ_INIT(&thread->ready);
	TAILQ_INIT(&thread->half);
	thread->pipe_limit = pipe_limit;
	thread->scratch = malloc(COPY_BYTES);
	thread->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	thread->mail_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!thread->scratch)
		return -ENOMEM;
	if (thread->epoll_fd < 0 || thread->mail_fd < 0 ||
	    epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, thread->mail_fd, &event) < 0)
		return -errno;
	return cv_thread_start("culvert-pump", pump_run, thread);
}

/* Pipes of one thread: at most a quarter of the descriptors of the process for all of them. */
static int pipe_limit_of(int wanted_threads)
{
	struct rlimit files;
	rlim_t all = PIPES_MAX;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur / 8 < all)
		all = files.rlim_cur / 8;
	all /= (rlim_t)wanted_threads;
	return all > 1 ? (int)all : 1;
}

/*
 * Starts the threads. -EALREADY the second time; a failure is final, since a thread that runs cannot be taken
 * back: the process is to end.
 */
int cv_pump_start(int wanted_threads, int wanted_flows)
{
	size_t size = sizeof(struct flow) * (size_t)wanted_flows;
	void *slab;

	if (wanted_threads < 1 || wanted_threads > THREADS_MAX || wanted_flows < 1 || wanted_flows > FLOWS_MAX)
		return -EINVAL;
	if (flows)
		return -EALREADY;
	slab = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (slab == MAP_FAILED)
		return -errno;
	flows = slab;
	flow_count = wanted_flows;
	for (int i = 0; i < wanted_flows; i++)
		STAILQ_INSERT_TAIL(&free_slots, &flows[i], ended_link);
	for (int i = 0; i < wanted_threads; i++) {
		int result = thread_open(&threads[i], pipe_limit_of(wanted_threads));

		if (result < 0)
			return result;
		thread_count++;
	}
	return 0;
}

/* A duplicate of a socket with the options that it has in a flow. */
static int socket_adopt(int fd, int side)
{
	static const struct linger resetting = {.l_onoff = 1, .l_linger = 0};
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int flags = copy < 0 ? -1 : fcntl(copy, F_GETFL);

	if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(copy, F_SETFL, flags | O_NONBLOCK) < 0) ||
	    setsockopt(copy, SOL_SOCKET, SO_LINGER, &resetting, sizeof resetting) < 0) {
		int error = errno;

		if (copy >= 0)
			close(copy);
		return -error;
	}
	/* Not for Unix sockets, which refuse them. Urgent bytes stay in the stream instead of getting lost. */
	(void)setsockopt(copy, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	(void)setsockopt(copy, SOL_SOCKET, SO_OOBINLINE, &(int){1}, sizeof(int));
	if (side == PROXY) {
		(void)setsockopt(copy, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
		(void)setsockopt(copy, IPPROTO_TCP, TCP_KEEPIDLE, &(int){KEEPALIVE_SECONDS}, sizeof(int));
		(void)setsockopt(copy, IPPROTO_TCP, TCP_KEEPINTVL, &(int){KEEPALIVE_SECONDS / 4}, sizeof(int));
		(void)setsockopt(copy, IPPROTO_TCP, TCP_KEEPCNT, &(int){4}, sizeof(int));
	}
	return copy;
}

static int early_keep(struct way *way, const void *bytes, uint32_t size)
{
	if (size == 0)
		return 0;
	way->early = malloc(size);
	if (!way->early)
		return -ENOMEM;
	memcpy(way->early, bytes, size);
	way->early_size = size;
	return 0;
}

static struct flow *slot_take(void)
{
	struct flow *flow;

	pthread_mutex_lock(&slots_lock);
	flow = STAILQ_FIRST(&free_slots);
	if (flow)
		STAILQ_REMOVE_HEAD(&free_slots, ended_link);
	pthread_mutex_unlock(&slots_lock);
	return flow;
}

/* The slot is free again; the lock is held. The least recently used is given out first. */
static void slot_free(struct flow *flow)
{
	memset(flow, 0, sizeof *flow);
	STAILQ_INSERT_TAIL(&free_slots, flow, ended_link);
}

static int slot_fill(struct flow *flow, const int fds[2], const void *const early[2], const uint32_t sizes[2])
{
	for (int i = APP; i <= PROXY; i++) {
		flow->side[i].fd = -1;
		flow->way[i].pipe.read_fd = flow->way[i].pipe.write_fd = -1;
	}
	for (int i = APP; i <= PROXY; i++) {
		int result = early_keep(&flow->way[i], early[i], sizes[i]);

		if (result == 0)
			result = flow->side[i].fd = socket_adopt(fds[i], i);
		if (result < 0)
			return result;
	}
	return 0;
}

static struct pump_thread *thread_with_fewest(void)
{
	struct pump_thread *best = &threads[0];

	for (int i = 1; i < thread_count; i++)
		if (atomic_load(&threads[i].load) < atomic_load(&best->load))
			best = &threads[i];
	return best;
}

/*
 * See culvert.h. Early bytes are counted like all others, when they are delivered. -ENOSPC when every slot is
 * taken; after any failure the sockets are still the caller's alone, though SO_LINGER may be set.
 */
int cv_pump_add(int app, int proxy, const void *to_app, uint32_t to_app_size, const void *to_proxy,
                uint32_t to_proxy_size)
{
	const void *const early[2] = {[APP] = to_proxy, [PROXY] = to_app};
	const uint32_t sizes[2] = {[APP] = to_proxy_size, [PROXY] = to_app_size};
	const int fds[2] = {[APP] = app, [PROXY] = proxy};
	struct flow *flow;
	int result;

	if (thread_count == 0)
		return -ENOTCONN;
	if (to_app_size > EARLY_MAX || to_proxy_size > EARLY_MAX)
		return -EMSGSIZE;
	flow = slot_take();
	if (!flow)
		return -ENOSPC;
	result = slot_fill(flow, fds, early, sizes);
	if (result < 0) {
		for (int i = APP; i <= PROXY; i++) {
			if (flow->side[i].fd >= 0)
				close(flow->side[i].fd);
			free(flow->way[i].early);
		}
		pthread_mutex_lock(&slots_lock);
		slot_free(flow);
		pthread_mutex_unlock(&slots_lock);
		return result;
	}
	flow->thread = thread_with_fewest();
	atomic_fetch_add(&flow->thread->load, 1);
	result = (int)(flow - flows);
	pthread_mutex_lock(&flow->thread->mail_lock);
	atomic_store(&flow->state, FLOW_LIVE);
	mail_put(flow->thread, flow);
	pthread_mutex_unlock(&flow->thread->mail_lock);
	return result;
}

/* Writes to a flow's thread. 0 also when the flow has just ended; -ENOENT when the slot is free. */
static int flow_tell(int flow, bool is_abort)
{
	struct flow *one = &flows[flow < 0 || flow >= flow_count ? 0 : flow];

	if (flow < 0 || flow >= flow_count)
		return -EINVAL;
	if (atomic_load(&one->state) == FLOW_FREE)
		return -ENOENT;
	pthread_mutex_lock(&one->thread->mail_lock);
	if (atomic_load(&one->state) == FLOW_LIVE) {
		one->abort_asked |= is_abort;
		one->release_asked |= !is_abort;
		mail_put(one->thread, one);
	}
	pthread_mutex_unlock(&one->thread->mail_lock);
	return 0;
}

int cv_pump_abort(int flow)
{
	return flow_tell(flow, true);
}

int cv_pump_release(int flow)
{
	return flow_tell(flow, false);
}

int cv_pump_counters(int first, int count, uint64_t *out)
{
	if (first < 0 || count < 0 || count > flow_count || first > flow_count - count)
		return -EINVAL;
	for (int i = 0; i < count; i++) {
		struct flow *flow = &flows[first + i];

		out[2 * i] = atomic_load_explicit(&flow->way[APP].bytes, memory_order_relaxed);
		out[2 * i + 1] = atomic_load_explicit(&flow->way[PROXY].bytes, memory_order_relaxed);
	}
	return 0;
}

/* Takes up to max ended flows; when more are left, the doorbell rings again. */
int cv_pump_reap(struct cv_ended *out, int max)
{
	struct flow *flow;
	bool has_more;
	int count = 0;

	cv_ring_clear(CV_RING_PUMP);
	pthread_mutex_lock(&slots_lock);
	while (count < max && (flow = STAILQ_FIRST(&ended_slots))) {
		STAILQ_REMOVE_HEAD(&ended_slots, ended_link);
		out[count++] = (struct cv_ended){
			.flow = (uint32_t)(flow - flows),
			.reason = flow->reason,
			.error = flow->error,
			.bytes_up = atomic_load_explicit(&flow->way[APP].bytes, memory_order_relaxed),
			.bytes_down = atomic_load_explicit(&flow->way[PROXY].bytes, memory_order_relaxed),
		};
		slot_free(flow);
	}
	has_more = !STAILQ_EMPTY(&ended_slots);
	pthread_mutex_unlock(&slots_lock);
	if (has_more)
		cv_ring(CV_RING_PUMP);
	return count;
}
