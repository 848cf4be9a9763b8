/*
 * A lane's listener, apps that connect to it and a SOCKS5 server, all played by the test itself: step by step, so
 * that each byte and each end comes exactly when a case wants it.
 */
#ifndef CULVERT_DIAL_PLAY_H
#define CULVERT_DIAL_PLAY_H

#include <sys/resource.h>

#include "talk.h"

#define PATIENT_MS 20000

static const unsigned char request_bytes[] = {5, 1, 0, 3, 4, 't', 'e', 's', 't', 0, 80};
static const unsigned char sign_in_bytes[] = {1, 2, 'm', 'e', 3, 'p', 'w', 'd'};
static const unsigned char yes[] = {5, 0, 0, 1, 127, 0, 0, 1, 0, 80};
static const unsigned char no_sign_in[] = {5, 0};
static const unsigned char with_sign_in[] = {5, 2};

struct stage {
	struct sockaddr_in lane;
	struct sockaddr_in proxy;
	int listener; /* number */
	int proxy_fd;
};

static inline struct cv_flow_event next_event(uint32_t kind)
{
	struct cv_flow_event event = reap_one();

	EXPECT(event.kind, kind);
	return event;
}

/* Starts the pump with a listener for apps, and a proxy's. */
static inline struct stage stage_open(int threads, int flows)
{
	struct stage stage;

	CHECK(cv_pump_start(threads, flows) == 0);
	stage.listener = cv_pump_listen(loopback_listen(&stage.lane), 0);
	CHECK(stage.listener > 0);
	stage.proxy_fd = loopback_listen(&stage.proxy);
	return stage;
}

static inline int app_connect(const struct stage *stage)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	CHECK(connect(fd, (const struct sockaddr *)&stage->lane, sizeof stage->lane) == 0);
	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) == 0);
	return fd;
}

static inline struct cv_addr address_of(const struct sockaddr_in *four)
{
	struct cv_addr address = {.ip = {[10] = 0xff, [11] = 0xff}};

	memcpy(address.ip + 12, &four->sin_addr, 4);
	memcpy(address.port, &four->sin_port, 2);
	return address;
}

static inline void flow_dial(const struct stage *stage, int flow, bool signs_in, uint32_t timeout_ms)
{
	struct cv_addr proxy = address_of(&stage->proxy);

	EXPECT(cv_pump_dial(flow, &proxy, NULL, sign_in_bytes, signs_in ? sizeof sign_in_bytes : 0, request_bytes,
	                    sizeof request_bytes, timeout_ms, 0),
	       0);
}

static inline int proxy_accept(const struct stage *stage)
{
	int fd = accept4(stage->proxy_fd, NULL, NULL, SOCK_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) == 0);
	return fd;
}

/* An app's connection that is being dialled: app[0] is the app's end, and the proxy's end is answered. */
static inline int dial_begun(const struct stage *stage, int *app, int *flow, bool signs_in, uint32_t timeout_ms)
{
	*app = app_connect(stage);
	*flow = (int)next_event(CV_FLOW_ACCEPTED).flow;
	flow_dial(stage, *flow, signs_in, timeout_ms);
	return proxy_accept(stage);
}

static inline void hear(int fd, const void *wanted, size_t size)
{
	unsigned char heard[600];

	CHECK(size <= sizeof heard);
	read_fully(fd, heard, size);
	CHECK(memcmp(heard, wanted, size) == 0);
}

static inline void hear_greeting(int proxy, bool signs_in)
{
	static const unsigned char plain[] = {5, 1, 0};
	static const unsigned char either[] = {5, 2, 0, 2};

	if (signs_in)
		hear(proxy, either, sizeof either);
	else
		hear(proxy, plain, sizeof plain);
}

/* The proxy's part up to the request. */
static inline void until_request(int proxy)
{
	hear_greeting(proxy, false);
	write_fully(proxy, no_sign_in, sizeof no_sign_in);
	hear(proxy, request_bytes, sizeof request_bytes);
}

static inline void is_reset(int fd)
{
	char byte;

	EXPECT(recv(fd, &byte, 1, 0), -1);
	EXPECT(errno, ECONNRESET);
	close(fd);
}

#endif
