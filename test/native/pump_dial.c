/* The proxy's side made by the pump: every answer of a SOCKS5 server, every failure, and what it leaves. */
#include <sched.h>

#include "dial_play.h"

struct reply {
	unsigned char bytes[300];
	size_t size;
};

/* Yes with an address of each kind; a name of `length` bytes for kind 3. */
static struct reply reply_with(int kind, size_t length)
{
	struct reply reply = {.bytes = {5, 0, 0, (unsigned char)kind}, .size = 4};

	if (kind == 3)
		reply.bytes[reply.size++] = (unsigned char)length;
	memset(reply.bytes + reply.size, 'a', length + 2);
	reply.size += length + 2;
	return reply;
}

static int replies_of(struct reply out[5])
{
	out[0] = reply_with(1, 4);
	out[1] = reply_with(4, 16);
	out[2] = reply_with(3, 0);
	out[3] = reply_with(3, 8);
	out[4] = reply_with(3, 255);
	return 5;
}

/* After the yes: data of the destination, an answer, and the ends of both. */
static void opened_and_over(int app, int proxy, int flow)
{
	struct cv_flow_event event;

	hear(app, "early", 5);
	write_fully(app, "hello", 5);
	hear(proxy, "hello", 5);
	close(app);
	close(proxy);
	event = reap_one();
	if (event.kind == CV_FLOW_OPENED) {
		EXPECT(event.flow, flow);
		event = reap_one();
	}
	EXPECT(event.kind, CV_FLOW_ENDED);
	EXPECT(event.reason, CV_END_CLEAN);
	EXPECT(event.bytes_up, 5);
	EXPECT(event.bytes_down, 5);
	CHECK(event.dial_ms < PATIENT_MS);
}

static void each_reply_whole(void)
{
	struct stage stage = stage_open(2, 8);
	struct reply replies[5];
	int before = 0;

	for (int i = 0; i < replies_of(replies); i++) {
		int app, flow, proxy = dial_begun(&stage, &app, &flow, false, PATIENT_MS);

		until_request(proxy);
		/* What the destination says comes in the same segment. */
		memcpy(replies[i].bytes + replies[i].size, "early", 5);
		write_fully(proxy, replies[i].bytes, replies[i].size + 5);
		opened_and_over(app, proxy, flow);
		if (i == 0)
			before = descriptor_count();
	}
	EXPECT(descriptor_count(), before);
}

static void each_byte_alone(void)
{
	struct stage stage = stage_open(2, 8);
	struct reply replies[5];

	for (int i = 0; i < replies_of(replies); i++) {
		int app, flow, proxy = dial_begun(&stage, &app, &flow, true, PATIENT_MS);

		hear_greeting(proxy, true);
		for (size_t at = 0; at < 2; at++)
			write_fully(proxy, with_sign_in + at, 1);
		hear(proxy, sign_in_bytes, sizeof sign_in_bytes);
		write_fully(proxy, "\x01", 1);
		write_fully(proxy, "\x00", 1);
		hear(proxy, request_bytes, sizeof request_bytes);
		for (size_t at = 0; at < replies[i].size; at++) {
			write_fully(proxy, replies[i].bytes + at, 1);
			if (at % 7 == 0)
				poll(NULL, 0, 1);
		}
		write_fully(proxy, "early", 5);
		opened_and_over(app, proxy, flow);
	}
}

static void each_reply_cut(void)
{
	struct stage stage = stage_open(2, 8);
	struct reply replies[5];
	int before = 0;

	for (int i = 0; i < replies_of(replies); i++)
		for (size_t size = 0; size < replies[i].size; size++) {
			int app, flow, proxy = dial_begun(&stage, &app, &flow, false, PATIENT_MS);
			struct cv_flow_event ended;

			until_request(proxy);
			if (size > 0)
				write_fully(proxy, replies[i].bytes, size);
			close(proxy);
			ended = next_event(CV_FLOW_ENDED);
			EXPECT(ended.reason, CV_END_DIAL_CLOSED);
			EXPECT(ended.error, 0);
			EXPECT(ended.stage, CV_DIAL_REQUEST);
			EXPECT(ended.dial_ms, UINT32_MAX);
			is_reset(app);
			if (before == 0)
				before = descriptor_count();
		}
	EXPECT(descriptor_count(), before);
}

struct lie {
	const char *method;
	size_t method_size;
	const char *sign_in; /* NULL: does not come to it */
	const char *reply;   /* the first 4 bytes of it, or NULL */
	uint8_t stage;
	uint8_t at;
	uint8_t value;
};

static const struct lie lies[] = {
	{"\x04\x00", 2, NULL, NULL, CV_DIAL_GREETING, 0, 4},
	{"H", 1, NULL, NULL, CV_DIAL_GREETING, 0, 'H'},
	{"\x05\xff", 2, NULL, NULL, CV_DIAL_GREETING, 1, 255},
	{"\x05\x01", 2, NULL, NULL, CV_DIAL_GREETING, 1, 1},
	{"\x05\x00\x05", 3, NULL, NULL, CV_DIAL_GREETING, CV_DIAL_SURPLUS, 0},
	{"\x05\x02", 2, "\x01\x01", NULL, CV_DIAL_SIGN_IN, 1, 1},
	{"\x05\x02", 2, "\x05\xff", NULL, CV_DIAL_SIGN_IN, 1, 255},
	{"\x05\x02", 2, "\x05\x00", "\x05\x05\x00\x01", CV_DIAL_REQUEST, 1, 5},
	{"\x05\x00", 2, NULL, "\x05\x01\x00\x01", CV_DIAL_REQUEST, 1, 1},
	{"\x05\x00", 2, NULL, "\x05\xff\x00\x01", CV_DIAL_REQUEST, 1, 255},
	{"\x05\x00", 2, NULL, "\x04\x00\x00\x01", CV_DIAL_REQUEST, 0, 4},
	{"\x05\x00", 2, NULL, "\x05\x00\x00\x09", CV_DIAL_REQUEST, 3, 9},
};

static void each_lie(void)
{
	struct stage stage = stage_open(2, 8);

	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		const struct lie *lie = &lies[i];
		int app, flow, proxy = dial_begun(&stage, &app, &flow, true, PATIENT_MS);
		struct cv_flow_event ended;

		hear_greeting(proxy, true);
		write_fully(proxy, lie->method, lie->method_size);
		if (lie->sign_in) {
			hear(proxy, sign_in_bytes, sizeof sign_in_bytes);
			write_fully(proxy, lie->sign_in, 2);
		}
		if (lie->reply) {
			hear(proxy, request_bytes, sizeof request_bytes);
			write_fully(proxy, lie->reply, 4);
		}
		ended = next_event(CV_FLOW_ENDED);
		EXPECT(ended.reason, CV_END_DIAL_ANSWER);
		EXPECT(ended.stage, lie->stage);
		EXPECT(ended.at, lie->at);
		EXPECT(ended.value, lie->value);
		is_reset(app);
		close(proxy);
	}
}

/* Method 2 is a lie when there is nothing to sign in with. */
static void sign_in_that_was_not_offered(void)
{
	struct stage stage = stage_open(1, 8);
	int app, flow, proxy = dial_begun(&stage, &app, &flow, false, PATIENT_MS);
	struct cv_flow_event ended;

	hear_greeting(proxy, false);
	write_fully(proxy, with_sign_in, 2);
	ended = next_event(CV_FLOW_ENDED);
	EXPECT(ended.reason, CV_END_DIAL_ANSWER);
	EXPECT(ended.at, 1);
	EXPECT(ended.value, 2);
	is_reset(app);
}

static struct cv_flow_event dial_to(const struct stage *stage, const struct cv_addr *proxy)
{
	int app = app_connect(stage);
	int flow = (int)next_event(CV_FLOW_ACCEPTED).flow;
	struct cv_flow_event ended;

	EXPECT(cv_pump_dial(flow, proxy, NULL, NULL, 0, request_bytes, sizeof request_bytes, PATIENT_MS, 0), 0);
	ended = next_event(CV_FLOW_ENDED);
	EXPECT(ended.flow, flow);
	EXPECT(ended.stage, CV_DIAL_CONNECTING);
	is_reset(app);
	return ended;
}

static void nobody_there(void)
{
	struct stage stage = stage_open(1, 8);
	struct cv_addr closed = address_of(&stage.proxy), broadcast = closed;
	struct rlimit files, few;
	struct cv_flow_event ended;
	int app, next;

	close(stage.proxy_fd);
	ended = dial_to(&stage, &closed);
	EXPECT(ended.reason, CV_END_UNREACHABLE);
	EXPECT(ended.error, ECONNREFUSED);
	memset(broadcast.ip + 12, 0xff, 4);
	ended = dial_to(&stage, &broadcast);
	EXPECT(ended.reason, CV_END_UNREACHABLE);
	CHECK(ended.error == ENETUNREACH || ended.error == EACCES);

	app = app_connect(&stage);
	ended = next_event(CV_FLOW_ACCEPTED);
	next = dup(0);
	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	few = files;
	few.rlim_cur = (rlim_t)next;
	close(next);
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	flow_dial(&stage, (int)ended.flow, false, PATIENT_MS);
	ended = next_event(CV_FLOW_ENDED);
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	EXPECT(ended.reason, CV_END_UNREACHABLE);
	EXPECT(ended.error, EMFILE);
	is_reset(app);
}

static void late_at_each_stage(void)
{
	enum { TIMEOUT = 400 };
	struct stage stage = stage_open(1, 8);

	for (uint8_t at = CV_DIAL_GREETING; at <= CV_DIAL_REQUEST; at++) {
		int64_t since = now_ms();
		int app, flow, proxy = dial_begun(&stage, &app, &flow, true, TIMEOUT);
		struct cv_flow_event ended;

		hear_greeting(proxy, true);
		if (at > CV_DIAL_GREETING) {
			write_fully(proxy, with_sign_in, 2);
			hear(proxy, sign_in_bytes, sizeof sign_in_bytes);
		}
		if (at > CV_DIAL_SIGN_IN) {
			write_fully(proxy, "\x01\x00", 2);
			hear(proxy, request_bytes, sizeof request_bytes);
			/* Progress does not help: there is one deadline. It may be over before the last byte. */
			for (int i = 0; i < 4; i++) {
				poll(NULL, 0, TIMEOUT / 6);
				(void)!send(proxy, yes + i, 1, MSG_NOSIGNAL);
			}
		}
		ended = next_event(CV_FLOW_ENDED);
		EXPECT(ended.reason, CV_END_DIAL_LATE);
		EXPECT(ended.stage, at);
		CHECK(now_ms() - since >= TIMEOUT && now_ms() - since < TIMEOUT + 2000);
		is_reset(app);
		/* Its reset may have been told by a send. */
		CHECK(recv(proxy, &ended, sizeof ended, 0) <= 0);
		close(proxy);
	}
}

static void deadlines_in_their_order(void)
{
	static const uint32_t timeouts[] = {300, 100, 200, 100};
	static const int order[] = {1, 3, 2, 0};
	struct stage stage = stage_open(1, 8);
	int apps[4], flows[4], proxies[4];

	for (int i = 0; i < 4; i++)
		proxies[i] = dial_begun(&stage, &apps[i], &flows[i], false, timeouts[i]);
	for (int i = 0; i < 4; i++)
		EXPECT(next_event(CV_FLOW_ENDED).flow, flows[order[i]]);
	for (int i = 0; i < 4; i++) {
		is_reset(apps[i]);
		close(proxies[i]);
	}
}

static void app_that_wrote_and_closed(void)
{
	struct stage stage = stage_open(1, 8);
	int app, flow, proxy = dial_begun(&stage, &app, &flow, false, PATIENT_MS);
	struct cv_flow_event event;
	char byte;

	write_fully(app, "last words", 10);
	close(app);
	until_request(proxy);
	write_fully(proxy, yes, sizeof yes);
	hear(proxy, "last words", 10);
	EXPECT(recv(proxy, &byte, 1, 0), 0);
	close(proxy);
	event = reap_one();
	if (event.kind == CV_FLOW_OPENED)
		event = reap_one();
	EXPECT(event.reason, CV_END_CLEAN);
	EXPECT(event.bytes_up, 10);
}

static void app_that_reset(void)
{
	static const struct linger resetting = {.l_onoff = 1, .l_linger = 0};
	struct stage stage = stage_open(1, 8);
	int app, flow, proxy = dial_begun(&stage, &app, &flow, false, PATIENT_MS);
	struct cv_flow_event ended;

	until_request(proxy);
	CHECK(setsockopt(app, SOL_SOCKET, SO_LINGER, &resetting, sizeof resetting) == 0);
	close(app);
	ended = next_event(CV_FLOW_ENDED);
	EXPECT(ended.reason, CV_END_APP_RESET);
	EXPECT(ended.error, ECONNRESET);
	is_reset(proxy);
}

static void aborted_at_any_time(void)
{
	struct stage stage = stage_open(1, 1);
	int app, flow, proxy;

	/* Only accepted: free at once, and nothing is told. */
	app = app_connect(&stage);
	flow = (int)next_event(CV_FLOW_ACCEPTED).flow;
	EXPECT(cv_pump_release(flow), -ENOENT);
	EXPECT(cv_pump_abort(flow), 0);
	is_reset(app);
	for (int i = 0; i < 200; i++) {
		proxy = dial_begun(&stage, &app, &flow, false, PATIENT_MS);
		if (i % 4 > 1)
			hear_greeting(proxy, false);
		if (i % 4 > 2)
			write_fully(proxy, no_sign_in, 2);
		EXPECT(cv_pump_abort(flow), 0);
		EXPECT(next_event(CV_FLOW_ENDED).reason, CV_END_ABORTED);
		is_reset(app);
		close(proxy);
	}
	/* Before its thread has even looked at it. */
	for (int i = 0; i < 200; i++) {
		struct cv_flow_event ended;

		app = app_connect(&stage);
		flow = (int)next_event(CV_FLOW_ACCEPTED).flow;
		flow_dial(&stage, flow, false, PATIENT_MS);
		EXPECT(cv_pump_abort(flow), 0);
		ended = next_event(CV_FLOW_ENDED);
		EXPECT(ended.reason, CV_END_ABORTED);
		is_reset(app);
	}
}

static void released_while_dialled(void)
{
	struct stage stage = stage_open(1, 8);
	int app, flow, proxy = dial_begun(&stage, &app, &flow, false, PATIENT_MS);
	struct cv_flow_event event;
	char byte;

	write_fully(app, "bye", 3);
	close(app);
	EXPECT(cv_pump_release(flow), 0);
	until_request(proxy);
	write_fully(proxy, yes, sizeof yes);
	hear(proxy, "bye", 3);
	EXPECT(recv(proxy, &byte, 1, 0), 0);
	/* The proxy's end has not come and is not waited for. */
	event = reap_one();
	if (event.kind == CV_FLOW_OPENED)
		event = reap_one();
	EXPECT(event.reason, CV_END_CLEAN);
	close(proxy);
}

static void wrong_calls(void)
{
	struct stage stage = stage_open(1, 8);
	struct cv_addr proxy = address_of(&stage.proxy);
	static const unsigned char long_one[600];
	int app = app_connect(&stage);
	int flow = (int)next_event(CV_FLOW_ACCEPTED).flow;

	EXPECT(cv_pump_dial(flow + 1, &proxy, NULL, NULL, 0, request_bytes, 11, 1, 0), -ENOENT);
	EXPECT(cv_pump_dial(-1, &proxy, NULL, NULL, 0, request_bytes, 11, 1, 0), -ENOENT);
	EXPECT(cv_pump_dial(flow, &proxy, NULL, NULL, 0, long_one, 263, 1, 0), -EMSGSIZE);
	EXPECT(cv_pump_dial(flow, &proxy, NULL, NULL, 0, long_one, 0, 1, 0), -EMSGSIZE);
	EXPECT(cv_pump_dial(flow, &proxy, NULL, long_one, 514, request_bytes, 11, 1, 0), -EMSGSIZE);
	EXPECT(cv_pump_join(flow, 999, NULL, 0), -EBADF);
	EXPECT(cv_pump_join(flow + 1, 0, NULL, 0), -ENOENT);
	EXPECT(cv_pump_take(flow + 1), -ENOENT);
	flow_dial(&stage, flow, false, PATIENT_MS);
	EXPECT(cv_pump_dial(flow, &proxy, NULL, NULL, 0, request_bytes, 11, 1, 0), -ENOENT);
	EXPECT(cv_pump_take(flow), -ENOENT);
	EXPECT(cv_pump_abort(flow), 0);
	EXPECT(next_event(CV_FLOW_ENDED).reason, CV_END_ABORTED);
	is_reset(app);
}

static void two_thousand_at_once(void)
{
	enum { COUNT = 2000 };
	static int apps[COUNT], proxies[COUNT];
	struct rlimit files;
	struct stage stage;
	int before, ends = 0;

	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	files.rlim_cur = files.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	stage = stage_open(2, COUNT);
	before = descriptor_count();
	for (int i = 0; i < COUNT; i++) {
		int flow;

		proxies[i] = dial_begun(&stage, &apps[i], &flow, i % 2, PATIENT_MS);
	}
	for (int i = 0; i < COUNT; i++) {
		hear_greeting(proxies[i], i % 2);
		write_fully(proxies[i], no_sign_in, 2);
	}
	for (int i = 0; i < COUNT; i++) {
		hear(proxies[i], request_bytes, sizeof request_bytes);
		write_fully(proxies[i], "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50hi", 12);
	}
	for (int i = 0; i < COUNT; i++) {
		hear(apps[i], "hi", 2);
		close(apps[i]);
		close(proxies[i]);
	}
	while (ends < COUNT) {
		struct cv_flow_event event = reap_one();

		if (event.kind != CV_FLOW_ENDED)
			continue;
		EXPECT(event.reason, CV_END_CLEAN);
		ends++;
	}
	/* Threads keep a pipe each. */
	CHECK(descriptor_count() <= before + 4);
}

static void dial_by(const struct stage *stage, int flow, const char *device, uint32_t timeout_ms)
{
	struct cv_addr proxy = address_of(&stage->proxy);

	EXPECT(cv_pump_dial(flow, &proxy, device, NULL, 0, request_bytes, sizeof request_bytes, timeout_ms, 0), 0);
}

/* The proxy is on the loopback interface: by any other one it is not to be had. */
static void by_an_interface(void)
{
	const char *there[] = {NULL, "", "lo"};
	struct stage stage;
	struct cv_flow_event ended;
	int app, flow;

	if (geteuid() != 0)
		CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(cv_netns_new() >= 0);
	CHECK(system("ip link set lo up && ip link add other type veth peer name end && ip link set end up && "
	             "ip addr add 192.0.2.1/24 dev other && ip link set other up") == 0);
	stage = stage_open(1, 8);
	for (int i = 0; i < 3; i++) {
		app = app_connect(&stage);
		dial_by(&stage, (int)next_event(CV_FLOW_ACCEPTED).flow, there[i], PATIENT_MS);
		close(proxy_accept(&stage));
		EXPECT(next_event(CV_FLOW_ENDED).reason, CV_END_DIAL_CLOSED);
		is_reset(app);
	}
	app = app_connect(&stage);
	dial_by(&stage, (int)next_event(CV_FLOW_ACCEPTED).flow, "other", 300);
	ended = next_event(CV_FLOW_ENDED);
	CHECK(ended.reason == CV_END_UNREACHABLE || ended.reason == CV_END_DIAL_LATE);
	EXPECT(ended.stage, CV_DIAL_CONNECTING);
	is_reset(app);
	app = app_connect(&stage);
	dial_by(&stage, (int)next_event(CV_FLOW_ACCEPTED).flow, "missing", PATIENT_MS);
	ended = next_event(CV_FLOW_ENDED);
	EXPECT(ended.reason, CV_END_UNREACHABLE);
	EXPECT(ended.error, ENODEV);
	is_reset(app);
	app = app_connect(&stage);
	flow = (int)next_event(CV_FLOW_ACCEPTED).flow;
	EXPECT(cv_pump_dial(flow, &(struct cv_addr){0}, "sixteen-bytes-is", NULL, 0, request_bytes, 11, 1, 0),
	       -ENAMETOOLONG);
	EXPECT(cv_pump_abort(flow), 0);
	is_reset(app);
}

int main(void)
{
	in_process("every yes opens the flow, and what comes with it goes to the app", each_reply_whole);
	in_process("answers that come byte by byte are put together", each_byte_alone);
	in_process("a proxy that closes after any byte of its yes is told as closed, and the app reset", each_reply_cut);
	in_process("each no and each nonsense is told with its byte", each_lie);
	in_process("a sign-in that was not offered is nonsense", sign_in_that_was_not_offered);
	in_process("a proxy that cannot be reached is told with the reason", nobody_there);
	in_process("a proxy is reached by the interface that is named or not at all", by_an_interface);
	in_process("one deadline holds for the whole dialogue, whatever it waits for", late_at_each_stage);
	in_process("deadlines come in their order, not in that of the dials", deadlines_in_their_order);
	in_process("an app that wrote and closed is still dialled and delivered", app_that_wrote_and_closed);
	in_process("an app that reset ends its dial", app_that_reset);
	in_process("a flow can be aborted at any time", aborted_at_any_time);
	in_process("a released flow goes on until what it has is delivered", released_while_dialled);
	in_process("wrong calls leave the flow as it is", wrong_calls);
	in_process("2,000 dials at once come through and leave nothing", two_thousand_at_once);
	return 0;
}
