/*
 * Throughput and round trips through the pump over loopback TCP, beside the same without it.
 *
 *   bench_pump [threads] [streams] [seconds]
 *
 * Each stream has a writer and a reader thread of its own, so that only the pump differs between two figures.
 * On a shared machine the ratio is the figure to look at.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "check.h"

#define CHUNK (128 * 1024)

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Time that the pump's threads have been running, in ns: on a loaded machine the steadier figure. */
static int64_t pump_cpu_ns(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int64_t total = 0;

	CHECK(tasks != NULL);
	for (struct dirent *each; (each = readdir(tasks));) {
		char path[300], name[32] = "";
		long long ns = 0;
		FILE *file;

		snprintf(path, sizeof path, "/proc/self/task/%s/comm", each->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (!fgets(name, sizeof name, file))
			name[0] = 0;
		fclose(file);
		if (strcmp(name, "culvert-pump\n") != 0)
			continue;
		snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", each->d_name);
		file = fopen(path, "r");
		if (file && fscanf(file, "%lld", &ns) == 1)
			total += ns;
		if (file)
			fclose(file);
	}
	closedir(tasks);
	return total;
}

struct stream {
	int ends[2];
	int64_t until_us;
	int64_t received;
	pthread_t writer;
	pthread_t reader;
};

static void *write_run(void *argument)
{
	struct stream *stream = argument;
	char *bytes = calloc(1, CHUNK);

	while (now_us() < stream->until_us)
		write_fully(stream->ends[0], bytes, CHUNK);
	CHECK(shutdown(stream->ends[0], SHUT_WR) == 0);
	free(bytes);
	return NULL;
}

static void *read_run(void *argument)
{
	struct stream *stream = argument;
	char *bytes = calloc(1, CHUNK);
	ssize_t received;

	while ((received = recv(stream->ends[1], bytes, CHUNK, 0)) > 0)
		stream->received += received;
	free(bytes);
	return NULL;
}

/* The two ends that a client and a server hold, with or without the pump between them. */
static void connect_ends(bool pumped, int out[2])
{
	int first[2], second[2];

	tcp_pair(first);
	out[0] = first[0];
	out[1] = first[1];
	if (!pumped)
		return;
	tcp_pair(second);
	CHECK(cv_pump_add(first[1], second[0], NULL, 0, NULL, 0) >= 0);
	close(first[1]);
	close(second[0]);
	out[1] = second[1];
}

static double throughput(bool pumped, int count, double seconds, double *cpu_ms_per_gb)
{
	struct stream *streams = calloc((size_t)count, sizeof *streams);
	int64_t start = now_us(), cpu_before = pump_cpu_ns(), total = 0;

	for (int i = 0; i < count; i++) {
		connect_ends(pumped, streams[i].ends);
		streams[i].until_us = start + (int64_t)(seconds * 1e6);
		CHECK(pthread_create(&streams[i].reader, NULL, read_run, &streams[i]) == 0);
		CHECK(pthread_create(&streams[i].writer, NULL, write_run, &streams[i]) == 0);
	}
	for (int i = 0; i < count; i++) {
		pthread_join(streams[i].writer, NULL);
		pthread_join(streams[i].reader, NULL);
		close(streams[i].ends[0]);
		close(streams[i].ends[1]);
		total += streams[i].received;
	}
	free(streams);
	*cpu_ms_per_gb = (double)(pump_cpu_ns() - cpu_before) * 1000 / (double)total;
	return (double)total * 8 / (double)(now_us() - start) / 1000;
}

static int compare(const void *one, const void *other)
{
	int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;

	return (a > b) - (a < b);
}

static void round_trips(bool pumped, size_t size, double *p50, double *p99)
{
	enum { COUNT = 20000 };
	static int64_t took[COUNT];
	static char bytes[65536];
	int ends[2];
	pid_t child;

	connect_ends(pumped, ends);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		ssize_t received;

		close(ends[0]);
		while ((received = recv(ends[1], bytes, sizeof bytes, 0)) > 0)
			write_fully(ends[1], bytes, (size_t)received);
		_exit(0);
	}
	close(ends[1]);
	for (int i = 0; i < COUNT; i++) {
		struct timespec a, b;

		clock_gettime(CLOCK_MONOTONIC, &a);
		write_fully(ends[0], bytes, size);
		read_fully(ends[0], bytes, size);
		clock_gettime(CLOCK_MONOTONIC, &b);
		took[i] = (b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec;
	}
	shutdown(ends[0], SHUT_WR);
	close(ends[0]);
	waitpid(child, NULL, 0);
	qsort(took, COUNT, sizeof *took, compare);
	*p50 = (double)took[COUNT / 2] / 1000;
	*p99 = (double)took[COUNT / 100 * 99] / 1000;
}

int main(int count, char **words)
{
	int threads = count > 1 ? atoi(words[1]) : 2;
	int streams = count > 2 ? atoi(words[2]) : 10;
	double seconds = count > 3 ? atof(words[3]) : 1.5;
	static const size_t sizes[] = {1, 16384, 65536};

	signal(SIGPIPE, SIG_IGN);
	CHECK(cv_pump_start(threads, 4096) == 0);
	for (int i = 0; i < 2; i++) {
		int n = i == 0 ? 1 : streams;
		double cpu;
		double direct = throughput(false, n, seconds, &cpu), pumped = throughput(true, n, seconds, &cpu);

		printf("%2d stream(s): direct %.1f Gbit/s, pump %.1f Gbit/s, pump CPU %.0f ms/GB, ratio %.2f\n", n,
		       direct, pumped, cpu, pumped / direct);
	}
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		double direct[2], pumped[2];

		round_trips(false, sizes[i], &direct[0], &direct[1]);
		round_trips(true, sizes[i], &pumped[0], &pumped[1]);
		printf("%5zu bytes there and back: direct p50 %.1f p99 %.1f us, pump p50 %.1f p99 %.1f us, ratio %.2f\n",
		       sizes[i], direct[0], direct[1], pumped[0], pumped[1], pumped[0] / direct[0]);
	}
	return 0;
}
