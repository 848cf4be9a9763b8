/* Decisions that hold for a moment: the same destination of the same listener, and nothing else. */
#include <pthread.h>
#include <stdatomic.h>

#include "dial_play.h"

static void dial_for(const struct stage *stage, int flow, uint32_t again_ms)
{
	struct cv_addr proxy = address_of(&stage->proxy);

	EXPECT(cv_pump_dial(flow, &proxy, NULL, sign_in_bytes, sizeof sign_in_bytes, request_bytes,
	                    sizeof request_bytes, PATIENT_MS, again_ms),
	       0);
}

static int app_to(const char *ip, const struct stage *stage)
{
	struct stage other = *stage;

	CHECK(inet_pton(AF_INET, ip, &other.lane.sin_addr) == 1);
	return app_connect(&other);
}

/* A stage whose listener answers for every address of 127.0.0.0/8. */
static struct stage wide_stage(void)
{
	struct stage stage = {0};
	int probe = loopback_listen(&stage.lane), port = ntohs(stage.lane.sin_port);

	close(probe);
	CHECK(cv_pump_start(2, 64) == 0);
	stage.listener = cv_pump_listen(cv_mint_tcp(0, port, 0), 0);
	CHECK(stage.listener > 0);
	stage.proxy_fd = loopback_listen(&stage.proxy);
	return stage;
}

static void the_same_again(void)
{
	struct stage stage = wide_stage();
	int app = app_to("127.0.0.2", &stage), proxy;
	struct cv_flow_event event = next_event(CV_FLOW_ACCEPTED);
	struct cv_addr wanted = event.destination;

	EXPECT(event.is_new, 1);
	dial_for(&stage, (int)event.flow, PATIENT_MS);
	proxy = proxy_accept(&stage);
	EXPECT(cv_pump_abort((int)event.flow), 0);
	event = next_event(CV_FLOW_ENDED);
	EXPECT(event.is_new, 0);
	is_reset(app);
	close(proxy);
	for (int i = 0; i < 50; i++) {
		bool is_told = i % 2;

		app = app_to("127.0.0.2", &stage);
		proxy = proxy_accept(&stage);
		hear_greeting(proxy, true);
		if (is_told) {
			event = next_event(CV_FLOW_DIALLING);
			EXPECT(event.is_new, 1);
		}
		write_fully(proxy, with_sign_in, 2);
		hear(proxy, sign_in_bytes, sizeof sign_in_bytes);
		write_fully(proxy, "\1\0", 2);
		hear(proxy, request_bytes, sizeof request_bytes);
		write_fully(proxy, yes, sizeof yes);
		write_fully(proxy, "hi", 2);
		hear(app, "hi", 2);
		event = next_event(CV_FLOW_OPENED);
		/* What is told first tells where the flow came from. */
		EXPECT(event.is_new, !is_told);
		if (!is_told) {
			EXPECT(event.listener, stage.listener);
			EXPECT(memcmp(&event.destination, &wanted, sizeof wanted), 0);
		}
		close(app);
		close(proxy);
		event = next_event(CV_FLOW_ENDED);
		EXPECT(event.is_new, 0);
		EXPECT(event.reason, CV_END_CLEAN);
	}
}

/* An end that is the first that is told of a flow. */
static void over_before_it_is_told(void)
{
	struct stage stage = wide_stage();
	int app = app_to("127.0.0.2", &stage);
	struct cv_flow_event event = next_event(CV_FLOW_ACCEPTED);

	dial_for(&stage, (int)event.flow, PATIENT_MS);
	close(proxy_accept(&stage));
	next_event(CV_FLOW_ENDED);
	is_reset(app);
	app = app_to("127.0.0.2", &stage);
	close(proxy_accept(&stage));
	is_reset(app);
	/* The thread that resets publishes in the same turn, a moment later. */
	EVENTUALLY((event = reap_one()).kind == CV_FLOW_ENDED || event.is_new);
	if (event.kind == CV_FLOW_ENDED) {
		EXPECT(event.is_new, 1);
		EXPECT(event.listener, stage.listener);
	} else {
		event = next_event(CV_FLOW_ENDED);
	}
	EXPECT(event.reason, CV_END_DIAL_CLOSED);
}

static void nothing_else(void)
{
	struct stage stage = wide_stage();
	struct sockaddr_in second_lane;
	int app = app_to("127.0.0.2", &stage), second;
	struct cv_flow_event event = next_event(CV_FLOW_ACCEPTED);

	dial_for(&stage, (int)event.flow, PATIENT_MS);
	EXPECT(cv_pump_abort((int)event.flow), 0);
	next_event(CV_FLOW_ENDED);
	is_reset(app);
	for (int i = 3; i < 250; i++) {
		char ip[24];

		snprintf(ip, sizeof ip, "127.0.0.%d", i);
		app = app_to(ip, &stage);
		EXPECT(cv_pump_abort((int)next_event(CV_FLOW_ACCEPTED).flow), 0);
		is_reset(app);
	}
	/* The same address and port in another lane: the listener of the first is closed, its number is another one. */
	second_lane = stage.lane;
	EXPECT(cv_pump_unlisten(stage.listener), 0);
	second = cv_pump_listen(cv_mint_tcp(0, ntohs(second_lane.sin_port), 0), 0);
	CHECK(second > stage.listener);
	app = app_to("127.0.0.2", &stage);
	event = next_event(CV_FLOW_ACCEPTED);
	EXPECT(event.listener, second);
	close(app);
}

/* Its use does not prolong it. */
static void only_for_a_moment(void)
{
	enum { AGAIN = 150 };
	struct stage stage = wide_stage();
	struct cv_flow_event event;
	int64_t since;

	close(app_to("127.0.0.2", &stage));
	event = next_event(CV_FLOW_ACCEPTED);
	since = now_ms();
	dial_for(&stage, (int)event.flow, AGAIN);
	EXPECT(cv_pump_abort((int)event.flow), 0);
	next_event(CV_FLOW_ENDED);
	for (;;) {
		close(app_to("127.0.0.2", &stage));
		event = reap_one();
		if (event.kind == CV_FLOW_ACCEPTED)
			break;
		EXPECT(event.is_new, 1);
		if (event.kind != CV_FLOW_ENDED) {
			EXPECT(cv_pump_abort((int)event.flow), 0);
			while (reap_one().kind != CV_FLOW_ENDED)
				;
		}
		CHECK(now_ms() - since < 5000);
	}
	CHECK(now_ms() - since >= AGAIN);
	/* A decision without a time is for one flow only. */
	dial_for(&stage, (int)event.flow, 0);
	close(app_to("127.0.0.2", &stage));
	while ((event = reap_one()).kind != CV_FLOW_ACCEPTED)
		EXPECT(event.is_new, 0);
}

static atomic_bool is_over;

/* An app that connects as fast as it can, whatever becomes of it. */
static void *connect_for_ever(void *argument)
{
	const struct stage *stage = argument;

	while (!atomic_load(&is_over)) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		CHECK(fd >= 0);
		/* May be reset before it comes back. */
		(void)!connect(fd, (const struct sockaddr *)&stage->lane, sizeof stage->lane);
		close(fd);
	}
	return NULL;
}

/*
 * In a storm of connections: whatever was dialled without asking is told of by the time that cv_pump_forget returns.
 * Not one comes after it, until something else is decided.
 */
static void forgotten(void)
{
	enum { ROUNDS = 300, MORE = 20 };
	struct stage stage = wide_stage();
	struct cv_flow_event event;
	pthread_t storm;

	CHECK(pthread_create(&storm, NULL, connect_for_ever, &stage) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		while ((event = reap_one()).kind != CV_FLOW_ACCEPTED)
			;
		dial_for(&stage, (int)event.flow, PATIENT_MS);
		cv_pump_abort((int)event.flow);
		while (event = reap_one(), !event.is_new || event.kind == CV_FLOW_ACCEPTED)
			cv_pump_abort((int)event.flow);
		cv_pump_abort((int)event.flow);
		EXPECT(cv_pump_forget(stage.listener), 0);
		while (cv_pump_reap(&event, 1) == 1)
			cv_pump_abort((int)event.flow);
		for (int more = 0; more < MORE; more += event.is_new) {
			event = reap_one();
			EXPECT(event.kind, event.is_new ? CV_FLOW_ACCEPTED : event.kind);
			cv_pump_abort((int)event.flow);
		}
	}
	atomic_store(&is_over, true);
	CHECK(pthread_join(storm, NULL) == 0);
	EXPECT(cv_pump_forget(stage.listener + 1), -ENOENT);
}

/* Two are asked about at once; the second is decided for itself alone, and so is what comes after it. */
static void never_again(void)
{
	struct stage stage = wide_stage();
	int apps[2] = {app_to("127.0.0.2", &stage), app_to("127.0.0.2", &stage)}, flows[2];

	for (int i = 0; i < 2; i++)
		flows[i] = (int)next_event(CV_FLOW_ACCEPTED).flow;
	dial_for(&stage, flows[0], PATIENT_MS);
	dial_for(&stage, flows[1], 0);
	close(app_to("127.0.0.2", &stage));
	next_event(CV_FLOW_ACCEPTED);
	close(apps[0]);
	close(apps[1]);
}

int main(void)
{
	in_process("a destination that was decided about is dialled again without asking", the_same_again);
	in_process("a flow that is over before it is told of is told of once, with where it came from",
	           over_before_it_is_told);
	in_process("a decision is for no other destination and no other listener", nothing_else);
	in_process("a decision that is forgotten is used by no connection from then on", forgotten);
	in_process("a decision for one flow alone ends an older one", never_again);
	in_process("a decision ends with its time, however often it is used", only_for_a_moment);
	return 0;
}
