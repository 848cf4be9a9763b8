/*
 * The UDP relay, as Node sees it: the functions of culvert.h, but for those about lanes (udp_lane.c).
 *
 * Does: check what Node gives, take the lock, change the tables.
 * Must not: block, or trust a number from Node further than it is in range: one bad call must not end the
 * flows of other lanes.
 *
 * Theory. A lane brings its sockets of the gateway namespace. The thread (udp_relay.c) receives from them and
 * keeps a flow for each (source, destination) it sees. Node decides every new flow once: it makes an
 * association (a socket towards the relay, or a direct one) and routes the flow through it, or refuses it.
 * A flow ends with its association; a source may have several associations (one per name keeps the way back
 * free of doubt, see udp_flow_from_peer). An association ends idle, evicted or failed, which is told, or by
 * cv_udp_dissociate and cv_udp_lane_remove, which is not.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "udp.h"

#define ASSOCIATIONS_MAX 65536
#define IDLE_SECONDS_MAX 3600
#define SOCKET_BUFFER (4 << 20)

int cv_udp_start(int associations, int idle_seconds)
{
	int result;
	if (associations < 1 || associations > ASSOCIATIONS_MAX || idle_seconds < 1 || idle_seconds > IDLE_SECONDS_MAX)
		return -EINVAL;
	if (udp_engine.is_started)
		return -EALREADY;
	udp_engine.is_started = true;
	udp_engine.idle_seconds = idle_seconds;
	result = udp_table_start((uint32_t)associations);
	if (result == 0)
		result = udp_event_start();
	return result ? result : udp_relay_start();
}

/* For one family if the relay is of that; else for both, where the kernel has both. */
static int new_socket(const struct cv_addr *relay)
{
	bool is_ipv4 = relay && udp_is_ipv4(relay);
	int both = 0, fd = is_ipv4 ? -1 : socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &both, sizeof both);
	else if (is_ipv4 || (!relay && errno == EAFNOSUPPORT))
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd < 0 ? -errno : fd;
}

/* Copies or makes the socket and readies it; the descriptor, or a negative errno. */
static int prepare_socket(int given, int kind, const struct cv_addr *relay, int *family)
{
	struct sockaddr_in6 name;
	socklen_t size;
	int copy, buffer = SOCKET_BUFFER, result = udp_copy_socket(given, SOCK_DGRAM, &copy);
	if (result == 0 && given == -1)
		result = copy = new_socket(kind == CV_UDP_SOCKS ? relay : NULL);
	if (result < 0)
		return result;
	result = 0;
	*family = udp_socket_option(copy, SO_DOMAIN);
	if (*family != AF_INET && *family != AF_INET6)
		result = -EAFNOSUPPORT;
	/* As large as the system allows; a failure leaves the default, which does as well. */
	setsockopt(copy, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	setsockopt(copy, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
	if (result == 0 && kind == CV_UDP_SOCKS) {
		/* Connected, the kernel keeps others out before they cost anything, and tells when the port is closed. */
		size = udp_to_sockaddr(&name, relay, *family);
		if (size == 0)
			result = -EAFNOSUPPORT;
		else if (connect(copy, (struct sockaddr *)&name, size) < 0)
			result = -errno;
	}
	if (result) {
		close(copy);
		return result;
	}
	return copy;
}

/* Under the lock; the number, or a negative errno with the socket left to the caller. */
static int associate(int lane, const struct cv_addr *source, int fd, int family, int kind,
                     const struct cv_addr *relay, const void *layers, uint32_t layers_size)
{
	struct udp_association *association;
	int result;
	if (!udp_lane_at(lane))
		return -ENOENT;
	if (udp_engine.association_count >= udp_engine.association_limit)
		udp_end(UDP_OF(udp_engine.live.previous, struct udp_association, by_use), true);
	association = udp_association_take();
	if (!association)
		return -ENOBUFS;
	result = udp_layers_read(association, layers, layers_size);
	if (!result)
		result = udp_watch(fd, UDP_WATCH_ASSOCIATION, udp_association_number(association), association->generation);
	if (result) {
		udp_association_end(association, false);
		return result;
	}
	association->lane = (uint32_t)lane;
	association->fd = fd;
	association->family = family;
	association->kind = kind;
	association->source = *source;
	if (relay)
		association->relay = *relay;
	return (int)udp_association_number(association);
}

int cv_udp_associate(int lane, const struct cv_addr *source, int socket, int kind, const struct cv_addr *relay,
                     const void *layers, uint32_t layers_size)
{
	int fd, family = AF_INET, result;
	if (!source || (kind != CV_UDP_SOCKS && kind != CV_UDP_DIRECT) || (kind == CV_UDP_SOCKS && !relay) ||
	    (layers_size > 0 && (kind != CV_UDP_SOCKS || !layers)))
		return -EINVAL;
	fd = prepare_socket(socket, kind, relay, &family);
	if (fd < 0)
		return fd;
	udp_lock();
	udp_tick();
	result = associate(lane, source, fd, family, kind, relay, layers, layers_size);
	if (result < 0)
		close(fd);
	udp_unlock();
	return result;
}

int cv_udp_dissociate(int association)
{
	struct udp_association *slot;
	udp_lock();
	slot = udp_association_at((uint32_t)association);
	if (slot && slot->state == UDP_LIVE)
		udp_end(slot, false);
	else if (slot)
		udp_association_free(slot);
	udp_unlock();
	return slot ? 0 : -ENOENT;
}

int cv_udp_counters(int association, uint64_t *out)
{
	const struct udp_association *slot;
	udp_lock();
	slot = udp_association_at((uint32_t)association);
	if (slot) {
		out[0] = slot->bytes_up;
		out[1] = slot->bytes_down;
		out[2] = slot->datagrams_up;
		out[3] = slot->datagrams_down;
	}
	udp_unlock();
	return slot ? 0 : -ENOENT;
}

/* Reads what the decision says into the flow's target and header; 0 or a negative errno. */
static int read_target(const struct udp_association *association, const void *target, uint32_t size,
                       struct udp_peer *out)
{
	struct sockaddr_in6 name;
	memset(out, 0, sizeof *out);
	if (association->kind == CV_UDP_SOCKS)
		return size > 0 && udp_parse_peer(out, target, size) == size ? 0 : -EINVAL;
	if (size != sizeof(struct cv_addr))
		return -EINVAL;
	memcpy(&out->addr, target, size);
	return udp_to_sockaddr(&name, &out->addr, association->family) ? 0 : -EAFNOSUPPORT;
}

static int route(struct udp_association *association, const struct cv_addr *destination, const void *target,
                 uint32_t size)
{
	struct udp_peer peer;
	struct udp_key key;
	struct udp_flow *flow;
	int result = read_target(association, target, size, &peer);
	if (result)
		return result;
	udp_key_make(&key, association->lane, &association->source, destination);
	flow = udp_flow_find(&key);
	if (!flow)
		flow = udp_flow_add(&key);
	if (!flow)
		return -ENOBUFS;
	flow->target = peer;
	flow->header_size = 0;
	if (association->kind == CV_UDP_SOCKS)
		flow->header_size = (uint16_t)udp_build_socks(flow->header, target, size);
	udp_flow_route(flow, association);
	udp_send_waiting(flow);
	return 0;
}

int cv_udp_route(int association, const struct cv_addr *destination, const void *target, uint32_t size)
{
	struct udp_association *slot;
	int result = -ENOENT;
	if (!destination || !target)
		return -EINVAL;
	udp_lock();
	udp_tick();
	slot = udp_association_at((uint32_t)association);
	if (slot && slot->state == UDP_LIVE)
		result = route(slot, destination, target, size);
	udp_unlock();
	return result;
}

static int refuse(int lane, const struct udp_key *key)
{
	struct udp_flow *flow = udp_flow_find(key);
	if (flow && flow->state == UDP_FLOW_WAITING) {
		for (const struct udp_piece *datagram = flow->waiting_first; datagram; datagram = datagram->next_datagram)
			udp_send_unreachable(&udp_engine.lanes[lane], key, datagram->total);
		if (!flow->waiting_first)
			udp_send_unreachable(&udp_engine.lanes[lane], key, flow->last_size);
	}
	if (!flow)
		flow = udp_flow_add(key);
	if (!flow)
		return -ENOBUFS;
	udp_flow_refuse(flow);
	return 0;
}

int cv_udp_refuse(int lane, const struct cv_addr *source, const struct cv_addr *destination)
{
	struct udp_key key;
	int result = -ENOENT;
	if (!source || !destination)
		return -EINVAL;
	udp_lock();
	udp_tick();
	if (udp_lane_at(lane)) {
		udp_key_make(&key, (uint32_t)lane, source, destination);
		result = refuse(lane, &key);
	}
	udp_unlock();
	return result;
}

int cv_udp_reply(int lane, const struct cv_addr *from, const struct cv_addr *to, const void *bytes, uint32_t size)
{
	/* Lanes come and go on this thread only, so this needs no lock. */
	const struct udp_lane *own = udp_lane_at(lane);
	if (!own)
		return -ENOENT;
	if (!from || !to || (!bytes && size))
		return -EINVAL;
	return udp_send_to_app(own, from, to, bytes, size);
}

/* An association that ended, if there is one. */
static int take_ended(struct cv_udp_event *out)
{
	int taken = 0;
	udp_lock();
	if (udp_engine.ended.next != &udp_engine.ended) {
		struct udp_association *association = UDP_OF(udp_engine.ended.next, struct udp_association, by_use);
		*out = (struct cv_udp_event){.kind = CV_UDP_EXPIRED,
		                             .lane = association->lane,
		                             .association = udp_association_number(association),
		                             .source = association->source,
		                             .bytes_up = association->bytes_up,
		                             .bytes_down = association->bytes_down};
		udp_association_free(association);
		taken = (int)sizeof *out;
	}
	udp_unlock();
	return taken;
}

int cv_udp_poll(void *out, uint32_t room)
{
	struct cv_udp_event event;
	if (room < sizeof event)
		return -EMSGSIZE;
	if (!udp_engine.is_started)
		return 0;
	/* Before looking: what comes after this look rings again. */
	cv_ring_clear(CV_RING_UDP);
	if (atomic_load(&udp_engine.ended_count) && take_ended(&event)) {
		memcpy(out, &event, sizeof event);
		return (int)sizeof event;
	}
	return udp_event_take(out, room);
}
