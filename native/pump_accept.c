/*
 * Apps' connections, as they come in at the lanes' listening sockets.
 *
 * *Does*: accept, note where the app was going to, and tell Node, which decides, now or a moment ago (pump_route.c).
 * Node's own thread accepts as well, when it must know that nothing waits any more (cv_pump_settle).
 * *Must not*: read from an app, or keep one waiting for which there is no room: it is reset.
 *
 * A listener belongs to one pump thread, its flows to any. Node may close it at any time; the lock is what keeps the
 * thread from accepting on a descriptor that has become something else. Its number is never used again, so that a
 * connection of a lane that is gone cannot be taken for one of another lane.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pump.h"

/* linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h, which do not mix with the C library's headers. */
#define ORIGINAL_DST 80
#define LISTENERS_MAX 1024
/* Connections of one listener in a row; then others have their turn. */
#define ACCEPTS_IN_A_RUN 64
/* How long to wait when descriptors or memory have run out (accept(2)). */
#define RETRY_MS 50

struct listener {
	int fd; /* -1: closed */
	int number;
	bool redirected;
	bool paused;
	struct pump_thread *thread;
};

static pthread_mutex_t listeners_lock = PTHREAD_MUTEX_INITIALIZER;
static struct listener listeners[LISTENERS_MAX];
static int listeners_used;
static int last_number;

/* The lock is held. NULL: closed by now. */
static struct listener *listener_of(int number)
{
	for (int i = 0; i < listeners_used; i++)
		if (listeners[i].fd >= 0 && listeners[i].number == number)
			return &listeners[i];
	return NULL;
}

static void listen_for(const struct listener *listener, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = LISTENER | (uint32_t)listener->number};

	/* Cannot fail: the descriptor is in the set, and nothing is allocated for a change (epoll_ctl(2)). */
	(void)epoll_ctl(listener->thread->epoll_fd, EPOLL_CTL_MOD, listener->fd, &event);
}

static void addr_of_four(struct cv_addr *out, const struct sockaddr_in *four)
{
	out->ip[10] = out->ip[11] = 0xff;
	memcpy(out->ip + 12, &four->sin_addr, 4);
	memcpy(out->port, &four->sin_port, 2);
}

static void addr_of_six(struct cv_addr *out, const struct sockaddr_in6 *six)
{
	memcpy(out->ip, &six->sin6_addr, 16);
	memcpy(out->port, &six->sin6_port, 2);
}

/* Where the app was going to. Over IPv4 the IPv4 option is asked, also of a dual-stack listener's connection. */
static int destination_of(int fd, bool redirected, struct cv_addr *out)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} own;
	socklen_t size = sizeof own;
	bool is_four;

	if (getsockname(fd, &own.any, &size) < 0)
		return -errno;
	is_four = own.any.sa_family == AF_INET;
	if (redirected) {
		is_four = is_four || IN6_IS_ADDR_V4MAPPED(&own.six.sin6_addr);
		size = is_four ? sizeof own.four : sizeof own.six;
		if (getsockopt(fd, is_four ? SOL_IP : SOL_IPV6, ORIGINAL_DST, &own, &size) < 0)
			return -errno;
	}
	if (is_four)
		addr_of_four(out, &own.four);
	else
		addr_of_six(out, &own.six);
	return 0;
}

/*
 * Dials a flow as Node has said for its like, or asks: Node is waited for and has to know at once. The thread is the
 * one that accepts, or NULL for Node's own.
 */
static void decide(struct pump_thread *thread, struct flow *flow)
{
	struct pump_thread *own;
	struct route route;

	if (!cv_route_find(flow, thread ? thread->now_ms : cv_monotonic_ms(), &route)) {
		cv_news_accepted(flow);
		cv_ring(CV_RING_PUMP);
		return;
	}
	cv_dial_prepare(flow, &route);
	own = cv_thread_with_fewest();
	cv_news_dialling(flow);
	if (thread)
		cv_ring_soon(thread);
	else
		cv_ring(CV_RING_PUMP);
	cv_slot_live(flow, own);
}

/* Makes a flow of a connection, or resets it. */
static void accepted(struct pump_thread *thread, const struct listener *listener, int fd,
                     const struct sockaddr_in6 *app)
{
	struct flow *flow = cv_slot_take();

	if (flow && destination_of(fd, listener->redirected, &flow->destination) == 0) {
		flow->side[APP].fd = fd;
		flow->listener = (uint32_t)listener->number;
		/* At the same place in both families (ip(7), ipv6(7)). */
		flow->source_port = ntohs(app->sin6_port);
		decide(thread, flow);
		return;
	}
	if (flow)
		cv_slot_return(flow);
	close(fd);
}

static bool is_of_one_connection(int error)
{
	/* Those that accept(2) hands on from the network, and a connection that was given up. */
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
		return true;
	default:
		return false;
	}
}

/* Returns 1 when a connection was dealt with, 0 when there is none, or a negative errno value of accept(2). */
static int accept_one(struct pump_thread *thread, const struct listener *listener)
{
	struct sockaddr_in6 app = {0};
	socklen_t size = sizeof app;
	int fd = accept4(listener->fd, (struct sockaddr *)&app, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		accepted(thread, listener, fd, &app);
	else if (!is_of_one_connection(errno))
		return errno == EAGAIN ? 0 : -errno;
	return 1;
}

/* Accepts what is there. The listener stays ready while more is, so that a bounded run loses nothing. */
static void accept_some(struct pump_thread *thread, struct listener *listener)
{
	int result = 1;

	for (int i = 0; i < ACCEPTS_IN_A_RUN && result > 0; i++)
		result = accept_one(thread, listener);
	if (result >= 0)
		return;
	listener->paused = true;
	listen_for(listener, 0);
	thread->accept_due_ms = thread->now_ms + RETRY_MS;
}

/* A listener is ready. */
void cv_accept(struct pump_thread *thread, uint32_t number)
{
	struct listener *listener;

	pthread_mutex_lock(&listeners_lock);
	listener = listener_of((int)number);
	if (listener && !listener->paused)
		accept_some(thread, listener);
	pthread_mutex_unlock(&listeners_lock);
}

/* Listens again where descriptors had run out, if it is time. */
void cv_accept_again(struct pump_thread *thread)
{
	if (thread->accept_due_ms == 0 || thread->now_ms < thread->accept_due_ms)
		return;
	thread->accept_due_ms = 0;
	pthread_mutex_lock(&listeners_lock);
	for (int i = 0; i < listeners_used; i++) {
		struct listener *listener = &listeners[i];

		if (listener->fd < 0 || !listener->paused || listener->thread != thread)
			continue;
		listener->paused = false;
		listen_for(listener, EPOLLIN);
	}
	pthread_mutex_unlock(&listeners_lock);
}

/* The lock is held. NULL: there are too many. */
static struct listener *listener_new(void)
{
	for (int i = 0; i < listeners_used; i++)
		if (listeners[i].fd < 0)
			return &listeners[i];
	return listeners_used < LISTENERS_MAX ? &listeners[listeners_used++] : NULL;
}

/* The lock is held; `listener` is a free one. */
static int listener_open(struct listener *listener, int fd, bool redirected)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = LISTENER | (uint32_t)(last_number + 1)};
	struct pump_thread *thread = cv_thread_with_fewest();
	int flags = fcntl(fd, F_GETFL);
	int result;

	*listener = (struct listener){.fd = -1};
	if (!thread)
		return -ENOTCONN;
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	/* Accepted sockets have them from here, so that not one of them is without for a moment. */
	result = cv_socket_options(fd);
	if (result < 0)
		return result;
	listener->fd = fd;
	listener->number = last_number + 1;
	listener->redirected = redirected;
	listener->thread = thread;
	if (epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		listener->fd = -1;
		return -errno;
	}
	return ++last_number;
}

/* -ENOSPC when there are 1,024 listeners. After a failure the descriptor is still the caller's. */
int cv_pump_listen(int fd, int redirected)
{
	struct listener *listener;
	int result = -ENOSPC;

	pthread_mutex_lock(&listeners_lock);
	listener = listener_new();
	if (listener)
		result = listener_open(listener, fd, redirected != 0);
	pthread_mutex_unlock(&listeners_lock);
	return result;
}

/* How many connections wait at a listening socket: tcp_get_info puts it there (net/ipv4/tcp.c). */
static int waiting_at(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof info;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ? -errno : (int)info.tcpi_unacked;
}

/*
 * Bounded by what waits at the call, or an app that connects on and on would hold Node here. The lock keeps the
 * listener's thread out, and what that has accepted is in the list of news before it lets go of it.
 */
int cv_pump_settle(int number)
{
	struct listener *listener;
	int result = -ENOENT, waiting = 0, count = 0;

	pthread_mutex_lock(&listeners_lock);
	listener = listener_of(number);
	if (listener)
		result = waiting = waiting_at(listener->fd);
	while (result > 0 && count < waiting) {
		result = accept_one(NULL, listener);
		count += result > 0;
	}
	pthread_mutex_unlock(&listeners_lock);
	return result < 0 ? result : count;
}

/* The lock lets no connection be between the look for its decision and its dial. */
int cv_pump_forget(int number)
{
	bool found;

	pthread_mutex_lock(&listeners_lock);
	found = listener_of(number) != NULL;
	if (found)
		cv_route_forget((uint32_t)number);
	pthread_mutex_unlock(&listeners_lock);
	return found ? 0 : -ENOENT;
}

int cv_pump_unlisten(int number)
{
	struct listener *listener;

	pthread_mutex_lock(&listeners_lock);
	listener = listener_of(number);
	if (listener) {
		(void)epoll_ctl(listener->thread->epoll_fd, EPOLL_CTL_DEL, listener->fd, NULL);
		close(listener->fd);
		listener->fd = -1;
		cv_route_forget((uint32_t)number);
	}
	pthread_mutex_unlock(&listeners_lock);
	return listener ? 0 : -ENOENT;
}
