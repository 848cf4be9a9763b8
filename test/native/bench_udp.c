/*
 * Figures of the UDP relay: one app socket through a lane, beside the same client that speaks SOCKS5 UDP itself
 * to the same server. Server, relay and client are processes of their own; nothing leaves this machine.
 *
 *   bench_udp [seconds for each figure, 2] [rounds, 3]
 */
#include <signal.h>
#include <sys/mman.h>

#include "udp_world.h"

#define SIZE 1200
#define BATCH 32
#define WINDOW 64
#define PACE 20000

static struct shared {
	_Atomic uint64_t served;
	_Atomic bool is_echoing;
	_Atomic bool is_ready;
} *shared;

static struct cv_addr server_addr;
static double seconds = 2;
static pid_t server_process, relay_process;

/* What all three processes have used, or the relay only: more telling than a rate on a busy machine. */
static double processor_us(bool is_relay_only)
{
	const pid_t processes[] = {relay_process, server_process, getpid()};
	double sum = 0;
	for (int i = 0; i < (is_relay_only ? 1 : 3); i++) {
		clockid_t clock;
		struct timespec used;
		CHECK(clock_getcpuclockid(processes[i], &clock) == 0 && clock_gettime(clock, &used) == 0);
		sum += (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
	}
	return sum;
}

static void serve(int fd)
{
	static uint8_t buffers[BATCH][2048];
	struct sockaddr_in6 names[BATCH];
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	for (;;) {
		int count;
		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){buffers[i], sizeof buffers[i]};
			messages[i].msg_hdr = (struct msghdr){
				.msg_name = &names[i], .msg_namelen = sizeof names[i], .msg_iov = &iov[i], .msg_iovlen = 1};
		}
		count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
		CHECK(count > 0);
		shared->served += (uint64_t)count;
		if (!shared->is_echoing)
			continue;
		for (int i = 0; i < count; i++)
			iov[i].iov_len = messages[i].msg_len;
		sendmmsg(fd, messages, (unsigned)count, 0);
	}
}

/* Node's part: one association a source, all routed as they are. */
static void relay(void)
{
	static union {
		struct cv_udp_event event;
		uint8_t bytes[sizeof(struct cv_udp_event) + 65536];
	} told;
	struct cv_addr known = {.zero = {1}};
	int bell = cv_watch_start(), lane, association = 0, fd;
	uint8_t ring[8], target[300];
	CHECK(cv_udp_start(2000, 60) == 0);
	lane = mint_lane();
	shared->is_ready = true;
	for (;;) {
		struct pollfd waiting = {.fd = bell, .events = POLLIN};
		poll(&waiting, 1, -1);
		CHECK(read(bell, ring, 8) == 8);
		while (cv_udp_poll(&told, sizeof told) > 0) {
			if (told.event.kind != CV_UDP_UNKNOWN)
				continue;
			if (!same(known, told.event.source)) {
				fd = udp_socket(world_host, AF_INET);
				association = cv_udp_associate(lane, &told.event.source, fd, CV_UDP_SOCKS, &server_addr, NULL, 0);
				CHECK(association > 0);
				close(fd);
				known = told.event.source;
			}
			CHECK(cv_udp_route(association, &told.event.destination, target,
			                   literal_target(target, &told.event.destination)) == 0);
		}
	}
}

static pid_t spawn(void (*run)(int), int argument)
{
	pid_t child = fork();
	if (child == 0) {
		run(argument);
		exit(0);
	}
	return child;
}

static void run_relay(int unused)
{
	(void)unused;
	relay();
}

static long resident_kib(void)
{
	long pages = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	CHECK(file && fscanf(file, "%ld %ld", &pages, &resident) == 2);
	fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* What 2,000 associations with four destinations each cost this process. */
static void weigh(int unused)
{
	enum { COUNT = 2000 };
	long before = resident_kib();
	uint8_t target[300];
	int lane;
	(void)unused;
	CHECK(cv_watch_start() >= 0 && cv_udp_start(COUNT, 60) == 0);
	lane = mint_lane();
	for (int i = 0; i < COUNT; i++) {
		struct cv_addr source = address("192.0.0.2", 10000 + i);
		int association = cv_udp_associate(lane, &source, -1, CV_UDP_SOCKS, &server_addr, NULL, 0);
		CHECK(association > 0);
		for (int j = 0; j < 4; j++) {
			struct cv_addr destination = address("203.0.113.7", 1000 + j);
			CHECK(cv_udp_route(association, &destination, target, literal_target(target, &destination)) == 0);
		}
	}
	printf("2,000 associations of 4 destinations: %.1f KiB each\n", (double)(resident_kib() - before) / COUNT);
	fflush(stdout);
}

/* ---- the client --------------------------------------------------------------------------------- */

static int client, header_size;
static uint8_t header[10] = {0, 0, 0, 1, 203, 0, 113, 7, 17, 81}, payload[SIZE], answer[2048];

static void connect_client(bool through_lane)
{
	client = udp_socket(through_lane ? world_app : world_host, AF_INET);
	header_size = through_lane ? 0 : 10;
	CHECK(connect_to(client, through_lane ? address("203.0.113.7", 4433) : server_addr) == 0);
}

static int send_many(int count)
{
	static struct mmsghdr messages[BATCH];
	static struct iovec iov[BATCH][2];
	int sent;
	for (int i = 0; i < count; i++) {
		iov[i][0] = (struct iovec){header, (size_t)header_size};
		iov[i][1] = (struct iovec){payload, SIZE};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = iov[i], .msg_iovlen = 2};
	}
	sent = sendmmsg(client, messages, (unsigned)count, 0);
	CHECK(sent > 0);
	return sent;
}

static int receive_many(int timeout_ms)
{
	static struct mmsghdr messages[BATCH];
	static struct iovec iov[BATCH];
	static uint8_t buffers[BATCH][2048];
	struct pollfd waiting = {.fd = client, .events = POLLIN};
	int count;
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){buffers[i], sizeof buffers[i]};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	count = recvmmsg(client, messages, BATCH, MSG_DONTWAIT, NULL);
	if (count < 0 && timeout_ms && poll(&waiting, 1, timeout_ms) > 0)
		count = recvmmsg(client, messages, BATCH, MSG_DONTWAIT, NULL);
	return count < 0 ? 0 : count;
}

static int by_size(const void *a, const void *b)
{
	int64_t difference = *(const int64_t *)a - *(const int64_t *)b;
	return difference < 0 ? -1 : difference > 0;
}

static double round_trip_us(void)
{
	enum { ROUNDS = 20000 };
	static int64_t took[ROUNDS];
	for (int i = 0; i < ROUNDS; i++) {
		int64_t begun = now_ns();
		send_many(1);
		CHECK(recv(client, answer, sizeof answer, 0) == SIZE + header_size);
		took[i] = now_ns() - begun;
	}
	qsort(took, ROUNDS, sizeof *took, by_size);
	return (double)took[ROUNDS / 2] / 1000;
}

/* Datagrams a second that went there and back with WINDOW on their way. */
static double echo_rate(uint64_t *lost)
{
	int64_t begun = now_ns(), until = begun + (int64_t)(seconds * 1e9);
	uint64_t sent = 0, received = 0;
	while (now_ns() < until) {
		while (sent - received < WINDOW)
			sent += (uint64_t)send_many(WINDOW - (int)(sent - received) < BATCH ? WINDOW - (int)(sent - received) : BATCH);
		int count = receive_many(100);
		received += (uint64_t)count;
		if (count == 0) {
			*lost += sent - received;
			sent = received;
		}
	}
	return (double)received / ((double)(now_ns() - begun) / 1e9);
}

static double flood_rate(void)
{
	int64_t begun = now_ns(), until = begun + (int64_t)(seconds * 1e9);
	uint64_t served = shared->served;
	while (now_ns() < until)
		send_many(BATCH);
	usleep(100000);
	return (double)(shared->served - served) / seconds;
}

/* Loss of 20,000 datagrams a second, there and back, out of what was sent. */
static double paced_loss(uint64_t *sent)
{
	int64_t begun = now_ns(), now;
	uint64_t received = 0, total = (uint64_t)(seconds * PACE);
	*sent = 0;
	while (receive_many(50) > 0)
		continue;
	begun = now_ns();
	while (*sent < total) {
		uint64_t due = (uint64_t)((double)((now = now_ns()) - begun) / 1e9 * PACE);
		int count = due > *sent ? (due - *sent < BATCH ? (int)(due - *sent) : BATCH) : 0;
		if (count)
			*sent += (uint64_t)send_many(count);
		received += (uint64_t)receive_many(count ? 0 : 1);
	}
	for (int count; (count = receive_many(300)) > 0;)
		received += (uint64_t)count;
	return (double)(*sent - received) / (double)*sent;
}

static void measure(bool through_lane, double figures[3])
{
	uint64_t lost = 0, sent;
	double loss, all, relay_only;
	connect_client(through_lane);
	shared->is_echoing = true;
	send_many(1);
	CHECK(recv(client, answer, sizeof answer, 0) > 0);
	figures[0] = round_trip_us();
	all = processor_us(false);
	relay_only = processor_us(true);
	figures[1] = echo_rate(&lost);
	all = (processor_us(false) - all) / (figures[1] * seconds);
	relay_only = (processor_us(true) - relay_only) / (figures[1] * seconds);
	loss = paced_loss(&sent);
	shared->is_echoing = false;
	figures[2] = flood_rate();
	shared->is_echoing = true;
	printf("%-34s round trip p50 %5.1f us   echo %7.0f/s (lost %llu)   one way %7.0f/s   20,000/s: %.4f %% lost   "
	       "processor %.2f us a datagram, relay %.2f\n",
	       through_lane ? "lane" : "client speaks SOCKS5 UDP itself", figures[0], figures[1],
	       (unsigned long long)lost, figures[2], loss * 100, all, relay_only);
	fflush(stdout);
	close(client);
}

int main(int argc, char **argv)
{
	double own[3], lane[3];
	int server_socket, rounds = argc > 2 ? atoi(argv[2]) : 3;
	if (argc > 1)
		seconds = atof(argv[1]);
	make_world();
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	server_socket = udp_socket(world_host, AF_INET);
	server_addr = bind_to(server_socket, "127.0.0.1");
	waitpid(spawn(weigh, 0), NULL, 0);
	server_process = spawn(serve, server_socket);
	relay_process = spawn(run_relay, 0);
	EVENTUALLY(shared->is_ready);
	for (int round = 0; round < rounds; round++) {
		measure(false, own);
		measure(true, lane);
		printf("%-34s round trip +%.1f us, echo %.2f, one way %.2f\n", "lane beside client", lane[0] - own[0],
		       lane[1] / own[1], lane[2] / own[2]);
	}
	for (int i = 0; i < 2; i++) {
		pid_t child = i ? relay_process : server_process;
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return 0;
}
