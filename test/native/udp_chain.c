/*
 * UDP through several SOCKS5 relays: the server that is played is the first, and stands for those behind it as well.
 */
#include "udp_play.h"

static const char *const relays[] = {"198.51.100.10", "2001:db8::20", "198.51.100.30", "198.51.100.40"};

static void add_relay(int which)
{
	struct cv_addr addr = address(relays[which], 2000 + which);
	uint8_t target[32];
	add_layer(target, literal_target(target, &addr));
}

static void add_named_relay(const char *name, int port)
{
	uint8_t target[300];
	add_layer(target, name_target(target, name, port));
}

/* A reply's header that names an address; returns its size. */
static uint32_t header_of(uint8_t *out, const char *text, int port)
{
	struct cv_addr addr = address(text, port);
	memset(out, 0, 3);
	return 3 + literal_target(out + 3, &addr);
}

static void as_many_relays_as_there_may_be(void)
{
	static const size_t sizes[] = {0, 1, 1200, 1472, 9000, 65000};
	struct cv_addr name, to4 = address("203.0.113.7", 4433), to6 = address("2001:db8::7", 4433);
	int app4, app6;
	start(100, 60);
	for (int i = 0; i < 4; i++)
		add_relay(i);
	app4 = app_socket(APP4, &name);
	app6 = app_socket(APP6, &name);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		echo(app4, to4, sizes[i], false);
		echo(app6, to6, sizes[i], false);
	}
	/* The largest that there is room for with all headers, 65,527 bytes of payload over IPv6, and one more. */
	echo(app4, to4, 65527 - 10 - layer_headers_size, false);
	CHECK(send_to(app4, to4, pattern, 65527 - 9 - layer_headers_size) > 0);
	expect_nothing(server);
	echo(app4, to4, 5, false);
	EXPECT(association_count, 2);
}

static void relays_by_names_of_every_length(void)
{
	char longest[256];
	struct cv_addr name, to = address("203.0.113.7", 4433);
	int app;
	memset(longest, 'r', 255);
	longest[255] = 0;
	start(100, 60);
	add_named_relay("a", 1);
	for (int i = 0; i < 3; i++)
		add_named_relay(longest, 65535);
	app = app_socket(APP4, &name);
	echo(app, to, 1200, false);
	echo(app, to, 60000, false);
	EXPECT(layer_headers_size, 8 + 3 * 262);
}

/* Runs of one size go as one send: cut apart again, each has all headers. */
static void bursts_are_cut_where_they_should_be(void)
{
	enum { COUNT = 30 };
	struct cv_addr name, to = address("203.0.113.7", 4433);
	int app;
	start(100, 60);
	add_relay(0);
	add_relay(1);
	app = app_socket(APP4, &name);
	echo(app, to, 10, false);
	CHECK(connect_to(app, to) == 0);
	for (int round = 0; round < 20; round++) {
		struct mmsghdr messages[COUNT];
		struct iovec iov[COUNT];
		/* From here on some are too long for one packet. */
		if (round == 10)
			run_in(world_host, "ip link set lo mtu 1500");
		for (int i = 0; i < COUNT; i++) {
			size_t size = i % 7 == 6 ? 300 : round % 2 ? 1430 : 1200;
			iov[i] = (struct iovec){pattern + i, size};
			messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
		}
		CHECK(sendmmsg(app, messages, COUNT, 0) == COUNT);
		for (int i = 0; i < COUNT; i++) {
			EXPECT(await_datagram(server), layer_headers_size + 10 + iov[i].iov_len);
			CHECK(memcmp(got, layer_headers, layer_headers_size) == 0);
			CHECK(memcmp(got + layer_headers_size + 10, pattern + i, iov[i].iov_len) == 0);
		}
	}
	run_in(world_host, "ip link set lo mtu 65536");
}

/* Opens the way and answers where replies are to be sent to. */
static struct cv_addr way_opened(int app, struct cv_addr to)
{
	CHECK(send_to(app, to, "x", 1) == 1);
	await_datagram(server);
	return got_from;
}

static const struct {
	const char *address;
	int port;
} strangers[][3] = {
	{{"198.51.100.11", 2000}, {"2001:db8::20", 2001}}, /* another address */
	{{"198.51.100.10", 2001}, {"2001:db8::20", 2001}}, /* another port */
	{{"198.51.100.10", 2000}, {"2001:db8::20", 2002}},
	{{"2001:db8::20", 2001}, {"198.51.100.10", 2000}}, /* swapped */
	{{"2001:db8::20", 2001}},                          /* one missing */
	{{"198.51.100.10", 2000}},
	{{"198.51.100.11", 2000}, {"198.51.100.10", 2000}, {"2001:db8::20", 2001}}, /* one too many */
};

static void replies_by_other_relays_are_not_heard(void)
{
	struct cv_addr name, gate, to = address("203.0.113.7", 4433);
	uint8_t reply[128];
	uint32_t size;
	int app;
	start(100, 60);
	add_relay(0);
	add_relay(1);
	app = app_socket(APP4, &name);
	gate = way_opened(app, to);
	for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
		size = 0;
		for (int j = 0; j < 3 && strangers[i][j].address; j++)
			size += header_of(reply + size, strangers[i][j].address, strangers[i][j].port);
		size += header_of(reply + size, "203.0.113.7", 4433);
		CHECK(send_to(server, gate, reply, size + 5) > 0);
		expect_nothing(app);
	}
	size = 3 + name_target(reply + 3, "relay.example", 2000);
	size += header_of(reply + size, relays[1], 2001);
	size += header_of(reply + size, "203.0.113.7", 4433);
	CHECK(send_to(server, gate, reply, size + 5) > 0);
	expect_nothing(app);
	/* Cut at every byte. */
	size = header_of(reply, relays[0], 2000);
	size += header_of(reply + size, relays[1], 2001);
	size += header_of(reply + size, "203.0.113.7", 4433);
	for (uint32_t cut = 0; cut < size; cut++)
		CHECK(send_to(server, gate, reply, cut) >= 0);
	/* A fragment, in each place: behind 10 and 22 bytes the next header begins. */
	for (int i = 0; i < 3; i++) {
		static const int places[] = {2, 12, 34};

		reply[places[i]] = 1;
		CHECK(send_to(server, gate, reply, size + 5) > 0);
		reply[places[i]] = 0;
	}
	expect_nothing(app);
	CHECK(send_to(server, gate, reply, size + 6) > 0);
	EXPECT(await_datagram(app), 6);
	CHECK(same(got_from, to));
}

static void the_address_that_a_name_has_first_is_the_one(void)
{
	struct cv_addr name, gate, to = address("203.0.113.7", 4433);
	uint8_t reply[256] = {0};
	uint32_t size;
	int app;
	start(100, 60);
	add_named_relay("Relay.Example", 2000);
	add_relay(2);
	app = app_socket(APP4, &name);
	gate = way_opened(app, to);
	/* The right name, in whatever case, leaves it open which address it has. */
	size = 3 + name_target(reply + 3, "relay.EXAMPLE", 2000);
	size += header_of(reply + size, relays[2], 2002);
	size += header_of(reply + size, "203.0.113.7", 4433);
	CHECK(send_to(server, gate, reply, size + 1) > 0);
	EXPECT(await_datagram(app), 1);
	/* An address with another port, and one in a reply that the next relay did not send, are none. */
	for (int wrong = 0; wrong < 2; wrong++) {
		size = header_of(reply, "198.51.100.66", wrong ? 2000 : 2001);
		size += header_of(reply + size, relays[2], wrong ? 1 : 2002);
		size += header_of(reply + size, "203.0.113.7", 4433);
		CHECK(send_to(server, gate, reply, size + 2) > 0);
	}
	expect_nothing(app);
	for (int i = 0; i < 3; i++) {
		/* The second one comes too late. */
		size = header_of(reply, i == 1 ? "198.51.100.66" : "198.51.100.10", 2000);
		size += header_of(reply + size, relays[2], 2002);
		size += header_of(reply + size, "203.0.113.7", 4433);
		CHECK(send_to(server, gate, reply, size + 3 + (uint32_t)i) > 0);
		if (i == 1)
			expect_nothing(app);
		else
			EXPECT(await_datagram(app), 3 + i);
	}
}

static void names_behind_the_relays_are_told_apart_as_ever(void)
{
	struct cv_addr name, gate, fake = address("198.18.1.1", 443);
	uint8_t expected[300] = {0}, reply[300];
	uint32_t header, size;
	int app;
	start(100, 60);
	add_relay(0);
	memcpy(expected, layer_headers, layer_headers_size);
	header = layer_headers_size + 3 + name_target(expected + layer_headers_size + 3, "1.Example", 443);
	app = app_socket(APP4, &name);
	CHECK(send_to(app, fake, "hello", 5) == 5);
	EXPECT(await_datagram(server), header + 5);
	CHECK(memcmp(got, expected, header) == 0);
	gate = got_from;
	size = header_of(reply, relays[0], 2000);
	size += header_of(reply + size, "198.51.100.77", 443);
	CHECK(send_to(server, gate, reply, size + 3) > 0);
	EXPECT(await_datagram(app), 3);
	CHECK(same(got_from, fake));
}

static void layers_that_are_none_are_refused(void)
{
	struct cv_addr name = address(APP4, 1000);
	uint8_t wrong[] = {1, 198, 51, 100, 10, 7, 208, 1, 198, 51, 100};
	start(10, 60);
	for (int i = 0; i < 5; i++)
		add_relay(i % 4);
	EXPECT(cv_udp_associate(lane, &name, -1, CV_UDP_SOCKS, &server_addr, layers, layers_size), -E2BIG);
	for (uint32_t size = 1; size <= sizeof wrong; size++)
		if (size != 7)
			EXPECT(cv_udp_associate(lane, &name, -1, CV_UDP_SOCKS, &server_addr, wrong, size), -EINVAL);
	EXPECT(cv_udp_associate(lane, &name, -1, CV_UDP_SOCKS, &server_addr, NULL, 7), -EINVAL);
	EXPECT(cv_udp_associate(lane, &name, -1, CV_UDP_DIRECT, NULL, wrong, 7), -EINVAL);
	CHECK(cv_udp_associate(lane, &name, -1, CV_UDP_SOCKS, &server_addr, wrong, 7) > 0);
}

static const struct test_case cases[] = {
	CASE(as_many_relays_as_there_may_be),
	CASE(relays_by_names_of_every_length),
	CASE(bursts_are_cut_where_they_should_be),
	CASE(replies_by_other_relays_are_not_heard),
	CASE(the_address_that_a_name_has_first_is_the_one),
	CASE(names_behind_the_relays_are_told_apart_as_ever),
	CASE(layers_that_are_none_are_refused),
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	return run_cases(cases, argc, argv);
}
