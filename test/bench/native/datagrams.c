/*
 * The modes of the load tool that send datagrams.
 *
 *   udp WINDOW SIZE SECONDS [RATE]   {"sent","received","per_s","lost","p50_us","p99_us"}
 *   udp-socks PROXY PORT …the same   by UDP ASSOCIATE that the tool speaks itself (RFC 1928 section 7)
 *   udp-idle COUNT                   that many sockets with one answered datagram each, held
 *   dns WINDOW SECONDS               {"per_s","p50_us","p99_us","lost"}: queries for names not asked before
 *
 * Without RATE a datagram is sent for every one that came back, WINDOW at once; with it, RATE a second
 * whatever comes back. A datagram carries its number, by which its answer is recognised; one that has not
 * come back in LATE seconds is lost.
 */
#include "load.h"
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_SIZE = 65507, SOCKS_HEADER = 10, RING = 65536 };
#define LATE 0.5

/* A flow of numbered datagrams; `sent_at` by number modulo RING. */
struct flow {
	int fd;
	int control;
	size_t header;
	size_t size;
	int is_dns;
	uint32_t next;
	size_t sent;
	size_t received;
	struct samples samples;
	double sent_at[RING];
	unsigned char bytes[SOCKS_HEADER + MAX_SIZE];
};

static int connected_socket(const struct sockaddr_in *to)
{
	int large = 4 * 1024 * 1024;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof *to) < 0)
		load_die("udp socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
	return fd;
}

/* Asks the proxy for an association; fills in where its datagrams go. The control connection is returned. */
static int associate(const struct load_target *to, struct sockaddr_in *relay)
{
	static const unsigned char request[10] = { 5, 3, 0, 1 };
	unsigned char answer[10];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to->proxy, sizeof to->proxy) < 0)
		load_die("proxy");
	if (send(fd, "\x05\x01\x00", 3, 0) != 3 || recv(fd, answer, 2, MSG_WAITALL) != 2 || answer[1] != 0)
		load_die("greeting");
	if (send(fd, request, sizeof request, 0) != sizeof request ||
	    recv(fd, answer, sizeof answer, MSG_WAITALL) != sizeof answer || answer[1] != 0 || answer[3] != 1)
		load_die("associate");
	*relay = to->proxy;
	memcpy(&relay->sin_port, answer + 8, 2);
	if (memcmp(answer + 4, "\0\0\0\0", 4) != 0)
		memcpy(&relay->sin_addr, answer + 4, 4);
	return fd;
}

static void flow_open(struct flow *flow, const struct load_target *to, size_t size)
{
	struct sockaddr_in relay = to->server;

	memset(flow, 0, sizeof *flow);
	flow->control = -1;
	flow->size = size < 4 ? 4 : size > MAX_SIZE - SOCKS_HEADER ? MAX_SIZE - SOCKS_HEADER : size;
	if (to->proxy.sin_port != 0) {
		flow->control = associate(to, &relay);
		flow->header = SOCKS_HEADER;
		flow->bytes[3] = 1;
		memcpy(flow->bytes + 4, &to->server.sin_addr, 4);
		memcpy(flow->bytes + 8, &to->server.sin_port, 2);
	}
	flow->fd = connected_socket(&relay);
}

/* A query for A n<NUMBER>.example.test with the number as its id (RFC 1035 section 4.1). */
static size_t write_query(unsigned char *to, uint32_t number)
{
	static const unsigned char head[10] = { 1, 0, 0, 1 };
	static const unsigned char tail[] = "\x07" "example" "\x04" "test\0\0\1\0\1";
	int length = snprintf((char *)to + 13, 16, "n%u", number);

	to[0] = number >> 8 & 0xff;
	to[1] = number & 0xff;
	memcpy(to + 2, head, sizeof head);
	to[12] = length;
	memcpy(to + 13 + length, tail, sizeof tail - 1);
	return 13 + length + sizeof tail - 1;
}

static void flow_send(struct flow *flow)
{
	unsigned char *payload = flow->bytes + flow->header;
	size_t length = flow->size;

	flow->sent_at[flow->next % RING] = load_now();
	if (flow->is_dns)
		length = write_query(payload, flow->next);
	else
		memcpy(payload, &flow->next, sizeof flow->next);
	flow->next++;
	flow->sent++;
	/* Refused or full: counted as sent, and as lost when nothing comes back. */
	(void)!send(flow->fd, flow->bytes, flow->header + length, 0);
}

/* Takes what has come back without waiting; how many datagrams of this flow that were. */
static int flow_receive(struct flow *flow)
{
	static unsigned char bytes[SOCKS_HEADER + MAX_SIZE];
	int taken = 0;

	for (;;) {
		ssize_t got = recv(flow->fd, bytes, sizeof bytes, MSG_DONTWAIT);
		uint32_t number;

		if (got < 0 && errno == ECONNREFUSED)
			continue;
		if (got < (ssize_t)(flow->header + 4))
			return taken;
		if (flow->is_dns)
			number = bytes[0] << 8 | bytes[1];
		else
			memcpy(&number, bytes + flow->header, sizeof number);
		load_add(&flow->samples, (load_now() - flow->sent_at[number % RING]) * 1e6);
		flow->received++;
		taken++;
	}
}

static void wait_readable(struct flow *flow, double seconds)
{
	struct pollfd wait = { flow->fd, POLLIN, 0 };
	struct timespec time = { seconds, (seconds - (long)seconds) * 1e9 };

	if (seconds > 0)
		ppoll(&wait, 1, &time, NULL);
}

/* `window` datagrams are always on their way; those that are late are replaced. */
static void flow_closed_loop(struct flow *flow, int window, double seconds)
{
	double until = load_now() + seconds;

	for (int i = 0; i < window; i++)
		flow_send(flow);
	while (load_now() < until) {
		int taken;

		wait_readable(flow, LATE);
		taken = flow_receive(flow);
		if (taken == 0)
			taken = window;
		while (taken-- > 0)
			flow_send(flow);
	}
}

static void flow_paced(struct flow *flow, double rate, double seconds)
{
	double start = load_now();

	for (double now = start; now < start + seconds; now = load_now()) {
		/* After a pause of the scheduler the missing ones go at once, as a real sender's would. */
		while (flow->sent < (now - start) * rate)
			flow_send(flow);
		flow_receive(flow);
		wait_readable(flow, (flow->sent + 1) / rate - (load_now() - start));
	}
}

static void flow_report(struct flow *flow, double seconds)
{
	size_t in_time = flow->received;
	double end = load_now() + LATE;

	while (flow->received < flow->sent && load_now() < end) {
		wait_readable(flow, 0.05);
		flow_receive(flow);
	}
	printf("{\"sent\":%zu,\"received\":%zu,\"lost\":%zu,\"per_s\":%.1f,\"p50_us\":%.2f,\"p99_us\":%.2f}\n",
	       flow->sent, flow->received, flow->sent - flow->received, in_time / seconds,
	       load_percentile(&flow->samples, 0.5), load_percentile(&flow->samples, 0.99));
}

int load_udp(const struct load_target *to, int argc, char **argv)
{
	static struct flow flow;

	if (argc < 3)
		return 2;
	flow_open(&flow, to, atoi(argv[1]));
	if (argc > 3)
		flow_paced(&flow, atof(argv[3]), atof(argv[2]));
	else
		flow_closed_loop(&flow, atoi(argv[0]), atof(argv[2]));
	flow_report(&flow, atof(argv[2]));
	return 0;
}

int load_dns(const struct load_target *to, int argc, char **argv)
{
	static struct flow flow;

	if (argc < 2)
		return 2;
	flow_open(&flow, to, 0);
	flow.is_dns = 1;
	flow_closed_loop(&flow, atoi(argv[0]), atof(argv[1]));
	flow_report(&flow, atof(argv[1]));
	return 0;
}

int load_udp_idle(const struct load_target *to, int argc, char **argv)
{
	int count = argc > 0 ? atoi(argv[0]) : 0;
	int open = 0;

	load_pause("waiting");
	for (int i = 0; i < count; i++) {
		int fd = connected_socket(&to->server);
		struct pollfd wait = { fd, POLLIN, 0 };
		char byte = 'x';

		open += send(fd, &byte, 1, 0) == 1 && poll(&wait, 1, 2000) == 1 && recv(fd, &byte, 1, 0) == 1;
	}
	printf("{\"open\":%d,\"failures\":%d}\n", open, count - open);
	load_pause("ready");
	return 0;
}
