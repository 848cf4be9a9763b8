/*
 * The way of a datagram through the UDP relay in a real lane: there, back, from whom, and what is dropped.
 */
#include "udp_play.h"

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

/* A burst of one flow there and back, in runs of one size with longer and shorter ones between. */
static void burst(int app, struct cv_addr to)
{
	static const uint32_t sizes[] = {1200, 1200, 1200, 700, 1200, 1200, 1472, 1472, 1472,
	                                 0,    0,    5,    5,   5,    4,    6,    1465, 1460};
	enum { COUNT = sizeof sizes / sizeof *sizes };
	static uint8_t answers[COUNT][2048];
	struct mmsghdr messages[COUNT];
	struct iovec iov[COUNT];
	struct sockaddr_in6 name;
	socklen_t name_size;
	uint32_t header = is_ipv4(&to) ? 10 : 22;
	for (int i = 0; i < COUNT; i++) {
		iov[i] = (struct iovec){pattern + i, sizes[i]};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	CHECK(sendmmsg(app, messages, COUNT, 0) == COUNT);
	for (int i = 0; i < COUNT; i++) {
		EXPECT(await_datagram(server), header + sizes[i]);
		CHECK(memcmp(got + header, pattern + i, sizes[i]) == 0);
		memcpy(answers[i], got, (size_t)got_size);
		iov[i] = (struct iovec){answers[i], (size_t)got_size};
	}
	name_size = to_sockaddr(&name, &got_from);
	for (int i = 0; i < COUNT; i++) {
		messages[i].msg_hdr.msg_name = &name;
		messages[i].msg_hdr.msg_namelen = name_size;
	}
	CHECK(sendmmsg(server, messages, COUNT, 0) == COUNT);
	for (int i = 0; i < COUNT; i++) {
		EXPECT(await_datagram(app), sizes[i]);
		CHECK(memcmp(got, pattern + i, sizes[i]) == 0 && same(got_from, to));
	}
}

static void bursts(const char *bound_to, struct cv_addr to)
{
	struct cv_addr name;
	int app = app_socket(bound_to, &name);
	echo(app, to, 10, false);
	CHECK(connect_to(app, to) == 0);
	for (int i = 0; i < 20; i++)
		burst(app, to);
	/* Now some are too long for one packet, alone or as segments. */
	run_in(world_host, "ip link set lo mtu 1500");
	for (int i = 0; i < 20; i++)
		burst(app, to);
	run_in(world_host, "ip link set lo mtu 65536");
}

static void bursts_arrive_whole_and_in_order(void)
{
	start(100, 60);
	bursts(APP4, address("203.0.113.7", 4433));
	bursts(APP6, address("2001:db8::7", 4433));
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

static void a_lane_without_ipv6_carries_ipv4(void)
{
	struct cv_addr name;
	int app, udp, dns, raw;
	start(10, 60);
	CHECK(cv_udp_lane_remove(lane) == 0);
	CHECK(cv_netns_enter(world_gateway) == 0);
	udp = cv_mint_udp(0, WORLD_UDP_PORT);
	dns = cv_mint_udp(0, WORLD_DNS_PORT);
	raw = cv_mint_raw(4);
	CHECK(cv_netns_enter(world_host) == 0);
	lane = cv_udp_lane_add(udp, dns, raw, -1);
	CHECK(lane >= 0);
	app = app_socket(APP4, &name);
	echo(app, address("203.0.113.7", 4433), 1200, false);
	CHECK(send_to(app, address("203.0.113.53", 53), "query", 5) == 5);
	AWAIT(dns_count == 1);
	name = address("2001:db8::1", 1);
	CHECK(cv_udp_reply(lane, &name, &name, "x", 1) == -EAFNOSUPPORT);
}

static const struct test_case cases[] = {
	CASE(datagrams_of_every_size_come_back_from_where_they_went),
	CASE(a_dual_stack_app_socket_gets_both_families),
	CASE(bursts_arrive_whole_and_in_order),
	CASE(one_association_reaches_many_peers),
	CASE(a_peer_that_was_not_written_to_is_heard),
	CASE(replies_for_a_name_come_from_its_fake_address),
	CASE(a_fake_ipv6_address_may_have_an_ipv4_name_behind_it),
	CASE(fragments_and_broken_headers_are_dropped),
	CASE(only_the_relays_address_is_heard),
	CASE(dns_goes_to_node_and_its_answer_comes_from_the_resolver),
	CASE(direct_datagrams_go_from_the_host_with_a_full_cone),
	CASE(a_lane_without_ipv6_carries_ipv4),
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	return run_cases(cases, argc, argv);
}
