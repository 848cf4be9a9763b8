/*
 * A SOCKS5 server that is not the limit of a benchmark (RFC 1928, no sign-in, CONNECT and UDP ASSOCIATE,
 * numeric IPv4 and IPv6 destinations).
 *
 *   splice_socks ADDRESS PORT
 *
 * A thread a connection. Bytes go through a pipe by splice(2) and never into this process. A pipe belongs to
 * a direction only while bytes are in it and goes back to a pool then, so idle connections cost two
 * descriptors each. Prints "listening" when it does. Must not be used for anything but measuring.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIPE_BYTES = 256 * 1024, POOL = 256, DATAGRAM = 65535, CONNECT = 1, ASSOCIATE = 3 };

struct pipe_pair {
	int in;
	int out;
};

/* One way of a connection: what `from` says goes to `to`. */
struct direction {
	int from;
	int to;
	struct pipe_pair pipe;
	size_t held;
	int has_ended;
};

static struct pipe_pair pool[POOL];
static int pooled;
static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;

static int pipe_take(struct pipe_pair *pipe)
{
	int ends[2];

	pthread_mutex_lock(&pool_lock);
	if (pooled > 0) {
		*pipe = pool[--pooled];
		pthread_mutex_unlock(&pool_lock);
		return 0;
	}
	pthread_mutex_unlock(&pool_lock);
	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
	*pipe = (struct pipe_pair){ ends[1], ends[0] };
	return 0;
}

static void pipe_give(struct pipe_pair *pipe, int is_empty)
{
	if (pipe->in < 0)
		return;
	pthread_mutex_lock(&pool_lock);
	if (is_empty && pooled < POOL) {
		pool[pooled++] = *pipe;
		pipe->in = -1;
	}
	pthread_mutex_unlock(&pool_lock);
	if (pipe->in >= 0) {
		close(pipe->in);
		close(pipe->out);
		pipe->in = -1;
	}
}

/* Moves what can be moved at once; -1 when the connection is broken. */
static int move_bytes(struct direction *way)
{
	for (;;) {
		ssize_t got = 0;

		if (way->held == 0 && !way->has_ended) {
			if (way->pipe.in < 0 && pipe_take(&way->pipe) < 0)
				return -1;
			got = splice(way->from, NULL, way->pipe.in, NULL, PIPE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
			if (got < 0 && errno != EAGAIN)
				return -1;
			if (got == 0) {
				way->has_ended = 1;
				shutdown(way->to, SHUT_WR);
			}
			if (got <= 0) {
				pipe_give(&way->pipe, 1);
				return 0;
			}
			way->held = got;
		}
		if (way->held == 0)
			return 0;
		got = splice(way->pipe.out, NULL, way->to, NULL, way->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (got < 0)
			return errno == EAGAIN ? 0 : -1;
		way->held -= got;
	}
}

static void relay(int client, int server)
{
	struct direction ways[2] = {
		{ client, server, { -1, -1 }, 0, 0 },
		{ server, client, { -1, -1 }, 0, 0 },
	};

	/* splice(2) asks the socket's own flag whether it may wait. */
	fcntl(client, F_SETFL, O_NONBLOCK);
	fcntl(server, F_SETFL, O_NONBLOCK);
	while (!(ways[0].has_ended && ways[1].has_ended && !ways[0].held && !ways[1].held)) {
		struct pollfd waits[2] = { { client, 0, 0 }, { server, 0, 0 } };

		for (int i = 0; i < 2; i++) {
			if (ways[i].held)
				waits[1 - i].events |= POLLOUT;
			else if (!ways[i].has_ended)
				waits[i].events |= POLLIN;
		}
		if (poll(waits, 2, -1) < 0 || move_bytes(&ways[0]) < 0 || move_bytes(&ways[1]) < 0)
			break;
		/* A reset shows as POLLERR whatever was asked for; without this it would spin. */
		if ((waits[0].revents | waits[1].revents) & POLLERR)
			break;
	}
	for (int i = 0; i < 2; i++)
		pipe_give(&ways[i].pipe, ways[i].held == 0);
}

static int read_exactly(int fd, void *bytes, size_t length)
{
	return recv(fd, bytes, length, MSG_WAITALL) == (ssize_t)length ? 0 : -1;
}

/* Reads ATYP, address and port (RFC 1928 section 5) from memory; the length used, or -1. */
static int parse_address(const unsigned char *from, size_t length, struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof *to);
	if (length >= 7 && from[0] == 1) {
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, from + 1, 4);
		memcpy(&v4->sin_port, from + 5, 2);
		return 7;
	}
	if (length >= 19 && from[0] == 4) {
		v6->sin6_family = AF_INET6;
		memcpy(&v6->sin6_addr, from + 1, 16);
		memcpy(&v6->sin6_port, from + 17, 2);
		return 19;
	}
	return -1;
}

static socklen_t length_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* The reverse, for IPv4 only: this server is asked over IPv4. */
static int write_address(unsigned char *to, const struct sockaddr_in *address)
{
	to[0] = 1;
	memcpy(to + 1, &address->sin_addr, 4);
	memcpy(to + 5, &address->sin_port, 2);
	return 7;
}

static int reply(int client, int code, const struct sockaddr_in *bound)
{
	unsigned char bytes[10] = { 5, code, 0 };

	write_address(bytes + 3, bound);
	return send(client, bytes, sizeof bytes, MSG_NOSIGNAL) == sizeof bytes ? 0 : -1;
}

/* Carries datagrams until the control connection ends (RFC 1928 section 7). */
static void relay_datagrams(int client, int inside, int outside)
{
	unsigned char *bytes = malloc(DATAGRAM + 10);
	struct sockaddr_storage peer;
	struct sockaddr_in asker = { 0 };
	char control;

	for (;;) {
		struct pollfd waits[3] = { { client, POLLIN, 0 }, { inside, POLLIN, 0 }, { outside, POLLIN, 0 } };
		ssize_t got;

		if (!bytes || poll(waits, 3, -1) < 0)
			break;
		if (waits[0].revents && recv(client, &control, 1, 0) <= 0)
			break;
		for (socklen_t size = sizeof asker;; size = sizeof asker) {
			got = recvfrom(inside, bytes, DATAGRAM, MSG_DONTWAIT, (struct sockaddr *)&asker, &size);
			int used = got > 3 && bytes[2] == 0 ? parse_address(bytes + 3, got - 3, &peer) : -1;

			if (got < 0)
				break;
			if (used > 0)
				sendto(outside, bytes + 3 + used, got - 3 - used, 0, (struct sockaddr *)&peer, length_of(&peer));
		}
		for (socklen_t size = sizeof peer;; size = sizeof peer) {
			got = recvfrom(outside, bytes + 10, DATAGRAM, MSG_DONTWAIT, (struct sockaddr *)&peer, &size);
			if (got < 0)
				break;
			memset(bytes, 0, 3);
			write_address(bytes + 3, (struct sockaddr_in *)&peer);
			sendto(inside, bytes, got + 10, 0, (struct sockaddr *)&asker, sizeof asker);
		}
	}
	free(bytes);
}

static void associate(int client)
{
	struct sockaddr_in here;
	socklen_t length = sizeof here;
	int large = 4 * 1024 * 1024;
	int inside = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int outside = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	setsockopt(inside, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
	setsockopt(outside, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
	getsockname(client, (struct sockaddr *)&here, &length);
	here.sin_port = 0;
	if (bind(inside, (struct sockaddr *)&here, length) == 0 &&
	    getsockname(inside, (struct sockaddr *)&here, &length) == 0 && reply(client, 0, &here) == 0)
		relay_datagrams(client, inside, outside);
	close(inside);
	close(outside);
}

static void connect_through(int client, const struct sockaddr_storage *to)
{
	struct sockaddr_in none = { 0 };
	int on = 1;
	int server = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (server < 0 || connect(server, (const struct sockaddr *)to, length_of(to)) < 0) {
		reply(client, 5, &none);
	} else {
		setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		if (reply(client, 0, &none) == 0)
			relay(client, server);
	}
	if (server >= 0)
		close(server);
}

static void converse(int client)
{
	unsigned char bytes[512] = { 0 };
	struct sockaddr_storage to;

	if (read_exactly(client, bytes, 2) || bytes[0] != 5 || read_exactly(client, bytes + 2, bytes[1]))
		return;
	if (send(client, "\x05\x00", 2, MSG_NOSIGNAL) != 2 || read_exactly(client, bytes, 4))
		return;
	if (read_exactly(client, bytes + 4, bytes[3] == 4 ? 18 : 6) || parse_address(bytes + 3, 19, &to) < 0)
		return;
	if (bytes[1] == CONNECT)
		connect_through(client, &to);
	else if (bytes[1] == ASSOCIATE)
		associate(client);
}

static void *serve(void *argument)
{
	int client = (int)(intptr_t)argument;
	int on = 1;

	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	converse(client);
	close(client);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	pthread_attr_t attributes;
	struct rlimit files;
	int on = 1;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1)
		return fprintf(stderr, "usage: splice_socks ADDRESS PORT\n"), 2;
	address.sin_port = htons(atoi(argv[2]));
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGPIPE, SIG_IGN);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 8192) < 0)
		return perror("listen"), 1;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	puts("listening");
	fflush(stdout);
	for (;;) {
		pthread_t thread;
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (client >= 0 && pthread_create(&thread, &attributes, serve, (void *)(intptr_t)client))
			close(client);
	}
}
