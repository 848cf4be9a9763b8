/*
 * Puts load on a path and prints one line of JSON. It does not know which path: it is run without a proxy,
 * under proxychains4, behind redsocks or on a lane, and speaks plain TCP and UDP to `serve`.
 *
 *   load ADDRESS PORT down STREAMS SECONDS      {"gbps"}               bytes from the server
 *   load ADDRESS PORT up STREAMS SECONDS        {"gbps"}               bytes to the server, as it took them
 *   load ADDRESS PORT rtt SECONDS               {"p50_us","p99_us"}    one byte there and back
 *   load ADDRESS PORT connect SECONDS           {"p50_us","p99_us","per_s"}  connect, one byte, close, one by one
 *   load ADDRESS PORT storm THREADS SECONDS     {"per_s","failures"}   the same, so many at once
 *   load ADDRESS PORT idle COUNT                holds open connections
 *   load ADDRESS PORT udp|udp-socks PROXY PORT|udp-idle|dns …          see datagrams.c
 *
 * `idle` says "waiting", opens when it reads a line, says "ready" and ends with its input. Connections are
 * blocking and a thread each, because an interposed connect(2) may not support anything else.
 */
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, MAX_THREADS = 1024 };

/* One thread's share of a mode. */
struct worker {
	const struct load_target *to;
	double until;
	char kind;
	size_t bytes;
	size_t failures;
	struct samples samples;
	pthread_t thread;
};

double load_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

void load_die(const char *what)
{
	perror(what);
	exit(1);
}

void load_add(struct samples *samples, double microseconds)
{
	if (samples->count == samples->room) {
		samples->room = samples->room ? samples->room * 2 : 4096;
		samples->values = realloc(samples->values, samples->room * sizeof(double));
		if (!samples->values)
			load_die("realloc");
	}
	samples->values[samples->count++] = microseconds;
}

void load_merge(struct samples *into, struct samples *from)
{
	for (size_t i = 0; i < from->count; i++)
		load_add(into, from->values[i]);
	free(from->values);
	*from = (struct samples){ 0 };
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

double load_percentile(struct samples *samples, double share)
{
	if (samples->count == 0)
		return 0;
	qsort(samples->values, samples->count, sizeof(double), compare);
	return samples->values[(size_t)(share * (samples->count - 1))];
}

int load_connect(const struct load_target *to, char kind)
{
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, (const struct sockaddr *)&to->server, sizeof to->server) == 0 &&
	    send(fd, &kind, 1, MSG_NOSIGNAL) == 1)
		return fd;
	close(fd);
	return -1;
}

void load_pause(const char *what)
{
	int byte;

	puts(what);
	fflush(stdout);
	while ((byte = getchar()) != EOF && byte != '\n')
		;
}

/* How many bytes the server's side has acknowledged: what has only filled a buffer is not throughput. */
static size_t acknowledged(int fd)
{
	struct tcp_info info;
	socklen_t length = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
		return 0;
	return info.tcpi_bytes_acked;
}

static void *stream(void *argument)
{
	struct worker *worker = argument;
	char *bytes = calloc(1, CHUNK);
	int fd = load_connect(worker->to, worker->kind);
	ssize_t moved = 1;

	if (fd < 0 || !bytes) {
		worker->failures++;
		free(bytes);
		return NULL;
	}
	while (moved > 0 && load_now() < worker->until) {
		moved = worker->kind == 'R' ? recv(fd, bytes, CHUNK, 0) : send(fd, bytes, CHUNK, MSG_NOSIGNAL);
		if (moved > 0)
			worker->bytes += moved;
	}
	if (worker->kind == 'S')
		worker->bytes = acknowledged(fd);
	if (moved <= 0)
		worker->failures++;
	close(fd);
	free(bytes);
	return NULL;
}

/* Connect, one byte each way, close: until the time is over. */
static void *connector(void *argument)
{
	struct worker *worker = argument;

	for (double start = load_now(); start < worker->until; start = load_now()) {
		char byte;
		int fd = load_connect(worker->to, 'C');

		if (fd < 0 || recv(fd, &byte, 1, 0) != 1)
			worker->failures++;
		else
			load_add(&worker->samples, (load_now() - start) * 1e6);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static void run_workers(struct worker *workers, int count, void *(*run)(void *), struct worker *sum)
{
	for (int i = 0; i < count; i++)
		if (pthread_create(&workers[i].thread, NULL, run, &workers[i]))
			load_die("pthread_create");
	for (int i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		sum->bytes += workers[i].bytes;
		sum->failures += workers[i].failures;
		load_merge(&sum->samples, &workers[i].samples);
	}
}

static struct worker *make_workers(const struct load_target *to, int count, double seconds, char kind)
{
	struct worker *workers = calloc(count, sizeof *workers);

	if (!workers || count < 1 || count > MAX_THREADS)
		load_die("threads");
	for (int i = 0; i < count; i++)
		workers[i] = (struct worker){ .to = to, .until = load_now() + seconds, .kind = kind };
	return workers;
}

static int load_streams(const struct load_target *to, char kind, int count, double seconds)
{
	struct worker sum = { 0 };
	double start = load_now();

	run_workers(make_workers(to, count, seconds, kind), count, stream, &sum);
	printf("{\"gbps\":%.3f,\"failures\":%zu}\n", sum.bytes * 8 / 1e9 / (load_now() - start), sum.failures);
	return 0;
}

static int load_connects(const struct load_target *to, int count, double seconds)
{
	struct worker sum = { 0 };
	double start = load_now();

	run_workers(make_workers(to, count, seconds, 'C'), count, connector, &sum);
	printf("{\"p50_us\":%.1f,\"p99_us\":%.1f,\"per_s\":%.1f,\"failures\":%zu}\n",
	       load_percentile(&sum.samples, 0.5), load_percentile(&sum.samples, 0.99),
	       sum.samples.count / (load_now() - start), sum.failures);
	return 0;
}

static int load_round_trips(const struct load_target *to, double seconds)
{
	struct samples samples = { 0 };
	int fd = load_connect(to, 'E');
	double until = load_now() + seconds;
	char byte = 'x';

	if (fd < 0)
		load_die("connect");
	for (double start = load_now(); start < until; start = load_now()) {
		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(fd, &byte, 1, 0) != 1)
			load_die("round trip");
		load_add(&samples, (load_now() - start) * 1e6);
	}
	printf("{\"p50_us\":%.2f,\"p99_us\":%.2f,\"count\":%zu}\n", load_percentile(&samples, 0.5),
	       load_percentile(&samples, 0.99), samples.count);
	return 0;
}

static int load_idle(const struct load_target *to, int count)
{
	int failures = 0;

	load_pause("waiting");
	for (int i = 0; i < count; i++) {
		char byte = 'x';
		int fd = load_connect(to, 'E');

		if (fd < 0 || send(fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(fd, &byte, 1, 0) != 1)
			failures++;
	}
	printf("{\"open\":%d,\"failures\":%d}\n", count - failures, failures);
	load_pause("ready");
	return 0;
}

static int run_mode(struct load_target *to, int argc, char **argv)
{
	const char *mode = argv[0];
	double first = argc > 1 ? atof(argv[1]) : 0, second = argc > 2 ? atof(argv[2]) : 0;

	if (strcmp(mode, "down") == 0 && argc == 3)
		return load_streams(to, 'R', first, second);
	if (strcmp(mode, "up") == 0 && argc == 3)
		return load_streams(to, 'S', first, second);
	if (strcmp(mode, "rtt") == 0 && argc == 2)
		return load_round_trips(to, first);
	if (strcmp(mode, "connect") == 0 && argc == 2)
		return load_connects(to, 1, first);
	if (strcmp(mode, "storm") == 0 && argc == 3)
		return load_connects(to, first, second);
	if (strcmp(mode, "idle") == 0 && argc == 2)
		return load_idle(to, first);
	if (strcmp(mode, "udp") == 0)
		return load_udp(to, argc - 1, argv + 1);
	if (strcmp(mode, "udp-idle") == 0)
		return load_udp_idle(to, argc - 1, argv + 1);
	if (strcmp(mode, "dns") == 0)
		return load_dns(to, argc - 1, argv + 1);
	if (strcmp(mode, "udp-socks") == 0 && argc > 3) {
		to->proxy.sin_family = AF_INET;
		to->proxy.sin_port = htons(atoi(argv[2]));
		if (inet_pton(AF_INET, argv[1], &to->proxy.sin_addr) == 1)
			return load_udp(to, argc - 3, argv + 3);
	}
	return 2;
}

int main(int argc, char **argv)
{
	struct load_target to = { .server = { .sin_family = AF_INET } };
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (argc < 4 || inet_pton(AF_INET, argv[1], &to.server.sin_addr) != 1) {
		fprintf(stderr, "usage: load ADDRESS PORT MODE …\n");
		return 2;
	}
	to.server.sin_port = htons(atoi(argv[2]));
	return run_mode(&to, argc - 3, argv + 3);
}
