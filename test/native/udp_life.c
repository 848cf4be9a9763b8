/*
 * The life of flows, associations and lanes of the UDP relay: decisions, refusals, caps, expiry, wrong calls.
 */
#include "udp_play.h"

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
	/* By the first datagram and not after a wait; that it is 100 ms at most is tested on a lane. */
	CHECK(now_ns() - begun < 1000000000);
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
	/* All that is kept comes at once. */
	CHECK(setsockopt(server, SOL_SOCKET, SO_RCVBUFFORCE, &(int){4 << 20}, sizeof(int)) == 0);
	for (int i = 0; i < 600; i++)
		CHECK(send_to(app, to, &i, sizeof i) == sizeof i);
	AWAIT(unknown_count == 1);
	/* Written after all of the others, so the relay has seen those when it tells of this one. */
	CHECK(send_to(app, address("203.0.113.8", 443), pattern, 5000) == 5000);
	AWAIT(unknown_count == 2);
	CHECK(decide(&name, &to) == 0);
	for (int i = 0; i < 512; i++) {
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

static void lanes_come_and_go_without_a_trace(void)
{
	struct cv_addr name, to = address("203.0.113.7", 443);
	int app, before, first;
	start(100, 60);
	/* A thread may still be closing what a lane had. */
	int threads = entry_count("/proc/self/task");
	CHECK(cv_udp_lane_remove(lane) == 0);
	CHECK(cv_udp_lane_remove(lane) == -ENOENT);
	EVENTUALLY(entry_count("/proc/self/task") == threads);
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
	EVENTUALLY(entry_count("/proc/self/task") == threads);
	CHECK(descriptor_count() == before);
	CHECK(expired_count == 0);
}

static void wrong_calls_are_refused(void)
{
	struct cv_addr name = address(APP4, 1), four = address("127.0.0.1", 9), to = address("2001:db8::1", 1);
	uint8_t target[300];
	int tcp = socket(AF_INET, SOCK_STREAM, 0), raw = cv_mint_raw(4), ipv4 = socket(AF_INET, SOCK_DGRAM, 0), made;
	CHECK(cv_udp_lane_add(0, 0, 0, 0) == -ENOTCONN);
	CHECK(cv_udp_start(0, 60) == -EINVAL && cv_udp_start(10, 0) == -EINVAL);
	start(10, 60);
	CHECK(cv_udp_start(10, 60) == -EALREADY);
	CHECK(cv_udp_lane_add(tcp, -1, tcp, -1) == -ESOCKTNOSUPPORT);
	CHECK(cv_udp_lane_add(-1, -1, -1, -1) == -EBADF);
	CHECK(cv_udp_lane_remove(-1) == -ENOENT && cv_udp_lane_remove(5000) == -ENOENT);
	CHECK(cv_udp_lane_packet(lane, tcp) == -ESOCKTNOSUPPORT && cv_udp_lane_packet(lane, -1) == -EBADF);
	CHECK(cv_udp_lane_packet(lane + 1, raw) == -ENOENT);
	CHECK(cv_mint_packet("none") == -ENODEV);
	CHECK(cv_udp_associate(lane, &name, tcp, CV_UDP_SOCKS, &server_addr, NULL, 0) == -ESOCKTNOSUPPORT);
	CHECK(cv_udp_associate(lane, &name, ipv4, CV_UDP_SOCKS, &server_addr, NULL, 0) == -EAFNOSUPPORT);
	CHECK(cv_udp_associate(lane, &name, ipv4, 7, &four, NULL, 0) == -EINVAL);
	CHECK(cv_udp_associate(lane, &name, ipv4, CV_UDP_SOCKS, NULL, NULL, 0) == -EINVAL);
	CHECK(cv_udp_associate(lane + 1, &name, ipv4, CV_UDP_SOCKS, &four, NULL, 0) == -ENOENT);
	made = cv_udp_associate(lane, &name, ipv4, CV_UDP_SOCKS, &four, NULL, 0);
	CHECK(made > 0);
	CHECK(cv_udp_route(made, &to, target, 0) == -EINVAL);
	target[0] = 9;
	CHECK(cv_udp_route(made, &to, target, 7) == -EINVAL);
	CHECK(cv_udp_route(made, &to, target, literal_target(target, &to) - 1) == -EINVAL);
	CHECK(cv_udp_route(made, &to, target, literal_target(target, &to)) == 0);
	CHECK(cv_udp_dissociate(made) == 0 && cv_udp_dissociate(made) == -ENOENT);
	CHECK(cv_udp_dissociate(0) == -ENOENT && cv_udp_dissociate(-5) == -ENOENT);
	made = cv_udp_associate(lane, &name, ipv4, CV_UDP_DIRECT, NULL, NULL, 0);
	CHECK(cv_udp_route(made, &to, &to, sizeof to) == -EAFNOSUPPORT);
	CHECK(cv_udp_route(made, &to, &to, 7) == -EINVAL);
	CHECK(cv_udp_poll(target, 8) == -EMSGSIZE);
}

static const struct test_case cases[] = {
	CASE(a_refused_pair_gets_an_error_at_once),
	CASE(a_refusal_can_be_taken_back),
	CASE(waiting_datagrams_are_kept_in_order_and_bounded),
	CASE(the_least_recently_used_association_is_evicted_at_the_cap),
	CASE(an_idle_association_expires_and_a_busy_one_does_not),
	CASE(an_association_ends_when_the_relays_port_is_closed),
	CASE(a_full_queue_loses_queries_but_no_unknown_pair),
	CASE(lanes_come_and_go_without_a_trace),
	CASE(wrong_calls_are_refused),
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	return run_cases(cases, argc, argv);
}
