/*
 * The counterpart of the load tool: one port, TCP and UDP.
 *
 *   serve ADDRESS PORT
 *
 * The first byte of a TCP connection says what it is for: S the server reads and throws away, R it sends
 * until the client goes, E it echoes, C it answers one byte and closes. Every UDP datagram goes back to its
 * sender. A thread a connection; prints "serving" when it listens.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, BATCH = 32, DATAGRAM = 65535 };

static char zeros[CHUNK];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void serve_sink(int fd)
{
	char *bytes = malloc(CHUNK);

	if (!bytes)
		return;
	while (recv(fd, bytes, CHUNK, 0) > 0)
		;
	free(bytes);
}

static void serve_source(int fd)
{
	while (send(fd, zeros, sizeof zeros, MSG_NOSIGNAL) > 0)
		;
}

static void serve_echo(int fd)
{
	char bytes[4096];
	ssize_t got;

	while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0)
		if (send(fd, bytes, got, MSG_NOSIGNAL) != got)
			return;
}

static void *serve_connection(void *argument)
{
	int fd = (int)(intptr_t)argument;
	int on = 1;
	char kind = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (recv(fd, &kind, 1, 0) == 1) {
		if (kind == 'S')
			serve_sink(fd);
		else if (kind == 'R')
			serve_source(fd);
		else if (kind == 'E')
			serve_echo(fd);
		else
			send(fd, "c", 1, MSG_NOSIGNAL);
	}
	close(fd);
	return NULL;
}

static void *serve_datagrams(void *argument)
{
	static char bytes[BATCH][DATAGRAM];
	static struct sockaddr_storage peers[BATCH];
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	int fd = (int)(intptr_t)argument;

	for (;;) {
		int got;

		for (int i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){ bytes[i], sizeof bytes[i] };
			messages[i] = (struct mmsghdr){ .msg_hdr = { &peers[i], sizeof peers[i], &parts[i], 1, 0, 0, 0 } };
		}
		got = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < got; i++)
			parts[i].iov_len = messages[i].msg_len;
		if (got > 0)
			sendmmsg(fd, messages, got, 0);
	}
	return NULL;
}

static void start_thread(void *(*run)(void *), int fd)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	if (pthread_create(&thread, &attributes, run, (void *)(intptr_t)fd))
		close(fd);
	pthread_attr_destroy(&attributes);
}

static int bound(int type, const struct sockaddr_in *address)
{
	int bytes = 8 * 1024 * 1024;
	int on = 1;
	int fd = socket(AF_INET, type, 0);

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
	if (bind(fd, (const struct sockaddr *)address, sizeof *address) < 0)
		die("bind");
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct rlimit files;
	int listener;

	if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
		fprintf(stderr, "usage: serve ADDRESS PORT\n");
		return 2;
	}
	address.sin_port = htons(atoi(argv[2]));
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGPIPE, SIG_IGN);
	start_thread(serve_datagrams, bound(SOCK_DGRAM, &address));
	listener = bound(SOCK_STREAM, &address);
	if (listen(listener, 8192) < 0)
		die("listen");
	puts("serving");
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			start_thread(serve_connection, fd);
		else if (errno != EINTR && errno != ECONNABORTED)
			die("accept");
	}
}
