/*
 * What the C test programs share: cases that say what they show, sockets, and waiting with a deadline.
 *
 * A program prints "ok <sentence>" for each case and "not ok …" with file and line for the first that fails, then
 * ends with 1. Nothing here sleeps for the sake of order: conditions are polled until a deadline.
 */
#ifndef CULVERT_CHECK_H
#define CULVERT_CHECK_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "culvert.h"

#define DEADLINE_MS 30000

#define CHECK(condition)                                                                                       \
	do {                                                                                                   \
		if (!(condition)) {                                                                            \
			printf("not ok %s:%d: %s (errno %s)\n", __FILE__, __LINE__, #condition, strerror(errno)); \
			fflush(stdout);                                                                        \
			exit(1);                                                                               \
		}                                                                                              \
	} while (0)

#define EXPECT(value, expected)                                                                                \
	do {                                                                                                   \
		long long got_ = (long long)(value), want_ = (long long)(expected);                            \
		if (got_ != want_) {                                                                           \
			printf("not ok %s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #value, got_, want_); \
			fflush(stdout);                                                                        \
			exit(1);                                                                               \
		}                                                                                              \
	} while (0)

static inline void passed(const char *sentence)
{
	printf("ok %s\n", sentence);
	fflush(stdout);
}

static inline int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until a condition holds; the millisecond between two looks is no part of what is tested. */
#define EVENTUALLY(condition)                                                                                  \
	do {                                                                                                   \
		int64_t deadline_ = now_ms() + DEADLINE_MS;                                                    \
		while (!(condition)) {                                                                         \
			CHECK(now_ms() < deadline_ && "deadline: " #condition);                                \
			poll(NULL, 0, 1);                                                                      \
		}                                                                                              \
	} while (0)

static inline int entry_count(const char *path)
{
	DIR *directory = opendir(path);
	int count = 0;

	CHECK(directory != NULL);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static inline int descriptor_count(void)
{
	return entry_count("/proc/self/fd");
}

/* A listener on 127.0.0.1 with a port of the kernel's choice. */
static inline int loopback_listen(struct sockaddr_in *address)
{
	socklen_t size = sizeof *address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	CHECK(fd >= 0);
	CHECK(bind(fd, (struct sockaddr *)address, sizeof *address) == 0 && listen(fd, 1024) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)address, &size) == 0);
	return fd;
}

/* Two ends of one TCP connection over loopback, blocking. */
static inline void tcp_pair(int out[2])
{
	static struct sockaddr_in address;
	static int listener = -1;

	if (listener < 0)
		listener = loopback_listen(&address);
	out[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(out[0] >= 0);
	CHECK(connect(out[0], (struct sockaddr *)&address, sizeof address) == 0);
	out[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	CHECK(out[1] >= 0);
	CHECK(setsockopt(out[0], IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) == 0);
	CHECK(setsockopt(out[1], IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) == 0);
}

static inline void write_fully(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);

		CHECK(sent > 0);
		at += sent;
		size -= (size_t)sent;
	}
}

static inline void read_fully(int fd, void *bytes, size_t size)
{
	char *at = bytes;

	while (size > 0) {
		ssize_t received = recv(fd, at, size, 0);

		CHECK(received > 0);
		at += received;
		size -= (size_t)received;
	}
}

#endif
