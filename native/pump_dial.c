/*
 * The proxy's side of a flow from nothing to open, on the flow's thread: connect(2), then SOCKS5.
 *
 * *Does*: the dialogue of RFC 1928, CONNECT only, with the sign-in of RFC 1929 when there is one; one deadline for
 * all of it. *Must not*: block, allocate, read a byte behind the proxy's yes, try again, or put a failure into
 * words: which byte said no is all that is told.
 *
 * Theory of operation
 *
 * The proxy's socket is registered like every socket of a flow, once and edge-triggered, as soon as it is connecting;
 * it stays so when the flow is open. Each event, whichever it is, runs the dialogue on: send what is to be sent, read
 * what is awaited, judge it, until a call answers EAGAIN. The first send that succeeds is also the proof of the
 * connection: before, it answers EAGAIN, or fails with what kept the connection from coming about.
 *
 * Answers are read to their length and not further, so that what the destination says at once stays in the socket
 * and the flow begins like any other. Before the last answer nothing may follow; there one byte more than the answer
 * is asked for, and its coming is a failure. An answer is judged as far as it goes: a no needs no further byte.
 *
 * The app's socket is registered at the start, too. Its bytes and its end of file wait in it until the flow is open,
 * as if the proxy were far away; only its reset ends the dial.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pump.h"

#define NO_SIGN_IN 0
#define WITH_SIGN_IN 2
#define IPV4 1
#define NAME 3
#define IPV6 4

enum verdict {
	SO_FAR_GOOD,
	WHOLE,
	NO,
};

static const unsigned char greeting_plain[] = {5, 1, NO_SIGN_IN};
static const unsigned char greeting_sign_in[] = {5, 2, NO_SIGN_IN, WITH_SIGN_IN};

/* Takes a dial out of its thread's list; its room is given back when the outcome is told. */
void cv_dial_forget(struct pump_thread *thread, struct flow *flow)
{
	if (flow->dial->listed)
		TAILQ_REMOVE(&thread->dials, flow->dial, link);
	flow->dial->listed = false;
}

/* From now on Node does not look at the app's socket. Returns the error that it has met there (cv_pump_peek), or 0. */
static int dial_hide(struct pump_thread *thread, struct flow *flow)
{
	int error;

	pthread_mutex_lock(&thread->mail_lock);
	flow->is_dialled = false;
	error = flow->app_error;
	pthread_mutex_unlock(&thread->mail_lock);
	return error;
}

/* Ends a flow that is being dialled. */
void cv_dial_over(struct pump_thread *thread, struct flow *flow, uint32_t reason, int error)
{
	(void)dial_hide(thread, flow);
	cv_flow_end(thread, flow, reason, error);
}

/* Nearly always at the end, since nearly all have the same time. */
static void deadline_set(struct pump_thread *thread, struct dial *dial)
{
	struct dial *before = TAILQ_LAST(&thread->dials, dial_list);

	while (before && before->deadline_ms > dial->deadline_ms)
		before = TAILQ_PREV(before, dial_list, link);
	if (before)
		TAILQ_INSERT_AFTER(&thread->dials, before, dial, link);
	else
		TAILQ_INSERT_HEAD(&thread->dials, dial, link);
	dial->listed = true;
}

void cv_dial_expire(struct pump_thread *thread)
{
	struct dial *dial;

	while ((dial = TAILQ_FIRST(&thread->dials)) && dial->deadline_ms <= thread->now_ms)
		cv_dial_over(thread, dial->flow, CV_END_DIAL_LATE, 0);
}

static void say(struct flow *flow, const unsigned char *bytes, uint32_t size, uint32_t answer)
{
	flow->dial->out = bytes;
	flow->dial->out_left = size;
	flow->dial->have = 0;
	flow->dial->need = answer;
}

/* Byte `at` of the answer must be what the verdict says; remembers it for the failure. */
static enum verdict no_at(struct flow *flow, uint8_t at)
{
	flow->answer_at = at;
	flow->answer_value = at < flow->dial->have ? flow->dial->answer[at] : 0;
	return NO;
}

static enum verdict whole_if_enough(struct flow *flow)
{
	struct dial *dial = flow->dial;

	if (dial->have > dial->need)
		return no_at(flow, CV_DIAL_SURPLUS);
	return dial->have == dial->need ? WHOLE : SO_FAR_GOOD;
}

static enum verdict judge_greeting(struct flow *flow)
{
	const struct dial *dial = flow->dial;

	if (dial->answer[0] != 5)
		return no_at(flow, 0);
	if (dial->have > 1 && dial->answer[1] != NO_SIGN_IN &&
	    (dial->answer[1] != WITH_SIGN_IN || dial->route.sign_in_size == 0))
		return no_at(flow, 1);
	return whole_if_enough(flow);
}

/* RFC 1929 numbers its own version; proxies that repeat the 5 there are known, and do no harm. */
static enum verdict judge_sign_in(struct flow *flow)
{
	if (flow->dial->have > 1 && flow->dial->answer[1] != 0)
		return no_at(flow, 1);
	return whole_if_enough(flow);
}

/* The address that the proxy uses is of no interest, its length is (RFC 1928 section 6). */
static enum verdict judge_reply(struct flow *flow)
{
	struct dial *dial = flow->dial;

	if (dial->answer[0] != 5)
		return no_at(flow, 0);
	if (dial->have > 1 && dial->answer[1] != 0)
		return no_at(flow, 1);
	if (dial->have > 3 && dial->answer[3] != IPV4 && dial->answer[3] != NAME && dial->answer[3] != IPV6)
		return no_at(flow, 3);
	if (dial->have == 5 && dial->need == 5)
		dial->need = 4 + 2 + (dial->answer[3] == IPV4 ? 4 : dial->answer[3] == IPV6 ? 16 : 1 + dial->answer[4]);
	return whole_if_enough(flow);
}

static enum verdict judge(struct flow *flow)
{
	switch (flow->dial_stage) {
	case CV_DIAL_GREETING:
		return judge_greeting(flow);
	case CV_DIAL_SIGN_IN:
		return judge_sign_in(flow);
	default:
		return judge_reply(flow);
	}
}

/* Goes on to the next message. Returns whether there is one. */
static bool next_stage(struct flow *flow)
{
	struct dial *dial = flow->dial;

	if (flow->dial_stage == CV_DIAL_REQUEST)
		return false;
	if (flow->dial_stage == CV_DIAL_GREETING && dial->answer[1] == WITH_SIGN_IN) {
		flow->dial_stage = CV_DIAL_SIGN_IN;
		say(flow, dial->route.sign_in, dial->route.sign_in_size, 2);
	} else {
		flow->dial_stage = CV_DIAL_REQUEST;
		say(flow, dial->route.request, dial->route.request_size, 5);
	}
	return true;
}

/* The flow goes on as one that has both its sides; what is readable by now shows when it is tried. */
static void dial_opened(struct pump_thread *thread, struct flow *flow)
{
	int app_error;

	flow->dial_ms = (uint32_t)(thread->now_ms > flow->dial->began_ms ? thread->now_ms - flow->dial->began_ms : 0);
	flow->opened_ms = thread->now_ms;
	app_error = dial_hide(thread, flow);
	if (app_error) {
		cv_flow_end(thread, flow, CV_END_APP_RESET, app_error);
		return;
	}
	cv_dial_forget(thread, flow);
	cv_news_opened(flow);
	flow->side[PROXY].readable = flow->side[PROXY].writable = true;
	cv_flow_run(thread, flow);
}

/* Sends what is left of the present message. False: not all, or the flow has ended. */
static bool dial_send(struct pump_thread *thread, struct flow *flow)
{
	struct dial *dial = flow->dial;

	while (dial->out_left > 0) {
		ssize_t sent = send(flow->side[PROXY].fd, dial->out, dial->out_left, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0) {
			if (errno != EAGAIN)
				cv_dial_over(thread, flow,
				            flow->dial_stage == CV_DIAL_CONNECTING ? CV_END_UNREACHABLE : CV_END_DIAL_CLOSED,
				            errno);
			return false;
		}
		dial->out += sent;
		dial->out_left -= (uint32_t)sent;
		if (flow->dial_stage == CV_DIAL_CONNECTING)
			flow->dial_stage = CV_DIAL_GREETING;
	}
	return true;
}

/* Reads on in the present answer and judges it. SO_FAR_GOOD: nothing more is there. NO: the flow has ended. */
static enum verdict dial_read(struct pump_thread *thread, struct flow *flow)
{
	struct dial *dial = flow->dial;
	enum verdict verdict = SO_FAR_GOOD;

	while (verdict == SO_FAR_GOOD) {
		uint32_t wanted = dial->need - dial->have + (flow->dial_stage != CV_DIAL_REQUEST);
		ssize_t received = recv(flow->side[PROXY].fd, dial->answer + dial->have, wanted, MSG_DONTWAIT);

		if (received < 0 && errno == EAGAIN)
			return SO_FAR_GOOD;
		if (received <= 0) {
			cv_dial_over(thread, flow, CV_END_DIAL_CLOSED, received < 0 ? errno : 0);
			return NO;
		}
		dial->have += (uint32_t)received;
		verdict = judge(flow);
	}
	if (verdict == NO)
		cv_dial_over(thread, flow, CV_END_DIAL_ANSWER, 0);
	return verdict;
}

static void dial_run(struct pump_thread *thread, struct flow *flow)
{
	while (dial_send(thread, flow)) {
		if (dial_read(thread, flow) != WHOLE)
			return;
		if (!next_stage(flow)) {
			dial_opened(thread, flow);
			return;
		}
	}
}

static bool is_on_this_computer(const struct route *route)
{
	if (route->proxy.any.sa_family == AF_INET)
		return ntohl(route->proxy.four.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&route->proxy.six.sin6_addr);
}

/*
 * Loopback loses nothing, and pacing, which the host's congestion control may do (bbr), only costs a timer for each
 * packet there. To be said before connect: a socket that has begun to pace goes on with it.
 */
static void do_not_pace(int fd)
{
	static const char reno[] = "reno";

	(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, reno, sizeof reno - 1);
}

/* Makes the proxy's socket and connects it. Returns 0 or a negative errno value. */
static int proxy_connect(struct flow *flow)
{
	const struct dial *dial = flow->dial;
	int family = dial->route.proxy.any.sa_family;
	socklen_t size = family == AF_INET ? sizeof dial->route.proxy.four : sizeof dial->route.proxy.six;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int result;

	if (fd < 0)
		return -errno;
	flow->side[PROXY].fd = fd;
	if (is_on_this_computer(&dial->route))
		do_not_pace(fd);
	result = cv_socket_options(fd);
	if (result == 0 && dial->route.device[0])
		result = cv_bind_to_device(fd, dial->route.device);
	if (result == 0 && connect(fd, &dial->route.proxy.any, size) < 0 && errno != EINPROGRESS)
		result = -errno;
	return result;
}

/* Takes over an accepted flow that is to be dialled. */
void cv_dial_start(struct pump_thread *thread, struct flow *flow)
{
	struct dial *dial = flow->dial;
	int result = cv_flow_watch(thread, flow, APP);

	deadline_set(thread, dial);
	if (result < 0) {
		cv_dial_over(thread, flow, CV_END_APP_RESET, -result);
		return;
	}
	result = proxy_connect(flow);
	if (result == 0)
		result = cv_flow_watch(thread, flow, PROXY);
	if (result < 0) {
		cv_dial_over(thread, flow, CV_END_UNREACHABLE, -result);
		return;
	}
	if (dial->route.sign_in_size > 0)
		say(flow, greeting_sign_in, sizeof greeting_sign_in, 2);
	else
		say(flow, greeting_plain, sizeof greeting_plain, 2);
	/* Over loopback the connection is there at once. */
	dial_run(thread, flow);
	if (!flow->reason)
		cv_socket_keep_alive(flow->side[PROXY].fd);
}

/* Marks of the proxy's side are kept as well: an announced end must be known when the flow is open. */
void cv_dial_event(struct pump_thread *thread, struct flow *flow, int side, uint32_t events)
{
	cv_flow_event(flow, side, events);
	if (side == PROXY) {
		dial_run(thread, flow);
	} else if (events & (EPOLLERR | EPOLLHUP)) {
		int error = 0;
		socklen_t size = sizeof error;

		(void)getsockopt(flow->side[APP].fd, SOL_SOCKET, SO_ERROR, &error, &size);
		cv_dial_over(thread, flow, CV_END_APP_RESET, error);
	}
}
