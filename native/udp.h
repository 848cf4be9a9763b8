/*
 * Inside of the UDP relay: what its files share. Nothing of this is exported.
 *
 * udp_packet.c  bytes: IPv4, IPv6, UDP and ICMP packets, SOCKS5 UDP headers, addresses; pure
 * udp_table.c   memory: the lock, associations, waiting datagrams
 * udp_flow.c    flows: what is known of each (lane, source, destination)
 * udp_layer.c   relays behind the relay: nested SOCKS5 headers
 * udp_event.c   the queue towards Node
 * udp_relay.c   the thread: receive, look up
 * udp_send.c    send, both ways
 * udp_frame.c   bursts to the app as one frame
 * udp_lane.c    lanes: their sockets, from the first to the last
 * udp.c         the other functions of culvert.h
 *
 * Everything in struct udp_engine but the event queue is guarded by one lock (udp_lock), which the thread
 * holds for one batch of one socket and Node's thread for one call; no system call that can block is made
 * under it. All memory is mapped by udp_table_start; there is no allocation after that.
 */
#ifndef CULVERT_UDP_H
#define CULVERT_UDP_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "internal.h"

#define UDP_PAYLOAD_MAX 65527    /* what the length field of UDP can say */
#define UDP_SOCKS_HEADER_MAX 262 /* RSV 2, FRAG, ATYP, length, 255 bytes of name, port 2 (RFC 1928 section 7) */
#define UDP_NAME_MAX 255
#define UDP_LANES 1024
#define UDP_WAITING_FLOWS 4096   /* undecided pairs at once; one lane may have half of them */
#define UDP_REFUSED_FLOWS 4096   /* remembered refusals at once; the oldest goes first */
#define UDP_FLOWS_EACH 4096      /* routed pairs of one association; its least recently used goes first */
#define UDP_WAITING_DATAGRAMS 512 /* per undecided pair: what a busy sender sends while a near proxy is asked */
#define UDP_WAITING_BYTES (1 << 20) /* per undecided pair */
#define UDP_PIECES 4096          /* of 2 KiB each, for all undecided pairs; one lane may have half of them */
#define UDP_WAITING_SECONDS 20
#define UDP_REFUSED_SECONDS 5
#define UDP_BATCH 32             /* datagrams per wake-up of a socket: then another one has its turn */

/* ---- udp_packet.c ------------------------------------------------------------------------------ */

#define UDP_IPV4_HEADERS 28 /* IPv4 and UDP */
#define UDP_IPV6_HEADERS 48 /* IPv6 and UDP */
#define UDP_UNREACHABLE_MAX 96

/* Who a SOCKS5 UDP header names. A name is kept as it is compared: in lower case, without its port. */
struct udp_peer {
	struct cv_addr addr; /* a name: address zero, port as given */
	uint8_t name_size;   /* 0 for an address */
	uint8_t name[UDP_NAME_MAX];
};

bool udp_is_ipv4(const struct cv_addr *addr);
bool udp_same_addr(const struct cv_addr *a, const struct cv_addr *b);
bool udp_same_peer(const struct udp_peer *a, const struct udp_peer *b);
/* True for an address that a datagram or an ICMP message can come from: not multicast, broadcast, or none. */
bool udp_is_host(const struct cv_addr *addr);
bool udp_is_loopback(const struct cv_addr *addr);
/* From sockaddr_in or sockaddr_in6; false for another family or a short one. */
bool udp_from_sockaddr(struct cv_addr *out, const void *name, size_t size);
/* For a socket of `family`: the size, or 0 when that family cannot name the address. */
socklen_t udp_to_sockaddr(struct sockaddr_in6 *out, const struct cv_addr *addr, int family);
/* Reads ATYP, address, port from the front; bytes read, or 0 when they are short or wrong. */
size_t udp_parse_peer(struct udp_peer *out, const uint8_t *bytes, size_t size);
/* Reads a whole SOCKS5 UDP header; bytes read, or 0. A fragment (FRAG not 0) counts as wrong. */
size_t udp_parse_socks(struct udp_peer *out, const uint8_t *bytes, size_t size);
/*
 * The IP and UDP header in front of payload (28 or 48 bytes, by the family of both addresses, which must be
 * the same), checksums included. Returns the header's size; 0 when the families differ or it does not fit
 * into a link of 65,535 bytes.
 */
size_t udp_build_headers(uint8_t *out, const struct cv_addr *from, const struct cv_addr *to, const uint8_t *payload,
                         size_t size);
/*
 * The same for a packet whose UDP checksum the kernel completes, when it has cut the payload into datagrams:
 * of the checksum there is only the pseudo header's part.
 */
size_t udp_build_partial(uint8_t *out, const struct cv_addr *from, const struct cv_addr *to, size_t size);
/*
 * ICMP port unreachable (RFC 792; RFC 4443 section 3.1) from `destination` to `source`, quoting the headers of
 * a datagram of `size` bytes that went the other way. Returns its size; 0 when it must not be sent (RFC 1122
 * section 3.2.2: never about or from a group).
 */
size_t udp_build_unreachable(uint8_t *out, const struct cv_addr *source, const struct cv_addr *destination,
                             size_t size);

/* Writes the SOCKS5 UDP header for a target (ATYP, address, port) of `size` bytes; returns the header's size. */
size_t udp_build_socks(uint8_t *out, const void *target, size_t size);

/* ---- udp_table.c ------------------------------------------------------------------------------- */

struct udp_list {
	struct udp_list *previous;
	struct udp_list *next;
};

/* A waiting datagram is a chain of pieces; the first one knows the whole. */
struct udp_piece {
	struct udp_piece *more;
	struct udp_piece *next_datagram;
	uint32_t total;
	uint32_t used;
	uint8_t bytes[2048 - 2 * sizeof(void *) - 8];
};

struct udp_lane {
	bool is_used;
	uint32_t generation; /* of this slot: events of an earlier lane are not told */
	int udp, dns, raw4, raw6;
	int packet; /* -1, or sends frames to the app's end of the link */
	int packet_interface;
	bool knows_app; /* its link address is in `app` */
	uint8_t gateway[6], app[6];
	uint32_t waiting_flows;
	uint32_t waiting_pieces;
};

enum udp_association_state { UDP_FREE = 0, UDP_LIVE, UDP_ENDED };

/* A relay behind the association's relay, as its replies have to name it. */
struct udp_layer {
	struct udp_peer peer;
	bool is_heard; /* a name: replies named the address in `heard` */
	struct cv_addr heard;
};

/* All of them, and what stands in front of a flow's own header. */
struct udp_layers {
	uint32_t count;
	uint32_t size; /* of the headers */
	struct udp_layer each[CV_UDP_LAYERS];
	uint8_t headers[CV_UDP_LAYERS * UDP_SOCKS_HEADER_MAX];
};

struct udp_association {
	struct udp_list by_use; /* live: least recently used last; ended: in order of the end */
	struct udp_list flows;  /* head: routed, most recently used first */
	struct udp_list names;  /* head: those of them whose target is a name */
	struct udp_association *next_free;
	enum udp_association_state state;
	uint32_t generation;
	uint32_t flow_count;
	uint32_t lane;
	int fd;
	int family;
	int kind;
	uint32_t segment_max; /* datagrams longer than this, header included, cannot be sent in one with others */
	struct cv_addr source;
	struct cv_addr relay;
	struct udp_layers *layers; /* NULL for one relay alone */
	int64_t last_used; /* seconds since boot */
	uint64_t bytes_up, bytes_down, datagrams_up, datagrams_down;
};

struct udp_key {
	uint32_t lane;
	uint8_t source[18];
	uint8_t destination[18];
};

enum udp_flow_state { UDP_FLOW_FREE = 0, UDP_FLOW_WAITING, UDP_FLOW_REFUSED, UDP_FLOW_ROUTED };

/* One (lane, source, destination), from its first datagram on. */
struct udp_flow {
	struct udp_flow *next_by_key;
	struct udp_flow *next_by_peer; /* routed */
	struct udp_list by_state;      /* waiting and refused: oldest first; routed: least recently used last */
	struct udp_list by_association;
	struct udp_list by_name;
	struct udp_key key;
	uint32_t key_hash;
	uint32_t peer_hash;
	enum udp_flow_state state;
	bool is_told;      /* waiting: Node knows */
	bool is_heard;     /* routed to a name: replies came from the address in `heard` */
	int64_t since;     /* seconds since boot */
	uint32_t last_size; /* payload of the newest datagram */
	uint32_t waiting_count;
	uint32_t waiting_bytes;
	struct udp_piece *waiting_first;
	struct udp_piece *waiting_last;
	struct udp_association *association;
	uint64_t sent; /* the engine's send count at the last send: tells which flow was used last */
	struct udp_peer target;
	struct cv_addr heard;
	uint16_t header_size; /* 0 for a direct association */
	uint8_t header[UDP_SOCKS_HEADER_MAX]; /* the one with the target */
};

/* Datagrams that went nowhere, by reason; for tests and figures. */
struct udp_drops {
	_Atomic uint64_t waiting_full;
	_Atomic uint64_t waiting_old;
	_Atomic uint64_t events_full;
	_Atomic uint64_t foreign;   /* not from the relay's address, or by other relays than the layers */
	_Atomic uint64_t malformed; /* SOCKS5 header wrong, or a fragment */
	_Atomic uint64_t unmapped;  /* from a name or an address that cannot be told to the app */
	_Atomic uint64_t too_large;
	_Atomic uint64_t unsent; /* the kernel did not take it */
};

struct udp_engine {
	bool is_started;
	int epoll;
	int timer;
	bool must_ring; /* Node has to hear of something */
	int64_t now;    /* seconds since boot, set once a wake-up */
	int64_t idle_seconds;
	uint64_t send_count;
	uint64_t seed[4];
	uint32_t association_limit, association_slots, association_count, association_fresh;
	struct udp_association *associations; /* 1 … association_slots */
	struct udp_layers *layers;            /* with the same numbers; untouched where there are none */
	struct udp_association *free_associations;
	struct udp_list live, ended;
	_Atomic uint32_t ended_count;
	uint32_t flow_slots, flow_fresh, bucket_mask;
	uint32_t routed_limit, routed_count, waiting_count, refused_count, untold_count;
	struct udp_flow *flows;
	struct udp_flow *free_flows;
	struct udp_flow **by_key;
	struct udp_flow **by_peer;
	struct udp_list waiting, refused, routed;
	uint32_t piece_fresh;
	struct udp_piece *pieces;
	struct udp_piece *free_pieces;
	struct udp_lane lanes[UDP_LANES];
	uint32_t next_lane;
	struct udp_drops drops;
};

extern struct udp_engine udp_engine;

static inline void udp_count_drop(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

#define UDP_OF(entry, type, member) ((type *)(void *)((char *)(entry) - offsetof(type, member)))

void udp_lock(void);
/* Rings for Node afterwards when must_ring was set. */
void udp_unlock(void);

void udp_list_init(struct udp_list *head);
void udp_list_remove(struct udp_list *entry);
void udp_list_insert(struct udp_list *after, struct udp_list *entry);
void udp_list_to_front(struct udp_list *head, struct udp_list *entry);

/* Maps the tables; 0 or a negative errno. */
int udp_table_start(uint32_t associations);
/* Reads the clock into udp_engine.now. */
void udp_tick(void);

/* A live association's slot from its number, or an ended one's; NULL for others. */
struct udp_association *udp_association_at(uint32_t number);
uint32_t udp_association_number(const struct udp_association *association);
/* A live association with nothing but its lists set, or NULL when no slot is free. */
struct udp_association *udp_association_take(void);
void udp_association_use(struct udp_association *association);
/* Forgets its flows. Told: waits in udp_engine.ended for Node. The caller has closed its socket. */
void udp_association_end(struct udp_association *association, bool is_told);
/* Frees an ended association's slot. */
void udp_association_free(struct udp_association *association);

/* Adds a datagram to those that wait, or drops and counts it. */
void udp_flow_wait(struct udp_flow *flow, const uint8_t *bytes, uint32_t size);
void udp_flow_drop_waiting(struct udp_flow *flow);

/* ---- udp_flow.c -------------------------------------------------------------------------------- */

void udp_key_make(struct udp_key *out, uint32_t lane, const struct cv_addr *source,
                  const struct cv_addr *destination);
void udp_key_read(const struct udp_key *key, struct cv_addr *source, struct cv_addr *destination);
struct udp_flow *udp_flow_find(const struct udp_key *key);
/* A new flow that waits; NULL when there is no room for one more undecided pair (of this lane). */
struct udp_flow *udp_flow_add(const struct udp_key *key);
/* From any state, and what waited is forgotten. */
void udp_flow_refuse(struct udp_flow *flow);
/*
 * From any state. What waited stays with it until udp_flow_drop_waiting. target and header are set by the
 * caller before; the flow is found by udp_flow_from_peer from now on.
 */
void udp_flow_route(struct udp_flow *flow, struct udp_association *association);
void udp_flow_use(struct udp_flow *flow);
void udp_flow_remove(struct udp_flow *flow);
/* The routed flow that a reply from `peer` belongs to, or NULL; see the definition. */
struct udp_flow *udp_flow_from_peer(struct udp_association *association, const struct udp_peer *peer);
/* Forgets all undecided and refused pairs of a lane. */
void udp_flows_of_lane_remove(uint32_t lane);
/* Forgets what waited or was refused too long ago. */
void udp_flows_expire(void);

/* ---- udp_layer.c ------------------------------------------------------------------------------- */

/* Gives an association its layers; 0, or -EINVAL for bytes that are no addresses, -E2BIG for too many. */
int udp_layers_read(struct udp_association *association, const void *bytes, uint32_t size);
/*
 * The size of the outer headers of a reply, 0 without layers; negative, and counted, when they do not name the
 * layers.
 */
int udp_layers_strip(struct udp_association *association, const uint8_t *bytes, uint32_t size);

/* ---- udp_event.c ------------------------------------------------------------------------------- */

int udp_event_start(void);
/* The relay's thread only: false when there is no room. */
bool udp_event_put(const struct cv_udp_event *event, const uint8_t *payload, uint32_t generation);
/* Node's thread only: as cv_udp_poll, EXPIRED aside. Events of lanes that are gone are passed over. */
int udp_event_take(void *out, uint32_t room);

/* ---- udp_relay.c ------------------------------------------------------------------------------- */

#define UDP_WATCH_TIMER 1u
#define UDP_WATCH_LANE 2u
#define UDP_WATCH_DNS 3u
#define UDP_WATCH_ASSOCIATION 4u

/* Adds a descriptor to the thread's epoll instance; 0 or a negative errno. */
int udp_watch(int fd, uint32_t kind, uint32_t index, uint32_t generation);
/* Takes it away and closes it; -1 is no descriptor. */
void udp_unwatch(int fd);
int udp_relay_start(void);
/* Closes the socket and forgets the association. */
void udp_end(struct udp_association *association, bool is_told);

/* ---- udp_lane.c -------------------------------------------------------------------------------- */

/* The lane with this number of Node's, or NULL. */
struct udp_lane *udp_lane_at(int lane);
/* An option of SOL_SOCKET, or a negative errno. */
int udp_socket_option(int fd, int option);
/* A copy of a socket of this type, or a negative errno; -1 stays -1. */
int udp_copy_socket(int fd, int type, int *out);

/* ---- udp_send.c -------------------------------------------------------------------------------- */

/* True when nothing will come of the association any more: its relay's port is closed, or its socket no use. */
bool udp_is_fatal(const struct udp_association *association, int error);
/*
 * Relay's thread only: collects a datagram, at most UDP_BATCH before a flush; its bytes stay where they are
 * until then. A flush sends all, and may end an association.
 */
void udp_send_up(struct udp_flow *flow, uint8_t *bytes, uint32_t size);
void udp_flush_up(void);
void udp_send_down(const struct cv_addr *from, uint8_t *bytes, uint32_t size);
void udp_flush_down(struct udp_association *association);
/* Sends what waited for a flow that has just been routed. */
void udp_send_waiting(struct udp_flow *flow);
/* Answers a datagram of `size` bytes with ICMP port unreachable. */
void udp_send_unreachable(const struct udp_lane *lane, const struct udp_key *key, uint32_t size);
/* One datagram from `from` to the app; 0 or a negative errno. */
int udp_send_to_app(const struct udp_lane *lane, const struct cv_addr *from, const struct cv_addr *to,
                    const uint8_t *bytes, size_t size);

/* ---- udp_frame.c ------------------------------------------------------------------------------- */

#define UDP_FRAME_HEADERS (10 + 14 + UDP_IPV6_HEADERS) /* virtio, Ethernet, IP and UDP */

/* Takes a packet socket over, 0 or a negative errno; gives it back, or -1. */
int udp_frame_attach(struct udp_lane *lane, int fd);
int udp_frame_detach(struct udp_lane *lane);
/* True when frames can be sent to this app. */
bool udp_frame_ready(struct udp_lane *lane, const struct cv_addr *app);
/* What stands before `total` bytes, which are datagrams of `each` bytes (the last one may be shorter); its size. */
size_t udp_frame_build(uint8_t *out, const struct udp_lane *lane, const struct cv_addr *from,
                       const struct cv_addr *to, size_t total, size_t each);

#endif
