/*
 * The thread of the UDP relay: one epoll instance for the sockets of all lanes and associations.
 *
 * Up: a batch is received from a lane's transparent socket (recvmmsg(2), original destinations from the
 * control messages, ip(7) IP_RECVORIGDSTADDR). Each datagram finds its flow: routed ones are sent on, unknown
 * ones wait and Node is told, refused ones are answered with ICMP; those to port 53 go to Node as they are.
 * Down: a batch is received from an association's socket, the header says who sent it, and a packet with that
 * source (or the destination that the app knows it by) goes to the app. Sending is udp_send.c's.
 *
 * Must not: block but in epoll_wait(2), take more than one batch of a socket before the others had their turn,
 * or accept a datagram for SOCKS from any other address than the relay (S50).
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "udp.h"

#define BUFFER_SIZE 65536
/* Not a power of two, so that the fronts of all buffers do not fall into the same lines of the cache. */
#define BUFFER_STRIDE (BUFFER_SIZE + 27 * 64)
#define CONTROL_SIZE 128

union control {
	struct cmsghdr aligned;
	uint8_t bytes[CONTROL_SIZE];
};

/* What has been received, for the thread only. */
static struct {
	struct mmsghdr in[UDP_BATCH];
	struct iovec in_iov[UDP_BATCH];
	struct sockaddr_in6 in_names[UDP_BATCH];
	union control controls[UDP_BATCH];
	uint8_t *buffers;
} batch;

/* ---- descriptors ------------------------------------------------------------------------------- */

int udp_watch(int fd, uint32_t kind, uint32_t index, uint32_t generation)
{
	struct epoll_event event = {.events = EPOLLIN};
	event.data.u64 = (uint64_t)kind << 56 | (uint64_t)(generation & 0xffffff) << 32 | index;
	return epoll_ctl(udp_engine.epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

void udp_unwatch(int fd)
{
	if (fd < 0)
		return;
	/* Closing is not enough: the caller's copy of the descriptor would keep the entry alive. */
	epoll_ctl(udp_engine.epoll, EPOLL_CTL_DEL, fd, NULL);
	close(fd);
}

void udp_end(struct udp_association *association, bool is_told)
{
	udp_unwatch(association->fd);
	association->fd = -1;
	udp_association_end(association, is_told);
	udp_engine.must_ring |= is_told;
}

/* ---- from the app ------------------------------------------------------------------------------ */

static bool tell_unknown(struct udp_flow *flow)
{
	struct cv_udp_event event = {.kind = CV_UDP_UNKNOWN, .lane = flow->key.lane};
	udp_key_read(&flow->key, &event.source, &event.destination);
	if (!udp_event_put(&event, NULL, udp_engine.lanes[flow->key.lane].generation))
		return false;
	flow->is_told = true;
	udp_engine.untold_count--;
	udp_engine.must_ring = true;
	return true;
}

static void tell_dns(const struct udp_key *key, const uint8_t *bytes, uint32_t size)
{
	struct cv_udp_event event = {.kind = CV_UDP_DNS, .lane = key->lane, .size = size};
	udp_key_read(key, &event.source, &event.destination);
	if (udp_event_put(&event, bytes, udp_engine.lanes[key->lane].generation))
		udp_engine.must_ring = true;
	else
		udp_count_drop(&udp_engine.drops.events_full);
}

static void from_app(const struct udp_key *key, bool is_dns, uint8_t *bytes, uint32_t size)
{
	static const uint8_t dns_port[2] = {0, 53};
	struct udp_flow *flow;
	if (is_dns || memcmp(key->destination + 16, dns_port, 2) == 0) {
		tell_dns(key, bytes, size);
		return;
	}
	flow = udp_flow_find(key);
	if (flow && flow->state == UDP_FLOW_ROUTED) {
		udp_send_up(flow, bytes, size);
		return;
	}
	if (flow && flow->state == UDP_FLOW_REFUSED) {
		udp_send_unreachable(&udp_engine.lanes[key->lane], key, size);
		return;
	}
	if (!flow)
		flow = udp_flow_add(key);
	if (!flow) {
		udp_count_drop(&udp_engine.drops.waiting_full);
		return;
	}
	udp_flow_wait(flow, bytes, size);
	if (!flow->is_told)
		tell_unknown(flow);
}

static bool original_destination(struct msghdr *message, struct cv_addr *out)
{
	if (message->msg_flags & (MSG_CTRUNC | MSG_TRUNC))
		return false;
	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at))
		if ((at->cmsg_level == SOL_IP && at->cmsg_type == IP_ORIGDSTADDR) ||
		    (at->cmsg_level == SOL_IPV6 && at->cmsg_type == IPV6_ORIGDSTADDR))
			return udp_from_sockaddr(out, CMSG_DATA(at), at->cmsg_len - CMSG_LEN(0));
	return false;
}

/* Number of datagrams received, 0 for none, or a negative errno. */
static int receive(int fd)
{
	int count;
	for (int i = 0; i < UDP_BATCH; i++) {
		struct msghdr *message = &batch.in[i].msg_hdr;
		message->msg_namelen = sizeof batch.in_names[i];
		message->msg_controllen = CONTROL_SIZE;
		message->msg_flags = 0;
	}
	count = recvmmsg(fd, batch.in, UDP_BATCH, MSG_DONTWAIT, NULL);
	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return count;
}

static void receive_from_app(uint32_t index, bool is_dns)
{
	struct udp_lane *lane = &udp_engine.lanes[index];
	int count = receive(is_dns ? lane->dns : lane->udp);
	for (int i = 0; i < count; i++) {
		struct msghdr *message = &batch.in[i].msg_hdr;
		struct cv_addr source, destination;
		struct udp_key key;
		if (!udp_from_sockaddr(&source, message->msg_name, message->msg_namelen) ||
		    !original_destination(message, &destination)) {
			udp_count_drop(&udp_engine.drops.malformed);
			continue;
		}
		udp_key_make(&key, index, &source, &destination);
		from_app(&key, is_dns, batch.in_iov[i].iov_base, batch.in[i].msg_len);
	}
	udp_flush_up();
}

/* ---- from the proxy ---------------------------------------------------------------------------- */

static void from_peer(struct udp_association *association, const struct udp_peer *peer, uint8_t *bytes, uint32_t size)
{
	const struct udp_flow *flow = udp_flow_from_peer(association, peer);
	struct cv_addr from = peer->addr, source;
	if (flow) {
		udp_key_read(&flow->key, &source, &from);
	} else if (peer->name_size || !udp_is_host(&from) || udp_is_loopback(&from) ||
	           udp_is_ipv4(&from) != udp_is_ipv4(&association->source)) {
		udp_count_drop(&udp_engine.drops.unmapped);
		return;
	}
	udp_send_down(&from, bytes, size);
}

static void from_relay(struct udp_association *association, int i)
{
	const struct msghdr *message = &batch.in[i].msg_hdr;
	uint8_t *bytes = batch.in_iov[i].iov_base;
	uint32_t size = batch.in[i].msg_len;
	size_t header_size = 0;
	struct udp_peer peer = {.name_size = 0};
	if (!udp_from_sockaddr(&peer.addr, message->msg_name, message->msg_namelen) ||
	    (association->kind == CV_UDP_SOCKS && !udp_same_addr(&peer.addr, &association->relay))) {
		udp_count_drop(&udp_engine.drops.foreign);
		return;
	}
	if (association->kind == CV_UDP_SOCKS) {
		int outer = udp_layers_strip(association, bytes, size);
		if (outer < 0)
			return;
		bytes += outer;
		size -= (uint32_t)outer;
		header_size = udp_parse_socks(&peer, bytes, size);
		if (header_size == 0) {
			udp_count_drop(&udp_engine.drops.malformed);
			return;
		}
	}
	from_peer(association, &peer, bytes + header_size, size - (uint32_t)header_size);
}

static void receive_from_relay(struct udp_association *association, uint32_t events)
{
	int count = receive(association->fd);
	for (int i = 0; i < count; i++)
		from_relay(association, i);
	udp_flush_down(association);
	if ((count < 0 && udp_is_fatal(association, -count)) || (events & EPOLLHUP))
		udp_end(association, true);
}

/* ---- the thread -------------------------------------------------------------------------------- */

static void each_second(void)
{
	uint64_t expirations;
	if (read(udp_engine.timer, &expirations, sizeof expirations) < 0)
		return;
	udp_flows_expire();
	while (udp_engine.live.previous != &udp_engine.live) {
		struct udp_association *idlest = UDP_OF(udp_engine.live.previous, struct udp_association, by_use);
		if (udp_engine.now - idlest->last_used < udp_engine.idle_seconds)
			break;
		udp_end(idlest, true);
	}
	for (struct udp_list *at = udp_engine.waiting.next; udp_engine.untold_count && at != &udp_engine.waiting;
	     at = at->next) {
		struct udp_flow *flow = UDP_OF(at, struct udp_flow, by_state);
		if (!flow->is_told && !tell_unknown(flow))
			break;
	}
}

/* An event may be of a descriptor that was taken away after epoll_wait(2) returned: generations tell. */
static void handle(const struct epoll_event *event)
{
	uint32_t kind = (uint32_t)(event->data.u64 >> 56), index = (uint32_t)event->data.u64;
	uint32_t generation = (uint32_t)(event->data.u64 >> 32) & 0xffffff;
	if (kind == UDP_WATCH_TIMER) {
		each_second();
	} else if (kind == UDP_WATCH_ASSOCIATION) {
		struct udp_association *association = &udp_engine.associations[index];
		if (association->state == UDP_LIVE && (association->generation & 0xffffff) == generation)
			receive_from_relay(association, event->events);
	} else if (udp_engine.lanes[index].is_used && (udp_engine.lanes[index].generation & 0xffffff) == generation) {
		receive_from_app(index, kind == UDP_WATCH_DNS);
	}
}

static void *run(void *unused)
{
	struct epoll_event events[UDP_BATCH];
	struct cv_wait wait = {0};
	(void)unused;
	for (;;) {
		int count = cv_wait(&wait, udp_engine.epoll, events, UDP_BATCH, -1);
		for (int i = 0; i < count; i++) {
			udp_lock();
			udp_tick();
			handle(&events[i]);
			udp_unlock();
		}
	}
	return NULL;
}

int udp_relay_start(void)
{
	struct itimerspec second = {{1, 0}, {1, 0}};
	int result;
	batch.buffers = mmap(NULL, (size_t)UDP_BATCH * BUFFER_STRIDE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                     -1, 0);
	if (batch.buffers == MAP_FAILED)
		return -errno;
	for (int i = 0; i < UDP_BATCH; i++) {
		batch.in_iov[i] = (struct iovec){batch.buffers + i * BUFFER_STRIDE, BUFFER_SIZE};
		batch.in[i].msg_hdr = (struct msghdr){.msg_name = &batch.in_names[i],
		                                      .msg_iov = &batch.in_iov[i],
		                                      .msg_iovlen = 1,
		                                      .msg_control = batch.controls[i].bytes};
	}
	udp_engine.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (udp_engine.epoll < 0)
		return -errno;
	udp_engine.timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (udp_engine.timer < 0 || timerfd_settime(udp_engine.timer, 0, &second, NULL) < 0)
		return -errno;
	result = udp_watch(udp_engine.timer, UDP_WATCH_TIMER, 0, 0);
	return result ? result : cv_thread_start("culvert-udp", run, NULL);
}
