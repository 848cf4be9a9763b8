/*
 * The UDP relay in a real lane: an app's sockets behind a link and tproxy, this program as Node and as the
 * SOCKS5 server. Each case runs in a process of its own with the relay started anew.
 */
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
static bool decides = true, refuses, is_direct;
static struct cv_addr relay_addr, last_unknown_source, last_unknown_destination;
static union {
	struct cv_udp_event event;
	uint8_t bytes[sizeof(struct cv_udp_event) + 65536];
} told;

static int associate(const struct cv_addr *source)
{
	int fd = udp_socket(world_host, AF_INET6), made;
	made = cv_udp_associate(lane, source, fd, is_direct ? CV_UDP_DIRECT : CV_UDP_SOCKS, &relay_addr);
	close(fd);
	CHECK(made > 0);
	CHECK(association_count < 64);
	associations[association_count++] = (struct known){*source, made};
	return made;
}

static int association_of(const struct cv_addr *source)
{
	for (int i = 0; i < association_count; i++)
		if (same(associations[i].source, *source))
			return associations[i].association;
	return associate(source);
}

/* 198.18.1.N and 2001:db8:f::N are fake: N.example. */
static int decide(const struct cv_addr *source, const struct cv_addr *destination)
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

static void forget(int association)
{
	for (int i = 0; i < association_count; i++)
		if (associations[i].association == association)
			associations[i--] = associations[--association_count];
}

static void play_node(void)
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

static ssize_t await_datagram(int fd)
{
	AWAIT((got_size = receive_now(fd, &got_from, got, sizeof got)) >= 0);
	return got_size;
}

static void expect_nothing(int fd)
{
	int64_t until = now_ns() + 100000000;
	while (now_ns() < until) {
		play_node();
		CHECK(receive_now(fd, &got_from, got, sizeof got) < 0 && errno == EAGAIN);
		usleep(1000);
	}
}

static void start(int limit, int idle_seconds)
{
	bell = cv_watch_start();
	CHECK(bell >= 0);
	CHECK(cv_udp_start(limit, idle_seconds) == 0);
	lane = mint_lane();
	server = udp_socket(world_host, AF_INET6);
	server_addr = bind_to(server, "::1");
	relay_addr = server_addr;
}

static int app_socket(const char *bound_to, struct cv_addr *name)
{
	int fd = udp_socket(world_app, strchr(bound_to, ':') ? AF_INET6 : AF_INET);
	*name = bind_to(fd, bound_to);
	return fd;
}

#define APP4 "192.0.0.2"
#define APP6 "fdc0:1a7e::2"

static uint8_t pattern[70000];

/* A datagram goes up, its SOCKS5 header is right, and the server's answer comes back from where it went. */
static void echo(int app, struct cv_addr to, size_t size, bool is_connected)
{
	uint8_t expected[300] = {0};
	uint32_t header = 3 + literal_target(expected + 3, &to);
	struct cv_addr gate;
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

static void datagrams_of_every_size_come_back_from_where_they_went(void)
{
	static const size_t sizes[] = {0, 1, 2, 1199, 1200, 1472, 1473, 9000, 65000, 65487};
	struct cv_addr name, to4 = address("203.0.113.7", 4433), to6 = address("2001:db8::7", 4433);
	int app4, app6, connected;
	start(100, 60);
	app4 = app_socket(APP4, &name);
	app6 = app_socket(APP6, &name);
	connected = app_socket(APP4, &name);
	CHECK(connect_to(connected, to4) == 0);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		echo(app4, to4, sizes[i], false);
		echo(app6, to6, sizes[i], false);
		echo(connected, to4, sizes[i], true);
	}
	echo(app4, to4, 65507, false);
	CHECK(connect_to(app6, to6) == 0);
	echo(app6, to6, 1200, true);
	CHECK(unknown_count == 3 && association_count == 3);
}

static void a_dual_stack_app_socket_gets_both_families(void)
{
	struct cv_addr to4 = address("203.0.113.7", 4433), to6 = address("2001:db8::7", 4433);
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(4433)};
	int app = udp_socket(world_app, AF_INET6);
	start(100, 60);
	memcpy(&mapped.sin6_addr, to4.ip, 16);
	echo(app, to6, 100, false);
	CHECK(sendto(app, "four", 4, 0, (struct sockaddr *)&mapped, sizeof mapped) == 4);
	CHECK(await_datagram(server) == 14);
	CHECK(send_to(server, got_from, got, 14) == 14);
	CHECK(await_datagram(app) == 4 && same(got_from, to4));
}

/* A burst of one flow, in runs of one size with longer and shorter ones between. */
static void burst(int app, struct cv_addr to)
{
	static const uint32_t sizes[] = {1200, 1200, 1200, 700, 1200, 1200, 1472, 1472, 1472, 0, 0, 5, 5, 5, 4, 6, 1465, 1460};
	enum { COUNT = sizeof sizes / sizeof *sizes };
	struct mmsghdr messages[COUNT];
	struct iovec iov[COUNT];
	for (int i = 0; i < COUNT; i++) {
		iov[i] = (struct iovec){pattern + i, sizes[i]};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	CHECK(connect_to(app, to) == 0);
	CHECK(sendmmsg(app, messages, COUNT, 0) == COUNT);
	for (int i = 0; i < COUNT; i++) {
		EXPECT(await_datagram(server), 10 + sizes[i]);
		CHECK(memcmp(got + 10, pattern + i, sizes[i]) == 0);
		CHECK(send_to(server, got_from, got, (size_t)got_size) == got_size);
	}
	for (int i = 0; i < COUNT; i++) {
		EXPECT(await_datagram(app), sizes[i]);
		CHECK(memcmp(got, pattern + i, sizes[i]) == 0);
	}
}

static void bursts_arrive_whole_and_in_order(void)
{
	struct cv_addr name, to = address("203.0.113.7", 4433);
	int app;
	start(100, 60);
	app = app_socket(APP4, &name);
	echo(app, to, 10, false);
	for (int i = 0; i < 20; i++)
		burst(app, to);
	/* Now some are too long for one packet, alone or as segments. */
	run_in(world_host, "ip link set lo mtu 1500");
	for (int i = 0; i < 20; i++)
		burst(app, to);
	run_in(world_host, "ip link set lo mtu 65536");
}

static void one_association_reaches_many_peers(void)
{
	struct cv_addr name, to;
	int app;
	start(100, 60);
	app = app_socket(APP4, &name);
	for (int i = 1; i <= 200; i++) {
		char text[32];
		snprintf(text, sizeof text, "198.51.100.%d", i);
		to = address(text, 1000 + i);
		echo(app, to, 50, false);
	}
	CHECK(association_count == 1 && unknown_count == 200);
}

static void a_peer_that_was_not_written_to_is_heard(void)
{
	struct cv_addr name, gate, peer = address("198.51.100.9", 9);
	uint8_t datagram[64] = {0};
	uint32_t header;
	int app;
	start(100, 60);
	app = app_socket(APP4, &name);
	echo(app, address("203.0.113.7", 4433), 10, false);
	CHECK(send_to(app, address("203.0.113.7", 4433), "x", 1) == 1);
	await_datagram(server);
	gate = got_from;
	header = 3 + literal_target(datagram + 3, &peer);
	CHECK(send_to(server, gate, datagram, header + 5) > 0);
	CHECK(await_datagram(app) == 5 && same(got_from, peer));
	/* Its family is not the app's, it is no host, or it is a name nobody asked for: nothing can be told. */
	peer = address("2001:db8::9", 9);
	header = 3 + literal_target(datagram + 3, &peer);
	CHECK(send_to(server, gate, datagram, header + 5) > 0);
	peer = address("224.0.0.1", 9);
	header = 3 + literal_target(datagram + 3, &peer);
	CHECK(send_to(server, gate, datagram, header + 5) > 0);
	peer = address("127.0.0.1", 9);
	header = 3 + literal_target(datagram + 3, &peer);
	CHECK(send_to(server, gate, datagram, header + 5) > 0);
	header = 3 + name_target(datagram + 3, "unknown.example", 9);
	CHECK(send_to(server, gate, datagram, header + 5) > 0);
	expect_nothing(app);
}

static void replies_for_a_name_come_from_its_fake_address(void)
{
	struct cv_addr name, gate, real = address("198.51.100.77", 443), other = address("198.51.100.78", 443);
	struct cv_addr fake1 = address("198.18.1.1", 443), fake2 = address("198.18.1.2", 443);
	uint8_t expected[300] = {0}, datagram[64] = {0};
	uint32_t header = 3 + name_target(expected + 3, "1.Example", 443), literal;
	int app;
	start(100, 60);
	app = app_socket(APP4, &name);
	CHECK(send_to(app, fake1, "hello", 5) == 5);
	CHECK(await_datagram(server) == (ssize_t)header + 5 && memcmp(got, expected, header) == 0);
	gate = got_from;
	/* The server answers with the name, in whatever case. */
	expected[5] = '1', expected[7] = 'e';
	CHECK(send_to(server, gate, expected, header + 2) > 0);
	CHECK(await_datagram(app) == 2 && same(got_from, fake1));
	/* Or with the address that the name has; and keeps to it when there is a second name. */
	literal = 3 + literal_target(datagram + 3, &real);
	CHECK(send_to(server, gate, datagram, literal + 3) > 0);
	CHECK(await_datagram(app) == 3 && same(got_from, fake1));
	CHECK(send_to(app, fake2, "hello", 5) == 5);
	await_datagram(server);
	CHECK(send_to(server, gate, datagram, literal + 4) > 0);
	CHECK(await_datagram(app) == 4 && same(got_from, fake1));
	literal = 3 + literal_target(datagram + 3, &other);
	CHECK(send_to(server, gate, datagram, literal + 5) > 0);
	CHECK(await_datagram(app) == 5 && same(got_from, fake2));
	CHECK(send_to(server, gate, expected, header + 2) > 0);
	CHECK(await_datagram(app) == 2 && same(got_from, fake1));
}

static void a_fake_ipv6_address_may_have_an_ipv4_name_behind_it(void)
{
	struct cv_addr name, real = address("198.51.100.77", 443), fake = address("2001:db8:f::5", 443);
	uint8_t datagram[64] = {0};
	uint32_t header = 3 + literal_target(datagram + 3, &real);
	int app;
	start(100, 60);
	app = app_socket(APP6, &name);
	CHECK(send_to(app, fake, "hello", 5) == 5);
	await_datagram(server);
	CHECK(send_to(server, got_from, datagram, header + 3) > 0);
	CHECK(await_datagram(app) == 3 && same(got_from, fake));
}

static void fragments_and_broken_headers_are_dropped(void)
{
	struct cv_addr name, gate, to = address("203.0.113.7", 4433);
	uint8_t datagram[64] = {0};
	uint32_t header = 3 + literal_target(datagram + 3, &to);
	int app;
	start(100, 60);
	app = app_socket(APP4, &name);
	CHECK(send_to(app, to, "x", 1) == 1);
	await_datagram(server);
	gate = got_from;
	datagram[2] = 1;
	CHECK(send_to(server, gate, datagram, header + 5) > 0);
	datagram[2] = 0;
	datagram[0] = 1;
	CHECK(send_to(server, gate, datagram, header + 5) > 0);
	datagram[0] = 0;
	for (uint32_t size = 0; size < header; size++)
		CHECK(send_to(server, gate, datagram, size) >= 0);
	expect_nothing(app);
	CHECK(send_to(server, gate, datagram, header) > 0);
	CHECK(await_datagram(app) == 0);
}

static void only_the_relays_address_is_heard(void)
{
	struct cv_addr name, gate, to = address("203.0.113.7", 4433);
	uint8_t datagram[64] = {0};
	uint32_t header = 3 + literal_target(datagram + 3, &to);
	int app, stranger = udp_socket(world_host, AF_INET6);
	start(100, 60);
	bind_to(stranger, "::1");
	app = app_socket(APP4, &name);
	CHECK(send_to(app, to, "x", 1) == 1);
	await_datagram(server);
	gate = got_from;
	CHECK(send_to(stranger, gate, datagram, header + 5) > 0);
	expect_nothing(app);
	CHECK(send_to(server, gate, datagram, header + 6) > 0);
	CHECK(await_datagram(app) == 6);
}

static void refuse_from(const char *bound_to, struct cv_addr to)
{
	struct cv_addr name;
	int app = app_socket(bound_to, &name), error = 0;
	int64_t begun = now_ns();
	refuses = true;
	unknown_count = 0;
	CHECK(connect_to(app, to) == 0);
	CHECK(send(app, pattern, 1200, 0) == 1200);
	AWAIT(recv(app, got, sizeof got, MSG_DONTWAIT) < 0 && (error = errno) != EAGAIN);
	CHECK(error == ECONNREFUSED);
	CHECK(now_ns() - begun < 100000000);
	CHECK(unknown_count == 1);
	for (int i = 0; i < 20; i++) {
		CHECK(send(app, pattern, 100, 0) == 100);
		AWAIT(recv(app, got, sizeof got, MSG_DONTWAIT) < 0 && errno == ECONNREFUSED);
	}
	CHECK(unknown_count == 1);
	refuses = false;
}

static void a_refused_pair_gets_an_error_at_once(void)
{
	start(100, 60);
	refuse_from(APP4, address("203.0.113.7", 443));
	refuse_from(APP6, address("2001:db8::7", 443));
	CHECK(association_count == 0);
	expect_nothing(server);
}

static void a_refusal_can_be_taken_back(void)
{
	struct cv_addr name, to = address("203.0.113.7", 443);
	int app;
	start(100, 60);
	app = app_socket(APP4, &name);
	refuses = true;
	CHECK(send_to(app, to, "x", 1) == 1);
	AWAIT(unknown_count == 1);
	refuses = false;
	CHECK(decide(&name, &to) == 0);
	echo(app, to, 100, false);
	CHECK(unknown_count == 1);
}

static void waiting_datagrams_are_kept_in_order_and_bounded(void)
{
	struct cv_addr name, to = address("203.0.113.7", 443);
	int app;
	start(100, 60);
	app = app_socket(APP4, &name);
	decides = false;
	for (int i = 0; i < 20; i++)
		CHECK(send_to(app, to, &i, sizeof i) == sizeof i);
	AWAIT(unknown_count == 1);
	/* Written after all of the others, so the relay has seen those when it tells of this one. */
	CHECK(send_to(app, address("203.0.113.8", 443), pattern, 5000) == 5000);
	AWAIT(unknown_count == 2);
	CHECK(decide(&name, &to) == 0);
	for (int i = 0; i < 8; i++) {
		CHECK(await_datagram(server) == 10 + sizeof i);
		CHECK(memcmp(got + 10, &i, sizeof i) == 0);
	}
	expect_nothing(server);
	to = address("203.0.113.8", 443);
	CHECK(decide(&name, &to) == 0);
	CHECK(await_datagram(server) == 5010 && memcmp(got + 10, pattern, 5000) == 0);
}

static void the_least_recently_used_association_is_evicted_at_the_cap(void)
{
	struct cv_addr names[5], to = address("203.0.113.7", 443);
	int apps[5], second;
	start(4, 60);
	for (int i = 0; i < 5; i++)
		apps[i] = app_socket(APP4, &names[i]);
	for (int i = 0; i < 4; i++)
		echo(apps[i], to, 10, false);
	second = association_of(&names[1]);
	echo(apps[0], to, 10, false);
	CHECK(expired_count == 0);
	echo(apps[4], to, 10, false);
	AWAIT(expired_count == 1);
	CHECK(last_expired == second && expired_up == 10);
	CHECK(cv_udp_route(second, &to, pattern, 0) == -ENOENT);
	unknown_count = 0;
	echo(apps[0], to, 10, false);
	CHECK(unknown_count == 0);
	echo(apps[1], to, 10, false);
	CHECK(unknown_count == 1);
}

static void an_idle_association_expires_and_a_busy_one_does_not(void)
{
	struct cv_addr idle_name, busy_name, to = address("203.0.113.7", 443);
	int idle, busy, first;
	uint64_t counters[4];
	start(10, 2);
	idle = app_socket(APP4, &idle_name);
	busy = app_socket(APP4, &busy_name);
	echo(idle, to, 33, false);
	first = association_of(&idle_name);
	CHECK(cv_udp_counters(first, counters) == 0);
	CHECK(counters[0] == 33 && counters[1] == 33 && counters[2] == 1 && counters[3] == 1);
	while (expired_count == 0) {
		echo(busy, to, 10, false);
		usleep(10000);
	}
	CHECK(last_expired == first && expired_up == 33 && association_count == 1);
	CHECK(cv_udp_counters(first, counters) == -ENOENT);
	unknown_count = 0;
	echo(idle, to, 33, false);
	CHECK(unknown_count == 1);
}

static void an_association_ends_when_the_relays_port_is_closed(void)
{
	struct cv_addr name, to = address("203.0.113.7", 443);
	int app;
	start(10, 60);
	app = app_socket(APP4, &name);
	echo(app, to, 10, false);
	close(server);
	CHECK(send_to(app, to, "x", 1) == 1);
	AWAIT(expired_count == 1);
}

static void dns_goes_to_node_and_its_answer_comes_from_the_resolver(void)
{
	struct cv_addr name, resolver = address("203.0.113.53", 53);
	int app;
	start(10, 60);
	app = app_socket(APP4, &name);
	CHECK(send_to(app, resolver, "query", 5) == 5);
	AWAIT(dns_count == 1);
	CHECK(told.event.size == 5 && memcmp(told.bytes + sizeof told.event, "query", 5) == 0);
	CHECK(same(told.event.source, name) && same(told.event.destination, resolver));
	CHECK(cv_udp_reply(lane, &resolver, &name, "answer", 6) == 0);
	CHECK(await_datagram(app) == 6 && same(got_from, resolver));
	CHECK(cv_udp_reply(lane, &resolver, &name, pattern, 65507) == 0);
	CHECK(await_datagram(app) == 65507);
	CHECK(cv_udp_reply(lane, &resolver, &name, pattern, 65508) == -EMSGSIZE);
	CHECK(unknown_count == 0);
}

static void a_full_queue_loses_queries_but_no_unknown_pair(void)
{
	struct cv_addr name, resolver = address("203.0.113.53", 53);
	int app, seen;
	start(10, 60);
	app = app_socket(APP4, &name);
	decides = false;
	for (int i = 0; i < 100; i++)
		CHECK(send_to(app, resolver, pattern, 60000) == 60000);
	CHECK(send_to(app, address("203.0.113.7", 443), "x", 1) == 1);
	AWAIT(unknown_count == 1);
	seen = dns_count;
	CHECK(seen > 0 && seen <= 100);
}

static void direct_datagrams_go_from_the_host_with_a_full_cone(void)
{
	struct cv_addr name, to = address("203.0.113.7", 0), gate, third;
	int app, far, stranger;
	run_in(world_host, "ip addr replace 203.0.113.7/32 dev lo; ip addr replace 203.0.113.8/32 dev lo");
	is_direct = true;
	start(10, 60);
	far = udp_socket(world_host, AF_INET);
	stranger = udp_socket(world_host, AF_INET);
	to = bind_to(far, "203.0.113.7");
	third = bind_to(stranger, "203.0.113.8");
	app = app_socket(APP4, &name);
	for (int i = 0; i < 2; i++) {
		size_t size = i ? 65507 : 0;
		CHECK(send_to(app, to, pattern, size) == (ssize_t)size);
		CHECK(await_datagram(far) == (ssize_t)size);
		gate = got_from;
		CHECK(send_to(far, gate, pattern, size) == (ssize_t)size);
		CHECK(await_datagram(app) == (ssize_t)size && same(got_from, to));
	}
	CHECK(send_to(stranger, gate, "hi", 2) == 2);
	CHECK(await_datagram(app) == 2 && same(got_from, third));
}

static void lanes_come_and_go_without_a_trace(void)
{
	struct cv_addr name, to = address("203.0.113.7", 443);
	int app, before, first;
	start(100, 60);
	CHECK(cv_udp_lane_remove(lane) == 0);
	CHECK(cv_udp_lane_remove(lane) == -ENOENT);
	app = app_socket(APP4, &name);
	before = descriptor_count();
	for (int i = 0; i < 200; i++) {
		lane = mint_lane();
		echo(app, to, 100, false);
		decides = false;
		CHECK(send_to(app, address("203.0.113.7", 444), "waits", 5) == 5);
		CHECK(cv_udp_lane_remove(lane) == 0);
		decides = true;
		first = association_of(&name);
		CHECK(cv_udp_dissociate(first) == -ENOENT);
		forget(first);
	}
	CHECK(descriptor_count() == before);
	CHECK(expired_count == 0);
}

static void wrong_calls_are_refused(void)
{
	struct cv_addr name = address(APP4, 1), four = address("127.0.0.1", 9), to = address("2001:db8::1", 1);
	uint8_t target[300];
	int tcp = socket(AF_INET, SOCK_STREAM, 0), ipv4 = socket(AF_INET, SOCK_DGRAM, 0), made;
	CHECK(cv_udp_lane_add(0, 0, 0, 0) == -ENOTCONN);
	CHECK(cv_udp_start(0, 60) == -EINVAL && cv_udp_start(10, 0) == -EINVAL);
	start(10, 60);
	CHECK(cv_udp_start(10, 60) == -EALREADY);
	CHECK(cv_udp_lane_add(tcp, -1, tcp, -1) == -ESOCKTNOSUPPORT);
	CHECK(cv_udp_lane_add(-1, -1, -1, -1) == -EBADF);
	CHECK(cv_udp_lane_remove(-1) == -ENOENT && cv_udp_lane_remove(5000) == -ENOENT);
	CHECK(cv_udp_associate(lane, &name, tcp, CV_UDP_SOCKS, &server_addr) == -ESOCKTNOSUPPORT);
	CHECK(cv_udp_associate(lane, &name, ipv4, CV_UDP_SOCKS, &server_addr) == -EAFNOSUPPORT);
	CHECK(cv_udp_associate(lane, &name, ipv4, 7, &four) == -EINVAL);
	CHECK(cv_udp_associate(lane, &name, ipv4, CV_UDP_SOCKS, NULL) == -EINVAL);
	CHECK(cv_udp_associate(lane + 1, &name, ipv4, CV_UDP_SOCKS, &four) == -ENOENT);
	made = cv_udp_associate(lane, &name, ipv4, CV_UDP_SOCKS, &four);
	CHECK(made > 0);
	CHECK(cv_udp_route(made, &to, target, 0) == -EINVAL);
	target[0] = 9;
	CHECK(cv_udp_route(made, &to, target, 7) == -EINVAL);
	CHECK(cv_udp_route(made, &to, target, literal_target(target, &to) - 1) == -EINVAL);
	CHECK(cv_udp_route(made, &to, target, literal_target(target, &to)) == 0);
	CHECK(cv_udp_dissociate(made) == 0 && cv_udp_dissociate(made) == -ENOENT);
	CHECK(cv_udp_dissociate(0) == -ENOENT && cv_udp_dissociate(-5) == -ENOENT);
	made = cv_udp_associate(lane, &name, ipv4, CV_UDP_DIRECT, NULL);
	CHECK(cv_udp_route(made, &to, &to, sizeof to) == -EAFNOSUPPORT);
	CHECK(cv_udp_route(made, &to, &to, 7) == -EINVAL);
	CHECK(cv_udp_poll(target, 8) == -EMSGSIZE);
}

#define CASE(name) {#name, name}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	CASE(datagrams_of_every_size_come_back_from_where_they_went),
	CASE(a_dual_stack_app_socket_gets_both_families),
	CASE(bursts_arrive_whole_and_in_order),
	CASE(one_association_reaches_many_peers),
	CASE(a_peer_that_was_not_written_to_is_heard),
	CASE(replies_for_a_name_come_from_its_fake_address),
	CASE(a_fake_ipv6_address_may_have_an_ipv4_name_behind_it),
	CASE(fragments_and_broken_headers_are_dropped),
	CASE(only_the_relays_address_is_heard),
	CASE(a_refused_pair_gets_an_error_at_once),
	CASE(a_refusal_can_be_taken_back),
	CASE(waiting_datagrams_are_kept_in_order_and_bounded),
	CASE(the_least_recently_used_association_is_evicted_at_the_cap),
	CASE(an_idle_association_expires_and_a_busy_one_does_not),
	CASE(an_association_ends_when_the_relays_port_is_closed),
	CASE(dns_goes_to_node_and_its_answer_comes_from_the_resolver),
	CASE(a_full_queue_loses_queries_but_no_unknown_pair),
	CASE(direct_datagrams_go_from_the_host_with_a_full_cone),
	CASE(lanes_come_and_go_without_a_trace),
	CASE(wrong_calls_are_refused),
};

int main(int argc, char **argv)
{
	int failed = 0;
	if (getuid() != 0) {
		printf("# skipped: namespaces need root\n");
		return 0;
	}
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31 >> 3);
	make_world();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int status;
		pid_t child;
		if (argc > 1 && !strstr(cases[i].name, argv[1]))
			continue;
		fflush(stdout);
		child = fork();
		if (child == 0) {
			cases[i].run();
			exit(0);
		}
		waitpid(child, &status, 0);
		printf("%s %s\n", status ? "not ok" : "ok", cases[i].name);
		failed += status != 0;
	}
	return failed != 0;
}
