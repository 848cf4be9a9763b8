/* Apps' connections as the pump accepts them: what is told of them, and what becomes of those that cannot be. */
#include "dial_play.h"

static int connect_to(const void *address, socklen_t size)
{
	int fd = socket(((const struct sockaddr *)address)->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	CHECK(connect(fd, address, size) == 0);
	return fd;
}

/* What was connected to and by whom is told, in both families, by one dual-stack listener. */
static void destinations(void)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in four = {.sin_family = AF_INET}, own;
	socklen_t size = sizeof own;
	struct cv_flow_event event;
	int port, app, probe = loopback_listen(&own);

	port = ntohs(own.sin_port);
	close(probe);
	CHECK(cv_pump_start(1, 8) == 0);
	int number = cv_pump_listen(cv_mint_tcp(1, port, 0), 0);
	CHECK(number > 0);
	inet_pton(AF_INET, "127.1.2.3", &four.sin_addr);
	four.sin_port = six.sin6_port = htons((uint16_t)port);
	app = connect_to(&four, sizeof four);
	event = next_event(CV_FLOW_ACCEPTED);
	EXPECT(event.listener, number);
	EXPECT(memcmp(event.destination.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\1\2\3", 16), 0);
	EXPECT(memcmp(event.destination.port, &four.sin_port, 2), 0);
	CHECK(getsockname(app, (struct sockaddr *)&own, &size) == 0);
	EXPECT(event.source_port, ntohs(own.sin_port));
	close(app);
	app = connect_to(&six, sizeof six);
	event = next_event(CV_FLOW_ACCEPTED);
	EXPECT(memcmp(event.destination.ip, &six.sin6_addr, 16), 0);
	close(app);
}

/* The socket that is taken belongs to the caller and ends in an orderly way. */
static void taken(void)
{
	struct stage stage = stage_open(1, 1);
	int app, fd;
	char byte;

	for (int i = 0; i < 3; i++) {
		app = app_connect(&stage);
		fd = cv_pump_take((int)next_event(CV_FLOW_ACCEPTED).flow);
		CHECK(fd >= 0);
		CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
		CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		write_fully(fd, "answer", 6);
		close(fd);
		hear(app, "answer", 6);
		EXPECT(recv(app, &byte, 1, 0), 0);
		close(app);
	}
}

/* Early bytes come first; from there it is a flow like any other. */
static void joined(void)
{
	struct stage stage = stage_open(1, 8);
	int app = app_connect(&stage), flow = (int)next_event(CV_FLOW_ACCEPTED).flow;
	struct cv_flow_event ended;
	int proxy[2];

	tcp_pair(proxy);
	EXPECT(cv_pump_join(flow, proxy[0], "early ", 6), 0);
	close(proxy[0]);
	write_fully(proxy[1], "and late", 8);
	hear(app, "early and late", 14);
	write_fully(app, "up", 2);
	hear(proxy[1], "up", 2);
	close(app);
	close(proxy[1]);
	ended = next_event(CV_FLOW_ENDED);
	EXPECT(ended.reason, CV_END_CLEAN);
	EXPECT(ended.bytes_down, 14);
	EXPECT(ended.dial_ms, UINT32_MAX);
}

/* A relay that is killed leaves a reset, also to apps that it had only accepted. */
static void options_from_the_listener(void)
{
	struct stage stage = stage_open(1, 8);
	int app = app_connect(&stage), flow = (int)next_event(CV_FLOW_ACCEPTED).flow;
	int on = 0, fd = cv_pump_take(flow);
	socklen_t size = sizeof on;

	CHECK(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0 && on);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, &size) == 0 && on);
	close(fd);
	close(app);
	app = app_connect(&stage);
	EXPECT(cv_pump_abort((int)next_event(CV_FLOW_ACCEPTED).flow), 0);
	is_reset(app);
}

static void more_than_there_is_room_for(void)
{
	struct stage stage = stage_open(1, 2);
	int apps[3], flows[2];

	for (int i = 0; i < 3; i++)
		apps[i] = app_connect(&stage);
	for (int i = 0; i < 2; i++)
		flows[i] = (int)next_event(CV_FLOW_ACCEPTED).flow;
	is_reset(apps[2]);
	EXPECT(cv_pump_abort(flows[0]), 0);
	is_reset(apps[0]);
	apps[0] = app_connect(&stage);
	EXPECT(next_event(CV_FLOW_ACCEPTED).flow, flows[0]);
	close(apps[0]);
	close(apps[1]);
}

static void no_descriptor_is_left(void)
{
	struct stage stage = stage_open(1, 8);
	struct rlimit files, few;
	struct cv_flow_event event;
	int app = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), next = dup(0);

	CHECK(app >= 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	few = files;
	few.rlim_cur = (rlim_t)next;
	close(next);
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	CHECK(connect(app, (struct sockaddr *)&stage.lane, sizeof stage.lane) == 0);
	/* It waits, and nothing spins meanwhile. */
	struct timespec before, after;
	CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before) == 0);
	poll(NULL, 0, 300);
	CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after) == 0);
	EXPECT(cv_pump_reap(&event, 1), 0);
	CHECK((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 < 100);
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	next_event(CV_FLOW_ACCEPTED);
	close(app);
}

/*
 * Apps that connected, wrote and were gone before the listener's thread, which has run out of descriptors and sleeps,
 * has seen them.
 */
static void settled(void)
{
	enum { APPS = 100 };
	struct stage stage = stage_open(1, APPS + 1);
	struct rlimit files, few;
	struct cv_flow_event event;
	int apps[APPS], next, waker = app_connect(&stage);
	char heard[8];

	EXPECT(cv_pump_settle(stage.listener + 1), -ENOENT);
	next_event(CV_FLOW_ACCEPTED);
	EXPECT(cv_pump_settle(stage.listener), 0);
	close(waker);
	for (int i = 0; i < APPS; i++)
		CHECK((apps[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0);
	next = dup(0);
	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	few = files;
	few.rlim_cur = (rlim_t)next;
	close(next);
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	for (int i = 0; i < APPS; i++) {
		CHECK(connect(apps[i], (struct sockaddr *)&stage.lane, sizeof stage.lane) == 0);
		write_fully(apps[i], "written", 7);
	}
	/* Node cannot either. */
	EXPECT(cv_pump_settle(stage.listener), -EMFILE);
	EXPECT(cv_pump_reap(&event, 1), 0);
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	for (int i = 0; i < APPS; i++)
		close(apps[i]);
	CHECK(cv_pump_settle(stage.listener) >= 0);
	for (int i = 0; i < APPS; i++) {
		EXPECT(cv_pump_reap(&event, 1), 1);
		EXPECT(event.kind, CV_FLOW_ACCEPTED);
		EXPECT(cv_pump_peek((int)event.flow, heard, sizeof heard), 7);
		EXPECT(cv_pump_abort((int)event.flow), 0);
	}
	EXPECT(cv_pump_reap(&event, 1), 0);
}

static void closed_listeners(void)
{
	enum { ROUNDS = 1500 };
	struct stage stage = stage_open(2, 8);
	struct sockaddr_in address;
	int app = app_connect(&stage), refused = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct cv_flow_event event;
	int before, last = stage.listener;

	EVENTUALLY(cv_pump_reap(&event, 1) == 1);
	EXPECT(cv_pump_unlisten(stage.listener), 0);
	EXPECT(cv_pump_unlisten(stage.listener), -ENOENT);
	EXPECT(connect(refused, (struct sockaddr *)&stage.lane, sizeof stage.lane), -1);
	EXPECT(errno, ECONNREFUSED);
	close(refused);
	/* What was accepted before is still there. */
	EXPECT(cv_pump_abort((int)event.flow), 0);
	is_reset(app);
	before = descriptor_count();
	for (int i = 0; i < ROUNDS; i++) {
		int number = cv_pump_listen(loopback_listen(&address), 0);

		CHECK(number > last);
		last = number;
		app = connect_to(&address, sizeof address);
		if (i % 2) {
			event = next_event(CV_FLOW_ACCEPTED);
			EXPECT(event.listener, number);
			EXPECT(cv_pump_abort((int)event.flow), 0);
		}
		EXPECT(cv_pump_unlisten(number), 0);
		/* Perhaps it was accepted and perhaps not; its number tells whose it was. */
		while (cv_pump_reap(&event, 1) == 1) {
			EXPECT(event.listener, number);
			EXPECT(cv_pump_abort((int)event.flow), 0);
		}
		is_reset(app);
	}
	EXPECT(descriptor_count(), before);
	EXPECT(cv_pump_listen(999, 0), -EBADF);
}

int main(void)
{
	in_process("destination and source of a connection are told in both families", destinations);
	in_process("a socket that is taken is the caller's and ends in an orderly way", taken);
	in_process("an accepted flow can be joined with a socket and bytes read before", joined);
	in_process("accepted sockets have their options from the listener", options_from_the_listener);
	in_process("connections beyond the last slot are reset", more_than_there_is_room_for);
	in_process("without a descriptor connections wait, and nothing spins", no_descriptor_is_left);
	in_process("what waits at a listener is there when it is asked for", settled);
	in_process("closed listeners accept nothing and their numbers do not come back", closed_listeners);
	return 0;
}
