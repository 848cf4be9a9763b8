/*
 * libculvert: the parts of Culvert that Node cannot do itself.
 *
 * Loaded by koffi in one file of the engine and one of the helper. Every function returns 0 or a
 * positive result, or a negative errno value; none of them throws, aborts or logs. Unless a comment
 * says otherwise a function is called from Node's main thread and does not block.
 *
 * watch.c   readiness of any descriptor, and doorbells of the other parts, as bytes in a pipe
 * link.c    messages with descriptors over SOCK_SEQPACKET (unix(7))
 * socket.c  network namespaces and the sockets of a lane
 * tool.c    starting ip and nft
 * process.c sessions, terminals, memory files, hardening of this process
 * wait.c    how a relay's thread waits: asleep, or awake for a moment
 * pump.c    TCP: accepting, dialling through SOCKS5, splice(2) between two sockets, in a few threads
 * udp.c     UDP: transparent receive, SOCKS5 encapsulation, raw replies, in one thread
 */
#ifndef CULVERT_H
#define CULVERT_H

#include <stddef.h>
#include <stdint.h>

#define CV_EXPORT __attribute__((visibility("default")))

/* Changes with every change of this interface; the engine and the helper refuse another one. */
#define CV_ABI 6
CV_EXPORT int cv_abi(void);

/* ---- watch.c: one thread, one epoll instance, one pipe that Node reads ------------------------- */

/* What a ring means. Each is one 8-byte record in the pipe: uint32 kind, uint32 value. */
#define CV_RING_READABLE 1 /* value: a watched descriptor; it stays silent until cv_watch_again */
#define CV_RING_PUMP 2     /* value 0: cv_pump_reap has something */
#define CV_RING_UDP 3      /* value 0: cv_udp_poll has something */

/* Starts the thread. Returns the read end of the pipe; called once in a process. */
CV_EXPORT int cv_watch_start(void);
/* Watches fd for one readiness (readable, or hung up). */
CV_EXPORT int cv_watch_add(int fd);
CV_EXPORT int cv_watch_again(int fd);
CV_EXPORT int cv_watch_remove(int fd);
/* For the other parts, from any thread: wakes Node. Never blocks; rings of one kind may merge. */
void cv_ring(uint32_t kind);

/* ---- link.c: messages with descriptors --------------------------------------------------------- */

/* Listens at path (mode 0600; the directory keeps others out). Non-blocking. */
CV_EXPORT int cv_link_listen(const char *path);
CV_EXPORT int cv_link_accept(int listener);
CV_EXPORT int cv_link_connect(const char *path);
/* Process, user and group id of the peer at the time it connected (SO_PEERCRED), into out[3]. */
CV_EXPORT int cv_link_peer(int fd, int32_t *out);
/* Sends one message; waits at most 5 s for room, then -ETIMEDOUT. */
CV_EXPORT int cv_link_send(int fd, const void *message, uint32_t size, const int32_t *fds, int32_t count);
/*
 * Receives one message: its size, 0 at end of file, -EAGAIN when there is none, -EMSGSIZE when it did not
 * fit into size or brought more than room descriptors (those that came are closed). The descriptors are
 * close-on-exec; their number goes to *count.
 */
CV_EXPORT int cv_link_receive(int fd, void *message, uint32_t size, int32_t *fds, int32_t room, int32_t *count);
CV_EXPORT int cv_close(int fd);

/* ---- socket.c: namespaces (helper) --------------------------------------------------------------- */

/* Moves the calling thread into a new network namespace and returns a descriptor for it. */
CV_EXPORT int cv_netns_new(void);
/* A descriptor for the calling thread's present network namespace. */
CV_EXPORT int cv_netns_self(void);
/* Moves the calling thread into the namespace (setns(2), CLONE_NEWNET). */
CV_EXPORT int cv_netns_enter(int fd);
/* Inode number of a namespace descriptor, as a double-safe integer. */
CV_EXPORT int64_t cv_netns_inode(int fd);
/* A descriptor for the network namespace of a process, without blocking. */
CV_EXPORT int cv_netns_of(int pid);

/* ---- segment.c: the pieces in which TCP hands its bytes to a link (helper) ---------------------- */

/*
 * Lets TCP over IPv4 hand pieces of up to so many bytes to an interface, 64 KiB being the usual limit ("BIG TCP",
 * IFLA_GSO_IPV4_MAX_SIZE in linux/if_link.h). Kernels before 6.3 pass it over and answer 0.
 */
CV_EXPORT int cv_segment_size(const char *interface, uint32_t bytes);

/* ---- socket.c: sockets of a lane (helper) ------------------------------------------------------- */

/*
 * Mint a socket in the calling thread's present namespace. port in host order. `ipv6` 0 makes a plain IPv4
 * socket where the kernel has no IPv6, 1 a dual-stack one. Listeners are listening, all are non-blocking.
 */
CV_EXPORT int cv_mint_tcp(int ipv6, int port, int transparent);
/* IP_TRANSPARENT, IP_RECVORIGDSTADDR and IPV6_RECVORIGDSTADDR set, large receive buffer. */
CV_EXPORT int cv_mint_udp(int ipv6, int port);
/* Header-included raw socket: family 4 (IPPROTO_RAW) or 6 (IPPROTO_RAW with IPV6_HDRINCL). */
CV_EXPORT int cv_mint_raw(int family);
/*
 * Packet socket of an interface, by which bursts of UDP go to the app as one frame. It hears nothing. Optional:
 * what it cannot do goes through the raw sockets.
 */
CV_EXPORT int cv_mint_packet(const char *interface);
/* Sockets bound to 127.0.0.1 or ::1 (family 4 or 6); stream 1 for TCP, listening. */
CV_EXPORT int cv_mint_stub(int family, int stream, int port);
/*
 * For the engine, in the namespace of its own process. With a `device` what they send leaves by that interface or not
 * at all (SO_BINDTODEVICE): -ENODEV when there is none of that name, -EPERM where the kernel (before 5.7) leaves that
 * to root. NULL: by the routes.
 */
/* An unconnected UDP socket of family 4 or 6 (IPv6 only), bound to a port of the kernel's choice. */
CV_EXPORT int cv_udp_socket(int family, const char *device);
/* An unconnected TCP socket of family 4 or 6. */
CV_EXPORT int cv_tcp_socket(int family, const char *device);

/* ---- tool.c: ip and nft (helper) ------------------------------------------------------------------ */

/*
 * Starts a program in the calling thread's network namespace with a fixed environment: `words`, of `size` bytes, is
 * its path and its arguments, each with a NUL behind it; `input` is a file on its stdin; `third`, unless -1, is its
 * descriptor 3. Returns its process id, and into *complaints the end of a pipe at which its stderr is read.
 */
CV_EXPORT int cv_tool_start(char *words, uint32_t size, const void *input, uint32_t input_size, int third,
			    int32_t *complaints);
/*
 * Waits for its end, closes `complaints`, and returns its status as wait(2) has it. Into `out`, of `room` bytes and
 * at least one, goes what it complained of, as a string. After timeout_ms it is killed: -ETIMEDOUT. This one blocks.
 */
CV_EXPORT int cv_tool_wait(int pid, int complaints, int timeout_ms, char *out, uint32_t room);

/* ---- process.c --------------------------------------------------------------------------------- */

/* RLIMIT_CORE soft limit 0 and PR_SET_DUMPABLE 0 (S52). */
CV_EXPORT int cv_harden(void);
/* Session id and process group of a process (0 for this one), into out[2]. */
CV_EXPORT int cv_session(int pid, int32_t *out);
/* Moves this process into a process group of its own; nothing to do where it leads one already. */
CV_EXPORT int cv_own_group(void);
/* A sealed memory file with these bytes, offset 0, close-on-exec. */
CV_EXPORT int cv_memory_file(const void *bytes, uint32_t size);
/* A pipe, both ends close-on-exec, read end non-blocking: out[0] to read, out[1] to write. */
CV_EXPORT int cv_pipe(int32_t *out);
/* Two connected Unix stream sockets, close-on-exec and non-blocking, into out[2]. */
CV_EXPORT int cv_socket_pair(int32_t *out);
/*
 * 1 when the other end of a Unix stream socket is closed, 0 when it is open, also if it has said end of file. With
 * that the end of a pair that Node has tells a flow's end from an app's end of file.
 */
CV_EXPORT int cv_is_hung_up(int fd);
/* dup with close-on-exec at or above 3. */
CV_EXPORT int cv_dup(int fd);
/* A pseudo terminal: out[0] master (non-blocking), out[1] slave, with the settings and size of the terminal `like`. */
CV_EXPORT int cv_pty_open(int like, int32_t *out);
/* Copies the window size of terminal `from` to `to`. */
CV_EXPORT int cv_pty_resize(int from, int to);
/* Writes the settings of a terminal to `saved`, which has room for CV_TERMINAL_BYTES. */
#define CV_TERMINAL_BYTES 64
CV_EXPORT int cv_terminal_save(int fd, void *saved);
/* Makes a terminal pass every byte on unchanged, both ways (termios(3), cfmakeraw); its settings go to `saved`. */
CV_EXPORT int cv_terminal_raw(int fd, void *saved);
/* Gives a terminal the settings that were written down, also from the background. */
CV_EXPORT int cv_terminal_restore(int fd, const void *saved);
/* getrlimit(2) of this process, into out[2] (soft, hard), -1 for infinity. */
CV_EXPORT int cv_limit(int resource, int64_t *out);
/* Moves a byte from a socket to another by splice(2), as the pump does; -errno where the kernel cannot. */
CV_EXPORT int cv_splice_try(void);
/* Sends a signal through pidfd after checking that the process is in the network namespace `inode`. */
CV_EXPORT int cv_signal_in_netns(int pid, int64_t inode, int signal);
/* Ends this process with nothing that Node does at its end (_exit(2)): it would set the terminal back. */
CV_EXPORT void cv_exit(int status);
/* Resets the signal to its default and sends it to this process; does not return if it is deadly. */
CV_EXPORT int cv_die_by(int signal);

/* ---- addresses --------------------------------------------------------------------------------- */

/* 20 bytes: 16 of IPv6 (IPv4 as ::ffff:a.b.c.d), 2 of port in network order, 2 zero. */
struct cv_addr {
	uint8_t ip[16];
	uint8_t port[2];
	uint8_t zero[2];
};

/* ---- pump.c: the TCP relay --------------------------------------------------------------------- */

/* What cv_pump_reap tells of. */
#define CV_FLOW_ACCEPTED 1 /* an app connected: cv_pump_dial, cv_pump_join, cv_pump_take or cv_pump_abort it */
#define CV_FLOW_OPENED 2   /* cv_pump_dial came through; left out when the flow has ended by the time */
#define CV_FLOW_ENDED 3    /* its number is free again */
#define CV_FLOW_DIALLING 4 /* an app connected, and is dialled as the last one that wanted the same */

/* Why a flow ended. */
#define CV_END_CLEAN 1       /* both sides said end of file */
#define CV_END_APP_RESET 2   /* the app's side failed; error is its errno */
#define CV_END_PROXY_RESET 3 /* the proxy's side failed; error is its errno */
#define CV_END_ABORTED 4     /* cv_pump_abort */
#define CV_END_HALF_IDLE 5   /* one side closed, the other silent for 60 s */
/* These four before it was open, at `stage`. */
#define CV_END_UNREACHABLE 6 /* no connection to the proxy; error is the errno */
#define CV_END_DIAL_CLOSED 7 /* the proxy closed (error 0) or the connection failed (its errno) */
#define CV_END_DIAL_ANSWER 8 /* byte `at` of the proxy's answer is `value`: a no, or nonsense */
#define CV_END_DIAL_LATE 9   /* the deadline */

/* What a dial waits for. */
#define CV_DIAL_CONNECTING 0
#define CV_DIAL_GREETING 1 /* the answer to it: the method */
#define CV_DIAL_SIGN_IN 2
#define CV_DIAL_REQUEST 3
/* `at` of an answer that went on behind its end. */
#define CV_DIAL_SURPLUS 255

struct cv_flow_event {
	uint32_t kind;
	uint32_t flow;
	uint32_t reason; /* ENDED */
	int32_t error;
	uint32_t dial_ms; /* OPENED and ENDED: what cv_pump_dial took; UINT32_MAX if it did not come through */
	uint8_t stage;
	uint8_t at;
	uint8_t value;
	uint8_t is_new;    /* the first that is told of this flow: whatever it is, it was accepted before */
	uint64_t bytes_up; /* app to proxy */
	uint64_t bytes_down;
	/* Of accepted ones: */
	uint32_t listener;
	uint16_t source_port; /* the app's, host order */
	uint16_t zeros;
	struct cv_addr destination;
	uint32_t first_byte_ms; /* ENDED: as in cv_pump_counters */
};

/* Starts `threads` threads with room for `flows` flows in all. Once in a process. */
CV_EXPORT int cv_pump_start(int threads, int flows);
/*
 * Accepts on a listening socket from now on, and owns it. What was connected to is the local address, or with
 * `redirected` the one before REDIRECT. A connection for which no flow is free is reset. Returns its number, which
 * is not given out again.
 */
CV_EXPORT int cv_pump_listen(int fd, int redirected);
/*
 * Accepts whatever waits at the listener, here and now: all of it can be collected when this returns. Returns how many
 * there were besides those that its thread had accepted, or the error for which some still wait, such as -EMFILE.
 */
CV_EXPORT int cv_pump_settle(int listener);
/* Closes a listener. Accepted flows that are yet to be told of keep their number. */
CV_EXPORT int cv_pump_unlisten(int listener);
/*
 * Forgets how the listener's flows were dialled (cv_pump_dial, again_ms): what it accepts from now on is asked about.
 * Flows that were accepted before are dialled as they were decided about, told of or not.
 */
CV_EXPORT int cv_pump_forget(int listener);
/*
 * Copies up to `room` of the first bytes that the app has sent, which stay where they are, from a flow that is accepted
 * or being dialled. Returns how many; 0 also when it is at its end, or open by now. -ENOENT for a free or ended one.
 */
CV_EXPORT int cv_pump_peek(int flow, void *out, uint32_t room);
/* Gives an accepted flow's socket to the caller, non-blocking, close-on-exec; the flow is forgotten. */
CV_EXPORT int cv_pump_take(int flow);
/*
 * Connects an accepted flow through the SOCKS5 proxy (RFC 1928): `sign_in` is the message of RFC 1929 or empty
 * (at most 513 bytes), `request` begins with VER (at most 262 bytes), `timeout_ms` is for everything until the
 * proxy's yes. After a failure here the flow is still the caller's. Connections that the same listener accepts for
 * the same destination within `again_ms` are dialled in the same way without asking, as CV_FLOW_DIALLING; with 0 none
 * are, also by what an earlier flow to it left. With a `device` (or NULL) the proxy is reached by that interface or
 * not at all; one that is missing is CV_END_UNREACHABLE with ENODEV.
 */
CV_EXPORT int cv_pump_dial(int flow, const struct cv_addr *proxy, const char *device, const void *sign_in,
                           uint32_t sign_in_size, const void *request, uint32_t request_size, uint32_t timeout_ms,
                           uint32_t again_ms);
/*
 * Gives an accepted flow a connected socket as its proxy's side, which is duplicated, and the bytes that were
 * already read from it (at most 64 KiB). After a failure the flow is still the caller's.
 *
 * Of a Unix socket (cv_socket_pair) an end of file is only what was said by shutdown(2). Its other end being closed
 * before it has heard the app's end of file is a failure, CV_END_PROXY_RESET: without SO_LINGER there is no other.
 * In the same way the pump closes its end without a shutdown when the flow does not end cleanly (cv_is_hung_up).
 */
CV_EXPORT int cv_pump_join(int flow, int proxy, const void *to_app, uint32_t to_app_size);
/*
 * Relays between two connected sockets, which are duplicated: the caller closes its own. The bytes given are
 * those already read from the proxy (sent to the app first) and from the app (sent to the proxy first); at
 * most 64 KiB each, counted like all others when they are delivered. Both sockets have SO_LINGER {1, 0} until a clean end.
 * Returns the number of the flow, which stays taken until cv_pump_reap has told of its end.
 */
CV_EXPORT int cv_pump_add(int app, int proxy, const void *to_app, uint32_t to_app_size, const void *to_proxy,
                          uint32_t to_proxy_size);
/*
 * Resets both sides. The end is told by cv_pump_reap as for any other; only a flow that is accepted and nothing
 * else is free at once.
 */
CV_EXPORT int cv_pump_abort(int flow);
/*
 * The app is gone: what it sent is still delivered, nothing is waited for that would come for it. The flow ends
 * cleanly once its last byte and the end of file are with the kernel, which goes on sending for a closed socket.
 */
CV_EXPORT int cv_pump_release(int flow);
/*
 * Of flows first … first+count-1, into out[3*count]: bytes up, bytes down, and the milliseconds from when both sides
 * were there to the first byte for the app, plus one; 0 while there was none, and for free ones.
 */
CV_EXPORT int cv_pump_counters(int first, int count, uint64_t *out);
/*
 * Takes up to max events; returns how many. Accepted flows ring at once, the rest within a few milliseconds, so
 * that much of it costs no waking of its own.
 */
CV_EXPORT int cv_pump_reap(struct cv_flow_event *out, int max);

/* ---- udp.c: the UDP relay ---------------------------------------------------------------------- */

/* A lane is the index that cv_udp_lane_add returned. */

/* What cv_udp_poll tells of. */
#define CV_UDP_UNKNOWN 1 /* first datagram for (source, destination): decide, its bytes wait (bounded) */
#define CV_UDP_DNS 2     /* a datagram to port 53: payload follows */
#define CV_UDP_EXPIRED 3 /* an association ended: idle, evicted, or its relay socket failed */

struct cv_udp_event {
	uint32_t kind;
	uint32_t lane;
	uint32_t association; /* EXPIRED only */
	uint32_t size;        /* payload bytes after this header (DNS only) */
	struct cv_addr source;
	struct cv_addr destination;
	uint64_t bytes_up; /* EXPIRED only */
	uint64_t bytes_down;
};

#define CV_UDP_SOCKS 1  /* SOCKS5 UDP relay: header in front (RFC 1928 section 7) */
#define CV_UDP_DIRECT 2 /* sent as it is from a socket of the host namespace */

/* Starts the thread. Associations at most, idle expiry in seconds (60 to 180). Once in a process. */
CV_EXPORT int cv_udp_start(int associations, int idle_seconds);
/* Takes over (duplicates) the lane's sockets; dns or raw6 may be -1. */
CV_EXPORT int cv_udp_lane_add(int udp, int dns, int raw4, int raw6);
/* Gives the lane (a copy of) a packet socket of cv_mint_packet, of the gateway's end of the link. */
CV_EXPORT int cv_udp_lane_packet(int lane, int packet);
/* Ends all of the lane's associations and closes its sockets. */
CV_EXPORT int cv_udp_lane_remove(int lane);
/*
 * An association for the app socket `source`: socket is a UDP socket of the host namespace (duplicated), or -1
 * for one of its own. For SOCKS `relay` is the only address that is sent to and heard from (S50); the socket is
 * connected to it. A source may have several associations: a name that is routed through one of its own leaves
 * no doubt about which of its destinations a reply is from. Returns its number.
 *
 * `layers` are the relays behind `relay`, one after the other in the form of SOCKS5 (ATYP, address, port), at most
 * CV_UDP_LAYERS: each is the destination of a header in front of the one with the target, the first one outermost.
 * Every reply has to name them all in the same places, or it is not heard; for a layer that is given by name either
 * the name, or the address that the first reply named, with the layer's port.
 */
#define CV_UDP_LAYERS 4
CV_EXPORT int cv_udp_associate(int lane, const struct cv_addr *source, int socket, int kind,
                               const struct cv_addr *relay, const void *layers, uint32_t layers_size);
CV_EXPORT int cv_udp_dissociate(int association);
/*
 * The decision for datagrams from the association's source to `destination`: target is what the proxy gets
 * in the SOCKS5 header (ATYP, address, port: RFC 1928) or, for a direct association, a cv_addr. Replies that
 * come from target are given to the app as coming from destination. Datagrams that waited are sent.
 */
CV_EXPORT int cv_udp_route(int association, const struct cv_addr *destination, const void *target, uint32_t size);
/* Forgets the datagrams that waited for (source, destination) and answers ICMP port unreachable. */
CV_EXPORT int cv_udp_refuse(int lane, const struct cv_addr *source, const struct cv_addr *destination);
/* Sends one datagram to the app with any source (answers of DNS). At most 65,507 bytes. */
CV_EXPORT int cv_udp_reply(int lane, const struct cv_addr *from, const struct cv_addr *to, const void *bytes,
                           uint32_t size);
/* Takes the next event into out; its whole size, 0 when there is none. room >= 64 KiB + the header. */
CV_EXPORT int cv_udp_poll(void *out, uint32_t room);
/* Byte and datagram counters of an association, into out[4]: bytes up, down, datagrams up, down. */
CV_EXPORT int cv_udp_counters(int association, uint64_t *out);

#endif
