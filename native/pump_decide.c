/*
 * What Node says of a flow: how an accepted one goes on, and that one is to end.
 *
 * *Does*: give a flow its proxy's side, or what a dial needs for it, and write to its thread.
 * *Must not*: touch a live flow beyond its mailbox. A flow that Node may decide about is HELD, and Node's thread alone
 * decides, so that nothing is locked here until it is given to its thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pump.h"

#define EARLY_MAX (64 * 1024)
#define KEEPALIVE_SECONDS 60

/* The options of a socket in a flow, and of a listener, from which accepted sockets have them. */
int cv_socket_options(int fd)
{
	static const struct linger resetting = {.l_onoff = 1, .l_linger = 0};

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &resetting, sizeof resetting) < 0)
		return -errno;
	/* Not for Unix sockets, which refuse them. Urgent bytes stay in the stream instead of getting lost. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	(void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &(int){1}, sizeof(int));
	return 0;
}

/* For the proxy's side, which may be far away and vanish without a word. */
void cv_socket_keep_alive(int fd)
{
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){KEEPALIVE_SECONDS}, sizeof(int));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){KEEPALIVE_SECONDS / 4}, sizeof(int));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){4}, sizeof(int));
}

/* A duplicate of a socket with the options that it has in a flow. */
static int socket_adopt(int fd, int side)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int flags = copy < 0 ? -1 : fcntl(copy, F_GETFL);
	int result;

	if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(copy, F_SETFL, flags | O_NONBLOCK) < 0))
		result = -errno;
	else
		result = cv_socket_options(copy);
	if (result == 0 && side == PROXY)
		cv_socket_keep_alive(copy);
	if (result < 0 && copy >= 0)
		close(copy);
	return result < 0 ? result : copy;
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

static bool is_unix(int fd)
{
	int domain = 0;
	socklen_t size = sizeof domain;

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

/*
 * Whether the proxy's side is a Unix socket whose other end was closed before it has heard the app's end of file:
 * its end of file is none then. (POLLHUP is "both directions are shut", and the one that is ours is open.)
 */
bool cv_proxy_is_cut(const struct flow *flow)
{
	return flow->side[PROXY].is_unix && !flow->way[APP].done && cv_is_hung_up(flow->side[PROXY].fd) == 1;
}

/* Gives a side its socket and what was read from it before; after a failure it has neither. */
static int side_fill(struct flow *flow, int side, int fd, const void *early, uint32_t size)
{
	struct way *way = &flow->way[side];
	int result = early_keep(way, early, size);

	if (result == 0)
		result = flow->side[side].fd = socket_adopt(fd, side);
	if (result >= 0) {
		flow->side[side].is_unix = is_unix(result);
		return 0;
	}
	flow->side[side].fd = -1;
	free(way->early);
	way->early = NULL;
	return result;
}

/*
 * See culvert.h. Early bytes are counted like all others, when they are delivered. -ENOSPC when every slot is
 * taken; after any failure the sockets are still the caller's alone, though SO_LINGER may be set.
 */
int cv_pump_add(int app, int proxy, const void *to_app, uint32_t to_app_size, const void *to_proxy,
                uint32_t to_proxy_size)
{
	struct pump_thread *thread = cv_thread_with_fewest();
	struct flow *flow;
	int result;

	if (!thread)
		return -ENOTCONN;
	if (to_app_size > EARLY_MAX || to_proxy_size > EARLY_MAX)
		return -EMSGSIZE;
	flow = cv_slot_take();
	if (!flow)
		return -ENOSPC;
	result = side_fill(flow, APP, app, to_proxy, to_proxy_size);
	if (result == 0)
		result = side_fill(flow, PROXY, proxy, to_app, to_app_size);
	if (result < 0) {
		if (flow->side[APP].fd >= 0)
			close(flow->side[APP].fd);
		free(flow->way[APP].early);
		cv_slot_return(flow);
		return result;
	}
	cv_slot_live(flow, thread);
	return cv_slot_number(flow);
}

int cv_pump_join(int flow, int proxy, const void *to_app, uint32_t to_app_size)
{
	struct flow *one = cv_slot_held(flow);
	int result;

	if (!one)
		return -ENOENT;
	if (to_app_size > EARLY_MAX)
		return -EMSGSIZE;
	result = side_fill(one, PROXY, proxy, to_app, to_app_size);
	if (result == 0)
		cv_slot_live(one, cv_thread_with_fewest());
	return result;
}

static void route_to(struct route *route, const struct cv_addr *proxy)
{
	struct in6_addr ip;

	memcpy(&ip, proxy->ip, sizeof ip);
	if (IN6_IS_ADDR_V4MAPPED(&ip)) {
		route->proxy.four.sin_family = AF_INET;
		memcpy(&route->proxy.four.sin_addr, proxy->ip + 12, 4);
		memcpy(&route->proxy.four.sin_port, proxy->port, 2);
	} else {
		route->proxy.six.sin6_family = AF_INET6;
		route->proxy.six.sin6_addr = ip;
		memcpy(&route->proxy.six.sin6_port, proxy->port, 2);
	}
}

/* Gives a flow what its dial needs; the time runs from here. */
void cv_dial_prepare(struct flow *flow, const struct route *route)
{
	struct dial *dial = cv_dial_take();

	*dial = (struct dial){.flow = flow, .began_ms = cv_monotonic_ms(), .route = *route};
	dial->deadline_ms = dial->began_ms + route->timeout_ms;
	flow->dial = dial;
	flow->is_dialled = true;
}

int cv_pump_dial(int flow, const struct cv_addr *proxy, const char *device, const void *sign_in,
                 uint32_t sign_in_size, const void *request, uint32_t request_size, uint32_t timeout_ms,
                 uint32_t again_ms)
{
	struct flow *one = cv_slot_held(flow);
	struct route route = {.timeout_ms = timeout_ms, .sign_in_size = sign_in_size, .request_size = request_size};

	if (!one)
		return -ENOENT;
	if (sign_in_size > CV_SIGN_IN_MAX || request_size == 0 || request_size > CV_REQUEST_MAX)
		return -EMSGSIZE;
	if (device && strlen(device) >= sizeof route.device)
		return -ENAMETOOLONG;
	route_to(&route, proxy);
	if (device)
		memcpy(route.device, device, strlen(device));
	if (sign_in_size > 0)
		memcpy(route.sign_in, sign_in, sign_in_size);
	memcpy(route.request, request, request_size);
	cv_dial_prepare(one, &route);
	cv_route_remember(one, &route, again_ms);
	cv_slot_live(one, cv_thread_with_fewest());
	return 0;
}

static int peek(struct flow *flow, void *out, uint32_t room)
{
	ssize_t seen = recv(flow->side[APP].fd, out, room, MSG_PEEK | MSG_DONTWAIT);

	if (seen < 0 && errno != EAGAIN)
		flow->app_error = errno;
	return seen < 0 ? 0 : (int)seen;
}

/*
 * A flow that is held is Node's alone; one that is dialled keeps its socket as long as the lock is held. A failure is
 * told by the kernel only once, even to who only looks: it is kept, or the app's reset would become an end of file.
 */
int cv_pump_peek(int flow, void *out, uint32_t room)
{
	struct flow *one = cv_slot_at(flow);
	struct flow *held = cv_slot_held(flow);
	int seen = -ENOENT, state = one ? atomic_load(&one->state) : FLOW_FREE;

	if (room > INT_MAX)
		return -EINVAL;
	if (held)
		return peek(held, out, room);
	if (state != FLOW_LIVE)
		return -ENOENT;
	pthread_mutex_lock(&one->thread->mail_lock);
	if (atomic_load(&one->state) == FLOW_LIVE)
		seen = one->is_dialled ? peek(one, out, room) : 0;
	pthread_mutex_unlock(&one->thread->mail_lock);
	return seen;
}

int cv_pump_take(int flow)
{
	static const struct linger orderly = {.l_onoff = 0, .l_linger = 0};
	struct flow *one = cv_slot_held(flow);
	int fd;

	if (!one)
		return -ENOENT;
	fd = one->side[APP].fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &orderly, sizeof orderly);
	cv_slot_return(one);
	return fd;
}

/* Writes to a flow's thread. 0 also when the flow has just ended; -ENOENT when the slot is free. */
static int flow_tell(int flow, bool is_abort)
{
	struct flow *one = cv_slot_at(flow);
	struct pump_thread *thread;
	bool is_first = false;
	int state;

	if (!one)
		return -EINVAL;
	state = atomic_load(&one->state);
	if (state == FLOW_FREE || state == FLOW_HELD)
		return -ENOENT;
	thread = one->thread;
	pthread_mutex_lock(&thread->mail_lock);
	if (atomic_load(&one->state) == FLOW_LIVE) {
		one->abort_asked |= is_abort;
		one->release_asked |= !is_abort;
		is_first = cv_mail_put(thread, one);
	}
	pthread_mutex_unlock(&thread->mail_lock);
	if (is_first)
		cv_mail_wake(thread);
	return 0;
}

int cv_pump_abort(int flow)
{
	struct flow *held = cv_slot_held(flow);

	if (!held)
		return flow_tell(flow, true);
	/* SO_LINGER makes it a reset. */
	close(held->side[APP].fd);
	cv_slot_return(held);
	return 0;
}

int cv_pump_release(int flow)
{
	return flow_tell(flow, false);
}
