/*
 * The TCP relay: from an app's connection to "this flow has ended so, after so many bytes".
 *
 * *Does*: accept (pump_accept.c), connect through a SOCKS5 proxy where Node says so (pump_dial.c), and move bytes
 * between the two sockets (pump_flow.c). *Must not*: look at an app's byte, decide anything, try a second way, or
 * turn a failure into a clean end.
 *
 * Theory of operation
 *
 * Threads. Each has its own epoll instance and its own flows; a flow stays on the thread that it was given to,
 * the one with the fewest, so that nothing on the data path is shared and no lock is taken there. Node's thread
 * reaches a pump thread through its mailbox (a list under a short lock, and an eventfd): new flows and aborts.
 * A pump thread reaches Node through the list of news (pump_slot.c) and a doorbell (internal.h). Only an accepted
 * flow rings it at once; the rest waits a little, since mostly another flow comes and it is all collected together.
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
 * the end is clean. In every other case both sides are reset. SO_LINGER {1, 0} is on from the first moment, which
 * accepted sockets have from their listener, until the clean end, so that the kernel does the same when this process
 * is killed: a half download never looks complete. Unix sockets have no resets: of the one that Node may have given
 * as the proxy's side, an end of file counts only while its other end is open (cv_proxy_is_cut).
 *
 * Slots. A flow's slot goes FREE → HELD (accepted; Node decides) → LIVE (cv_pump_dial, cv_pump_join; cv_pump_add
 * begins here) → ENDED (its thread) → FREE (cv_pump_reap). A HELD flow belongs to no thread. A thread
 * publishes ENDED only when it has no event and no letter left that means the flow; after that it does not touch the
 * slot, and the slot may be given to another thread.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pump.h"

#define EVENTS_AT_ONCE 128
#define HALF_CHECK_MS (CV_HALF_IDLE_SECONDS > 10 ? 1000 : 100)

static struct pump_thread threads[THREADS_MAX];
static int thread_count;

/* Puts a flow into its thread's mailbox; the lock is held. Answers whether cv_mail_wake is to be called after it. */
bool cv_mail_put(struct pump_thread *thread, struct flow *flow)
{
	bool was_empty = STAILQ_EMPTY(&thread->mail);

	if (flow->in_mail)
		return false;
	flow->in_mail = true;
	STAILQ_INSERT_TAIL(&thread->mail, flow, mail_link);
	return was_empty;
}

/* Wakes a thread for its mail; without the lock, or it would wake only to wait for that. */
void cv_mail_wake(struct pump_thread *thread)
{
	uint64_t one = 1;

	/* Cannot fail: the counter is reset by each reading and far from 2^64 (eventfd(2)). */
	if (write(thread->mail_fd, &one, sizeof one) < 0)
		return;
}

/* What is asked of a flow by its letters; they merge. */
struct letter {
	bool abort;
	bool release;
	int app_error;
};

static struct flow *mail_take(struct pump_thread *thread, struct letter *letter)
{
	struct flow *flow;

	pthread_mutex_lock(&thread->mail_lock);
	flow = STAILQ_FIRST(&thread->mail);
	if (flow) {
		STAILQ_REMOVE_HEAD(&thread->mail, mail_link);
		flow->in_mail = false;
		*letter = (struct letter){.abort = flow->abort_asked, .release = flow->release_asked,
		                          .app_error = flow->app_error};
	}
	pthread_mutex_unlock(&thread->mail_lock);
	return flow;
}

static void end_early(struct pump_thread *thread, struct flow *flow, uint32_t reason, int error)
{
	if (flow->dial)
		cv_dial_over(thread, flow, reason, error);
	else
		cv_flow_end(thread, flow, reason, error);
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
			end_early(thread, flow, CV_END_ABORTED, 0);
			continue;
		}
		if (!flow->started) {
			flow->started = true;
			if (letter.app_error)
				end_early(thread, flow, CV_END_APP_RESET, letter.app_error);
			else if (flow->dial)
				cv_dial_start(thread, flow);
			else if (cv_proxy_is_cut(flow))
				cv_flow_end(thread, flow, CV_END_PROXY_RESET, ECONNRESET);
			else
				cv_flow_start(thread, flow);
		}
		if (!letter.release || flow->reason)
			continue;
		/* What the app has sent waits until the flow is open. */
		if (flow->dial)
			flow->released = true;
		else
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
	cv_news_ended(&thread->ended);
	cv_ring_soon(thread);
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

/* Wakes Node, within NEWS_MS: by then it has often collected the news together with those of an accepted flow. */
void cv_ring_soon(struct pump_thread *thread)
{
	if (thread->ring_due_ms == 0)
		thread->ring_due_ms = thread->now_ms + NEWS_MS;
}

static void ring_check(struct pump_thread *thread)
{
	if (thread->ring_due_ms == 0 || thread->now_ms < thread->ring_due_ms)
		return;
	thread->ring_due_ms = 0;
	if (cv_news_waits())
		cv_ring(CV_RING_PUMP);
}

/*
 * With more programs at work than processors, a thread that goes on as soon as anything has come moves little at a
 * time, and what a turn costs goes by turns. Those that fill and empty its sockets go first (sched_yield(2)), with
 * a quarter more for ten streams. It costs nothing where nobody waits for a processor.
 */
static void let_others_work(struct pump_thread *thread)
{
	if (!thread->was_spliced)
		return;
	thread->was_spliced = false;
	cv_wait_asleep(&thread->wait);
	(void)sched_yield();
}

static int64_t sooner(int64_t one, int64_t other)
{
	return other != 0 && other < one ? other : one;
}

/* Milliseconds that the thread may sleep; -1: until an event. */
static int patience(const struct pump_thread *thread)
{
	const struct dial *dial = TAILQ_FIRST(&thread->dials);
	int64_t until = INT64_MAX;

	if (thread->ready_count)
		return 0;
	until = sooner(until, TAILQ_EMPTY(&thread->half) ? 0 : thread->now_ms + HALF_CHECK_MS);
	until = sooner(until, dial ? dial->deadline_ms : 0);
	until = sooner(until, thread->ring_due_ms);
	until = sooner(until, thread->accept_due_ms);
	if (until == INT64_MAX)
		return -1;
	return until > thread->now_ms ? (int)(until - thread->now_ms) : 0;
}

static void flow_event(struct pump_thread *thread, const struct epoll_event *event)
{
	struct flow *flow = cv_flow_at(event->data.u64);
	int side = event->data.u64 & 1;

	if (flow->reason)
		return;
	if (flow->dial) {
		cv_dial_event(thread, flow, side, event->events);
		return;
	}
	if (side == PROXY && event->events & EPOLLHUP && cv_proxy_is_cut(flow)) {
		cv_flow_end(thread, flow, CV_END_PROXY_RESET, ECONNRESET);
		return;
	}
	cv_flow_event(flow, side, event->events);
	cv_flow_run(thread, flow);
}

static void *pump_run(void *argument)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	struct pump_thread *thread = argument;

	for (;;) {
		int count;

		let_others_work(thread);
		count = cv_wait(&thread->wait, thread->epoll_fd, events, EVENTS_AT_ONCE, patience(thread));
		thread->now_ms = cv_monotonic_ms();
		/* New flows first: an app and Node wait for each step of theirs. */
		for (int i = 0; i < count; i++) {
			uint64_t data = events[i].data.u64;

			if (data == MAIL)
				mail_read(thread);
			else if (data & LISTENER)
				cv_accept(thread, (uint32_t)data);
		}
		ready_run(thread);
		for (int i = 0; i < count; i++)
			if (!(events[i].data.u64 & LISTENER))
				flow_event(thread, &events[i]);
		cv_accept_again(thread);
		cv_dial_expire(thread);
		half_check(thread);
		ended_publish(thread);
		ring_check(thread);
	}
	return NULL;
}

static int thread_open(struct pump_thread *thread, int pipe_limit, int large_pipe_limit)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = MAIL};

	pthread_mutex_init(&thread->mail_lock, NULL);
	STAILQ_INIT(&thread->mail);
	STAILQ_INIT(&thread->ended);
	TAILQ_INIT(&thread->ready);
	TAILQ_INIT(&thread->half);
	TAILQ_INIT(&thread->dials);
	thread->pipe_limit = pipe_limit;
	thread->large_pipe_limit = large_pipe_limit;
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
	int result;

	if (wanted_threads < 1 || wanted_threads > THREADS_MAX)
		return -EINVAL;
	result = cv_slots_open(wanted_flows);
	for (int i = 0; result >= 0 && i < wanted_threads; i++) {
		result = thread_open(&threads[i], pipe_limit_of(wanted_threads), LARGE_PIPES_MAX / wanted_threads);
		if (result >= 0)
			thread_count++;
	}
	return result;
}

/* The thread for a new flow; NULL before the start. */
struct pump_thread *cv_thread_with_fewest(void)
{
	struct pump_thread *best = thread_count ? &threads[0] : NULL;

	for (int i = 1; i < thread_count; i++)
		if (atomic_load(&threads[i].load) < atomic_load(&best->load))
			best = &threads[i];
	return best;
}
