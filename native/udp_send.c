/*
 * Sending of the UDP relay: up to the proxy or a direct target, down to the app.
 *
 * Does: collect the datagrams of one batch and send them with as few system calls and walks through the
 * kernel's stack as it goes: runs of one flow and size as one segmented send (udp(7), UDP_SEGMENT), the rest by
 * sendmmsg(2); headers in front by iovec, payloads where they were received.
 * Must not: block, or send to anywhere but an association's relay, a direct target, or a lane's app. What the
 * kernel does not take is dropped and counted, as UDP is; only a dead relay ends the association.
 */
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "udp.h"

#define SEGMENTED_MAX 65000
#define PIECES_MAX (UDP_PAYLOAD_MAX / 2000 + 2)
#define LAYERED_MAX ((CV_UDP_LAYERS + 1) * UDP_SOCKS_HEADER_MAX)

union segment_control {
	struct cmsghdr aligned;
	uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
};

/* What is collected, for the relay's thread only. */
static struct {
	struct mmsghdr out[UDP_BATCH];
	struct iovec out_iov[UDP_BATCH][2];
	uint8_t layered[UDP_BATCH][LAYERED_MAX];
	struct sockaddr_in6 out_names[UDP_BATCH];
	uint32_t out_sizes[UDP_BATCH];
	const struct udp_flow *out_flows[UDP_BATCH];
	struct cv_addr out_from[UDP_BATCH];
	struct iovec frame_iov[2 * UDP_BATCH];
	uint8_t headers[UDP_BATCH][UDP_FRAME_HEADERS];
	unsigned out_count;
	struct udp_association *association;
	struct mmsghdr sends[UDP_BATCH]; /* runs of out */
	unsigned runs[UDP_BATCH];        /* how many of out each send is */
	unsigned firsts[UDP_BATCH];      /* and from which on */
	union segment_control segments[UDP_BATCH];
} batch;

/* The relay's port is closed, or the socket is no use: nothing will come of this association any more. */
bool udp_is_fatal(const struct udp_association *association, int error)
{
	return (error == ECONNREFUSED && association->kind == CV_UDP_SOCKS) || error == EBADF || error == ENOTSOCK ||
	       error == EPIPE || error == ENOTCONN || error == EDESTADDRREQ;
}

/* ---- to the proxy ------------------------------------------------------------------------------ */

/* Size of an outgoing datagram of the batch with its header. */
static uint32_t wire_size(unsigned at)
{
	return batch.out_sizes[at] + (uint32_t)batch.out_iov[at][0].iov_len;
}

static void count_up(struct udp_association *association, uint32_t size)
{
	association->bytes_up += size;
	association->datagrams_up++;
}

/* False when the association ended over it. */
static bool bear_error(struct udp_association *association, int error)
{
	if (udp_is_fatal(association, error)) {
		udp_end(association, true);
		return false;
	}
	udp_count_drop(error == EMSGSIZE ? &udp_engine.drops.too_large : &udp_engine.drops.unsent);
	return true;
}

/*
 * The run of datagrams from `first` on that can go as one segmented send (udp(7), UDP_SEGMENT): one flow, one
 * size, but for a shorter one at the end. Returns their number, at least 1.
 */
static unsigned segments_from(unsigned first)
{
	uint32_t size = wire_size(first), total = size;
	unsigned at = first + 1;
	if (size == 0 || size > batch.association->segment_max)
		return 1;
	while (at < batch.out_count && batch.out_flows[at] == batch.out_flows[first] && wire_size(at) <= size &&
	       wire_size(at) > 0 && total + wire_size(at) <= SEGMENTED_MAX && wire_size(at - 1) == size)
		total += wire_size(at++);
	return at - first;
}

/* Makes messages of the datagrams from `first` on; returns how many messages. */
static unsigned plan_sends(unsigned first)
{
	unsigned count = 0;
	for (unsigned at = first; at < batch.out_count; at += batch.runs[count++]) {
		struct msghdr *message = &batch.sends[count].msg_hdr;
		batch.runs[count] = segments_from(at);
		*message = batch.out[at].msg_hdr;
		message->msg_iovlen = 2 * (size_t)batch.runs[count];
		if (batch.runs[count] > 1) {
			struct cmsghdr *control = &batch.segments[count].aligned;
			uint16_t size = (uint16_t)wire_size(at);
			message->msg_control = control;
			message->msg_controllen = CMSG_SPACE(sizeof size);
			control->cmsg_level = SOL_UDP;
			control->cmsg_type = UDP_SEGMENT;
			control->cmsg_len = CMSG_LEN(sizeof size);
			memcpy(CMSG_DATA(control), &size, sizeof size);
		}
	}
	return count;
}

/* Segments may be longer than a packet can be here, or the device may not do checksums: one by one then. */
static bool may_send_singly(unsigned first, int error)
{
	if (error != EINVAL && error != EMSGSIZE && error != EIO && error != EOPNOTSUPP)
		return false;
	batch.association->segment_max = error == EIO || error == EOPNOTSUPP ? 0 : wire_size(first) - 1;
	return true;
}

/* Sends the planned messages until one fails; returns how many datagrams are done with. False: it is over. */
static bool send_planned(unsigned *first)
{
	unsigned count = plan_sends(*first);
	int result = sendmmsg(batch.association->fd, batch.sends, count, MSG_DONTWAIT);
	if (result < 0) {
		if (errno == EINTR || (batch.runs[0] > 1 && may_send_singly(*first, errno)))
			return true;
		*first += batch.runs[0];
		return bear_error(batch.association, errno);
	}
	for (int i = 0; i < result; i++)
		for (unsigned left = batch.runs[i]; left > 0; left--)
			count_up(batch.association, batch.out_sizes[(*first)++]);
	return true;
}

void udp_flush_up(void)
{
	unsigned first = 0;
	while (first < batch.out_count && send_planned(&first))
		continue;
	batch.out_count = 0;
	batch.association = NULL;
}

/* Fills in where a datagram of this flow goes: nowhere in particular on a connected socket. */
static void address_up(const struct udp_flow *flow, struct msghdr *message, struct sockaddr_in6 *name)
{
	message->msg_name = NULL;
	message->msg_namelen = 0;
	if (flow->association->kind == CV_UDP_DIRECT) {
		message->msg_namelen = udp_to_sockaddr(name, &flow->target.addr, flow->association->family);
		message->msg_name = name;
	}
}

/* What stands in front of the payload: the flow's header, behind those of the layers where there are any. */
static struct iovec header_of(struct udp_flow *flow, uint8_t layered[LAYERED_MAX])
{
	const struct udp_layers *layers = flow->association->layers;
	if (!layers)
		return (struct iovec){flow->header, flow->header_size};
	memcpy(layered, layers->headers, layers->size);
	memcpy(layered + layers->size, flow->header, flow->header_size);
	return (struct iovec){layered, layers->size + flow->header_size};
}

void udp_send_up(struct udp_flow *flow, uint8_t *bytes, uint32_t size)
{
	unsigned at;
	struct msghdr *message;
	if (batch.association != flow->association && batch.out_count)
		udp_flush_up();
	at = batch.out_count++;
	batch.association = flow->association;
	message = &batch.out[at].msg_hdr;
	memset(message, 0, sizeof *message);
	address_up(flow, message, &batch.out_names[at]);
	batch.out_iov[at][0] = header_of(flow, batch.layered[at]);
	batch.out_iov[at][1] = (struct iovec){bytes, size};
	message->msg_iov = batch.out_iov[at];
	message->msg_iovlen = 2;
	batch.out_sizes[at] = size;
	batch.out_flows[at] = flow;
	udp_flow_use(flow);
}

void udp_send_waiting(struct udp_flow *flow)
{
	struct udp_association *association = flow->association;
	struct sockaddr_in6 name;
	uint8_t layered[LAYERED_MAX];
	const struct iovec header = header_of(flow, layered);
	for (struct udp_piece *datagram = flow->waiting_first; datagram; datagram = datagram->next_datagram) {
		struct iovec iov[PIECES_MAX + 1] = {header};
		struct msghdr message = {.msg_iov = iov, .msg_iovlen = 1};
		ssize_t result;
		for (struct udp_piece *piece = datagram; piece; piece = piece->more)
			iov[message.msg_iovlen++] = (struct iovec){piece->bytes, piece->used};
		address_up(flow, &message, &name);
		do
			result = sendmsg(association->fd, &message, MSG_DONTWAIT);
		while (result < 0 && errno == EINTR);
		if (result >= 0)
			count_up(association, datagram->total);
		else if (!bear_error(association, errno))
			return;
	}
	udp_flow_drop_waiting(flow);
	udp_flow_use(flow);
}

/* ---- to the app -------------------------------------------------------------------------------- */

/* Raw sockets take no port: ip(7), and for IPv6 it would be read as a protocol. */
static socklen_t app_name(struct sockaddr_in6 *out, const struct cv_addr *to)
{
	struct cv_addr portless = *to;
	memset(portless.port, 0, sizeof portless.port);
	return udp_to_sockaddr(out, &portless, udp_is_ipv4(to) ? AF_INET : AF_INET6);
}

int udp_send_to_app(const struct udp_lane *lane, const struct cv_addr *from, const struct cv_addr *to,
                    const uint8_t *bytes, size_t size)
{
	uint8_t header[UDP_IPV6_HEADERS];
	size_t header_size = udp_build_headers(header, from, to, bytes, size);
	struct sockaddr_in6 name;
	struct iovec iov[2] = {{header, header_size}, {(void *)(uintptr_t)bytes, size}};
	struct msghdr message = {.msg_name = &name, .msg_iov = iov, .msg_iovlen = 2};
	int fd = udp_is_ipv4(to) ? lane->raw4 : lane->raw6;
	ssize_t result;
	if (header_size == 0)
		return udp_is_ipv4(from) == udp_is_ipv4(to) ? -EMSGSIZE : -EAFNOSUPPORT;
	if (fd < 0)
		return -EAFNOSUPPORT;
	message.msg_namelen = app_name(&name, to);
	do
		result = sendmsg(fd, &message, MSG_DONTWAIT);
	while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : 0;
}

void udp_send_unreachable(const struct udp_lane *lane, const struct udp_key *key, uint32_t size)
{
	uint8_t packet[UDP_UNREACHABLE_MAX];
	struct cv_addr source, destination;
	struct sockaddr_in6 name;
	size_t packet_size;
	int fd;
	udp_key_read(key, &source, &destination);
	fd = udp_is_ipv4(&source) ? lane->raw4 : lane->raw6;
	packet_size = udp_build_unreachable(packet, &source, &destination, size);
	if (packet_size == 0 || fd < 0)
		return;
	if (sendto(fd, packet, packet_size, MSG_DONTWAIT, (struct sockaddr *)&name, app_name(&name, &source)) < 0)
		udp_count_drop(&udp_engine.drops.unsent);
}

void udp_send_down(const struct cv_addr *from, uint8_t *bytes, uint32_t size)
{
	unsigned at = batch.out_count++;
	batch.out_from[at] = *from;
	batch.out_iov[at][1] = (struct iovec){bytes, size};
	batch.out_sizes[at] = size;
}

/* Each datagram from `first` on as a packet of its own. */
static unsigned plan_packets(const struct udp_association *association)
{
	unsigned count = 0;
	for (unsigned at = 0; at < batch.out_count; at++) {
		struct msghdr *message = &batch.sends[count].msg_hdr;
		const struct iovec *payload = &batch.out_iov[at][1];
		size_t header_size = udp_build_headers(batch.headers[at], &batch.out_from[at], &association->source,
		                                       payload->iov_base, payload->iov_len);
		if (header_size == 0) {
			udp_count_drop(&udp_engine.drops.too_large);
			continue;
		}
		batch.out_iov[at][0] = (struct iovec){batch.headers[at], header_size};
		*message = (struct msghdr){.msg_name = &batch.out_names[at], .msg_iov = batch.out_iov[at], .msg_iovlen = 2};
		message->msg_namelen = app_name(&batch.out_names[at], &association->source);
		batch.firsts[count] = at;
		batch.runs[count++] = 1;
	}
	return count;
}

/* How many datagrams from `first` on can go as one frame: one source, one size but for a shorter last one. */
static unsigned frame_from(unsigned first)
{
	uint32_t size = batch.out_sizes[first], total = size;
	unsigned at = first + 1;
	while (size > 0 && at < batch.out_count && udp_same_addr(&batch.out_from[at], &batch.out_from[first]) &&
	       batch.out_sizes[at - 1] == size && batch.out_sizes[at] <= size && batch.out_sizes[at] > 0 &&
	       total + batch.out_sizes[at] <= SEGMENTED_MAX)
		total += batch.out_sizes[at++];
	return at - first;
}

static unsigned plan_frames(const struct udp_association *association, const struct udp_lane *lane)
{
	unsigned count = 0, run;
	struct iovec *iov = batch.frame_iov;
	for (unsigned at = 0; at < batch.out_count; at += run) {
		struct msghdr *message = &batch.sends[count].msg_hdr;
		size_t total = 0, header_size;
		run = frame_from(at);
		*message = (struct msghdr){.msg_iov = iov, .msg_iovlen = 1 + run};
		for (unsigned i = 0; i < run; i++) {
			iov[1 + i] = batch.out_iov[at + i][1];
			total += iov[1 + i].iov_len;
		}
		header_size = udp_frame_build(batch.headers[at], lane, &batch.out_from[at], &association->source, total,
		                              batch.out_sizes[at]);
		if (header_size == 0) {
			udp_count_drop(&udp_engine.drops.too_large);
			continue;
		}
		iov[0] = (struct iovec){batch.headers[at], header_size};
		iov += 1 + run;
		batch.firsts[count] = at;
		batch.runs[count++] = run;
	}
	return count;
}

/* Sends what is planned; returns how many of the messages are done with. */
static unsigned send_down(struct udp_association *association, int fd, unsigned count, bool may_fail)
{
	unsigned sent = 0;
	while (sent < count) {
		int result = sendmmsg(fd, batch.sends + sent, count - sent, MSG_DONTWAIT);
		if (result < 0) {
			if (errno == EINTR)
				continue;
			if (may_fail && errno != EAGAIN && errno != ENOBUFS)
				return sent;
			udp_count_drop(&udp_engine.drops.unsent);
			result = 1;
		} else {
			for (int i = 0; i < result; i++) {
				unsigned message = sent + (unsigned)i;
				for (unsigned j = 0; j < batch.runs[message]; j++)
					association->bytes_down += batch.out_sizes[batch.firsts[message] + j];
				association->datagrams_down += batch.runs[message];
			}
		}
		sent += (unsigned)result;
	}
	return sent;
}

/* Forgets the first datagrams of the batch, which have been sent. */
static void drop_first(unsigned count)
{
	for (unsigned at = count; at < batch.out_count; at++) {
		batch.out_from[at - count] = batch.out_from[at];
		batch.out_iov[at - count][1] = batch.out_iov[at][1];
		batch.out_sizes[at - count] = batch.out_sizes[at];
	}
	batch.out_count -= count;
}

void udp_flush_down(struct udp_association *association)
{
	struct udp_lane *lane = &udp_engine.lanes[association->lane];
	bool is_ipv4 = udp_is_ipv4(&association->source);
	unsigned count, sent;
	if (batch.out_count == 0)
		return;
	udp_association_use(association);
	if (udp_frame_ready(lane, &association->source)) {
		count = plan_frames(association, lane);
		sent = send_down(association, lane->packet, count, true);
		if (sent < count) {
			/* This kernel or link cannot; the raw sockets take over, from here on for good. */
			udp_frame_detach(lane);
			drop_first(batch.firsts[sent]);
		} else {
			batch.out_count = 0;
		}
	}
	count = batch.out_count ? plan_packets(association) : 0;
	send_down(association, is_ipv4 ? lane->raw4 : lane->raw6, count, false);
	batch.out_count = 0;
}
