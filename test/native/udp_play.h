/*
 * Playing Node and the SOCKS5 server for a lane of udp_world.h: this program is both, and the app as well, in one
 * thread. Each case runs in a process of its own with the relay started anew, once with and once without frames
 * towards the app.
 */
#ifndef UDP_PLAY_H
#define UDP_PLAY_H

#include "udp_world.h"

#define WAIT_NS 5000000000LL

static int lane, bell, server;
static struct cv_addr server_addr;

/* ---- playing Node ------------------------------------------------------------------------------- */

struct known {
	struct cv_addr source;
	int association;
};

static struct known associations[64];
static int association_count, unknown_count, expired_count, dns_count, last_expired;
static uint64_t expired_up;
/* Relays behind the server that is played, and their headers. */
static uint8_t layers[5 * 259], layer_headers[5 * 262];
static uint32_t layers_size, layer_headers_size;
static bool decides = true, refuses, is_direct;
static struct cv_addr relay_addr, last_unknown_source, last_unknown_destination;
static union {
	struct cv_udp_event event;
	uint8_t bytes[sizeof(struct cv_udp_event) + 65536];
} told;

static inline int associate(const struct cv_addr *source)
{
	/* Node may bring a socket or leave it to the relay to make one. */
	int fd = association_count % 2 ? udp_socket(world_host, AF_INET6) : -1, made;
	made = cv_udp_associate(lane, source, fd, is_direct ? CV_UDP_DIRECT : CV_UDP_SOCKS, &relay_addr, layers,
	                        layers_size);
	if (fd >= 0)
		close(fd);
	CHECK(made > 0);
	CHECK(association_count < 64);
	associations[association_count++] = (struct known){*source, made};
	return made;
}

static inline int association_of(const struct cv_addr *source)
{
	for (int i = 0; i < association_count; i++)
		if (same(associations[i].source, *source))
			return associations[i].association;
	return associate(source);
}

/* 198.18.1.N and 2001:db8:f::N are fake: N.example. */
static inline int decide(const struct cv_addr *source, const struct cv_addr *destination)
{
	uint8_t target[300];
	uint32_t size = literal_target(target, destination);
	char name[32];
	bool is_fake = is_ipv4(destination) ? destination->ip[12] == 198 && destination->ip[13] == 18
	                                    : destination->ip[5] == 15;
	if (refuses)
		return cv_udp_refuse(lane, source, destination);
	snprintf(name, sizeof name, "%d.Example", destination->ip[15]);
	if (is_fake)
		size = name_target(target, name, destination->port[0] << 8 | destination->port[1]);
	if (is_direct)
		return cv_udp_route(association_of(source), destination, destination, sizeof *destination);
	return cv_udp_route(association_of(source), destination, target, size);
}

static inline void forget(int association)
{
	for (int i = 0; i < association_count; i++)
		if (associations[i].association == association)
			associations[i--] = associations[--association_count];
}

static inline void play_node(void)
{
	int size;
	while ((size = cv_udp_poll(&told, sizeof told)) > 0) {
		CHECK(size == (int)(sizeof told.event + told.event.size));
		CHECK((int)told.event.lane == lane);
		if (told.event.kind == CV_UDP_UNKNOWN) {
			unknown_count++;
			last_unknown_source = told.event.source;
			last_unknown_destination = told.event.destination;
			if (decides)
				CHECK(decide(&told.event.source, &told.event.destination) == 0);
		} else if (told.event.kind == CV_UDP_DNS) {
			dns_count++;
			return;
		} else {
			CHECK(told.event.kind == CV_UDP_EXPIRED);
			expired_count++;
			last_expired = (int)told.event.association;
			expired_up = told.event.bytes_up;
			forget(last_expired);
		}
	}
	CHECK(size == 0);
}

/* Waits until the condition is true, with Node's part played meanwhile. */
#define AWAIT(condition)                                          \
	do {                                                          \
		int64_t deadline_ = now_ns() + WAIT_NS;                   \
		while (!(condition)) {                                    \
			struct pollfd bell_ = {.fd = bell, .events = POLLIN}; \
			uint8_t ring_[8];                                     \
			if (poll(&bell_, 1, 1) > 0)                           \
				CHECK(read(bell, ring_, 8) == 8);                 \
			play_node();                                          \
			if (now_ns() > deadline_) {                           \
				fprintf(stderr, "%s:%d: never: %s\n", __FILE__, __LINE__, #condition); \
				exit(1);                                          \
			}                                                     \
		}                                                         \
	} while (0)

static uint8_t got[70000];
static ssize_t got_size;
static struct cv_addr got_from;

static inline ssize_t await_datagram(int fd)
{
	AWAIT((got_size = receive_now(fd, &got_from, got, sizeof got)) >= 0);
	return got_size;
}

static inline void expect_nothing(int fd)
{
	int64_t until = now_ns() + 100000000;
	while (now_ns() < until) {
		play_node();
		CHECK(receive_now(fd, &got_from, got, sizeof got) < 0 && errno == EAGAIN);
		usleep(1000);
	}
}

static inline void start(int limit, int idle_seconds)
{
	bell = cv_watch_start();
	CHECK(bell >= 0);
	CHECK(cv_udp_start(limit, idle_seconds) == 0);
	lane = mint_lane();
	server = udp_socket(world_host, AF_INET6);
	server_addr = bind_to(server, "::1");
	relay_addr = server_addr;
}

static inline int app_socket(const char *bound_to, struct cv_addr *name)
{
	int fd = udp_socket(world_app, strchr(bound_to, ':') ? AF_INET6 : AF_INET);
	*name = bind_to(fd, bound_to);
	return fd;
}

#define APP4 "192.0.0.2"
#define APP6 "fdc0:1a7e::2"

static uint8_t pattern[70000];

static inline void add_layer(const void *target, uint32_t size)
{
	memcpy(layers + layers_size, target, size);
	layers_size += size;
	memset(layer_headers + layer_headers_size, 0, 3);
	memcpy(layer_headers + layer_headers_size + 3, target, size);
	layer_headers_size += 3 + size;
}

/* A datagram goes up, its SOCKS5 header is right, and the server's answer comes back from where it went. */
static inline void echo(int app, struct cv_addr to, size_t size, bool is_connected)
{
	uint8_t expected[5 * 262 + 300] = {0};
	uint32_t outer = layer_headers_size, header = outer + 3 + literal_target(expected + outer + 3, &to);
	struct cv_addr gate;
	memcpy(expected, layer_headers, outer);
	if (is_connected)
		CHECK(send(app, pattern, size, 0) == (ssize_t)size);
	else
		CHECK(send_to(app, to, pattern, size) == (ssize_t)size);
	CHECK(await_datagram(server) == (ssize_t)(header + size));
	CHECK(memcmp(got, expected, header) == 0 && memcmp(got + header, pattern, size) == 0);
	gate = got_from;
	CHECK(send_to(server, gate, got, header + size) == (ssize_t)(header + size));
	CHECK(await_datagram(app) == (ssize_t)size);
	CHECK(memcmp(got, pattern, size) == 0 && same(got_from, to));
}

/* ---- cases -------------------------------------------------------------------------------------- */

#define CASE(name) {#name, name}

struct test_case {
	const char *name;
	void (*run)(void);
};

/* Each case with and without frames towards the app. */
static inline int run_all(const struct test_case *cases, const char *only)
{
	int failed = 0;
	for (size_t i = 0; cases[i].name; i++) {
		int status;
		pid_t child;
		if (only && !strstr(cases[i].name, only))
			continue;
		fflush(stdout);
		child = fork();
		if (child == 0) {
			cases[i].run();
			exit(0);
		}
		waitpid(child, &status, 0);
		printf("%s %s%s\n", status ? "not ok" : "ok", cases[i].name,
		       lanes_have_packet_sockets ? "" : " (raw sockets only)");
		failed += status != 0;
	}
	return failed;
}

static inline int run_cases(const struct test_case *cases, int argc, char **argv)
{
	int failed;
	if (getuid() != 0) {
		printf("# skipped: namespaces need root\n");
		return 0;
	}
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31 >> 3);
	make_world();
	failed = run_all(cases, argc > 1 ? argv[1] : NULL);
	lanes_have_packet_sockets = false;
	failed += run_all(cases, argc > 1 ? argv[1] : NULL);
	return failed != 0;
}

#endif
