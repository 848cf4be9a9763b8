/*
 * A lane for tests of the UDP relay: a "host", an app and a gateway namespace, the link between the last two,
 * rules and routes as the helper makes them, and small functions to play app, Node and SOCKS5 server.
 *
 * Everything happens in namespaces of this process and ends with it. Needs root, ip and nft.
 */
#ifndef UDP_WORLD_H
#define UDP_WORLD_H

#include <sched.h>
#include <sys/wait.h>

#include "check.h"

#define WORLD_UDP_PORT 50081
#define WORLD_DNS_PORT 50053

static int world_host, world_app, world_gateway;
static bool lanes_have_packet_sockets = true;

static inline int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void run_in(int namespace, const char *command)
{
	CHECK(cv_netns_enter(namespace) == 0);
	if (system(command) != 0) {
		fprintf(stderr, "failed: %s\n", command);
		exit(1);
	}
	CHECK(cv_netns_enter(world_host) == 0);
}

static inline void make_world(void)
{
	char link[256];
	world_app = cv_netns_new();
	world_gateway = cv_netns_new();
	world_host = cv_netns_new();
	CHECK(world_app >= 0 && world_gateway >= 0 && world_host >= 0);
	snprintf(link, sizeof link,
	         "ip link add app0 mtu 65535 type veth peer name gw0 mtu 65535 netns /proc/%d/fd/%d", getpid(),
	         world_gateway);
	run_in(world_host, "ip link set lo up");
	run_in(world_app, link);
	run_in(world_gateway, "ip link set lo up; ip link set gw0 up; ip addr add 192.0.0.1/30 dev gw0;"
	                      "ip addr add fdc0:1a7e::1/126 dev gw0 nodad;"
	                      "ip rule add fwmark 1 lookup 100; ip -6 rule add fwmark 1 lookup 100;"
	                      "ip route add local default dev lo table 100; ip -6 route add local default dev lo table 100");
	run_in(world_app, "ip link set lo up; ip link set app0 up; ip addr add 192.0.0.2/30 dev app0;"
	                  "ip addr add fdc0:1a7e::2/126 dev app0 nodad;"
	                  "ip route add default via 192.0.0.1; ip -6 route add default via fdc0:1a7e::1");
	run_in(world_gateway,
	       "printf '%s\\n' 'table inet t {' 'chain p {' 'type filter hook prerouting priority mangle;'"
	       " 'iifname != \"gw0\" accept' 'udp dport 53 tproxy to :50053 meta mark set 1 accept'"
	       " 'meta l4proto udp tproxy to :50081 meta mark set 1 accept' '}' '}' | nft -f -");
}

static inline int mint_lane(void)
{
	int fds[5], lane;
	CHECK(cv_netns_enter(world_gateway) == 0);
	fds[0] = cv_mint_udp(1, WORLD_UDP_PORT);
	fds[1] = cv_mint_udp(1, WORLD_DNS_PORT);
	fds[2] = cv_mint_raw(4);
	fds[3] = cv_mint_raw(6);
	fds[4] = cv_mint_packet("gw0");
	CHECK(cv_netns_enter(world_host) == 0);
	for (int i = 0; i < 5; i++)
		CHECK(fds[i] >= 0);
	lane = cv_udp_lane_add(fds[0], fds[1], fds[2], fds[3]);
	if (lane >= 0 && lanes_have_packet_sockets)
		CHECK(cv_udp_lane_packet(lane, fds[4]) == 0);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
	CHECK(lane >= 0);
	return lane;
}

/* ---- addresses ---------------------------------------------------------------------------------- */

static inline struct cv_addr address(const char *text, int port)
{
	struct cv_addr out = {.ip = {[10] = 0xff, [11] = 0xff}};
	if (strchr(text, ':'))
		CHECK(inet_pton(AF_INET6, text, out.ip) == 1);
	else
		CHECK(inet_pton(AF_INET, text, out.ip + 12) == 1);
	out.port[0] = (uint8_t)(port >> 8);
	out.port[1] = (uint8_t)port;
	return out;
}

static inline bool is_ipv4(const struct cv_addr *addr)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
	return memcmp(addr->ip, prefix, 12) == 0;
}

static inline socklen_t to_sockaddr(struct sockaddr_in6 *out, const struct cv_addr *addr)
{
	memset(out, 0, sizeof *out);
	if (is_ipv4(addr)) {
		struct sockaddr_in v4 = {.sin_family = AF_INET};
		memcpy(&v4.sin_addr, addr->ip + 12, 4);
		memcpy(&v4.sin_port, addr->port, 2);
		memcpy(out, &v4, sizeof v4);
		return sizeof v4;
	}
	out->sin6_family = AF_INET6;
	memcpy(&out->sin6_addr, addr->ip, 16);
	memcpy(&out->sin6_port, addr->port, 2);
	return sizeof *out;
}

static inline struct cv_addr from_sockaddr(const struct sockaddr_in6 *name)
{
	struct cv_addr out = {.ip = {[10] = 0xff, [11] = 0xff}};
	if (name->sin6_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, name, sizeof v4);
		memcpy(out.ip + 12, &v4.sin_addr, 4);
		memcpy(out.port, &v4.sin_port, 2);
	} else {
		memcpy(out.ip, &name->sin6_addr, 16);
		memcpy(out.port, &name->sin6_port, 2);
	}
	return out;
}

static inline bool same(struct cv_addr a, struct cv_addr b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

/* ---- sockets ------------------------------------------------------------------------------------ */

static inline int udp_socket(int namespace, int family)
{
	int fd, size = 4 << 20;
	CHECK(cv_netns_enter(namespace) == 0);
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(cv_netns_enter(world_host) == 0);
	CHECK(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	return fd;
}

static inline struct cv_addr bind_to(int fd, const char *text)
{
	struct cv_addr wanted = address(text, 0);
	struct sockaddr_in6 name;
	socklen_t size = to_sockaddr(&name, &wanted);
	CHECK(bind(fd, (struct sockaddr *)&name, size) == 0);
	size = sizeof name;
	CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
	return from_sockaddr(&name);
}

static inline ssize_t send_to(int fd, struct cv_addr to, const void *bytes, size_t size)
{
	struct sockaddr_in6 name;
	socklen_t name_size = to_sockaddr(&name, &to);
	return sendto(fd, bytes, size, 0, (struct sockaddr *)&name, name_size);
}

static inline int connect_to(int fd, struct cv_addr to)
{
	struct sockaddr_in6 name;
	socklen_t name_size = to_sockaddr(&name, &to);
	return connect(fd, (struct sockaddr *)&name, name_size);
}

/* One datagram without waiting: its size, or -1 with errno. */
static inline ssize_t receive_now(int fd, struct cv_addr *from, void *bytes, size_t room)
{
	struct sockaddr_in6 name;
	socklen_t name_size = sizeof name;
	ssize_t size = recvfrom(fd, bytes, room, MSG_DONTWAIT, (struct sockaddr *)&name, &name_size);
	if (size >= 0)
		*from = from_sockaddr(&name);
	return size;
}

/* A SOCKS5 target (ATYP, address, port) for an address; its size. */
static inline uint32_t literal_target(uint8_t *out, const struct cv_addr *addr)
{
	uint32_t size = is_ipv4(addr) ? 4 : 16;
	out[0] = size == 4 ? 1 : 4;
	memcpy(out + 1, addr->ip + 16 - size, size);
	memcpy(out + 1 + size, addr->port, 2);
	return size + 3;
}

static inline uint32_t name_target(uint8_t *out, const char *name, int port)
{
	uint32_t size = (uint32_t)strlen(name);
	out[0] = 3;
	out[1] = (uint8_t)size;
	memcpy(out + 2, name, size);
	out[2 + size] = (uint8_t)(port >> 8);
	out[3 + size] = (uint8_t)port;
	return size + 4;
}

#endif
