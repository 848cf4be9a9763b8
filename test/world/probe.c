/*
 * One packet of a kind, and what came of it: the instrument of the leak tests and of their positive controls.
 *
 *   probe KIND ADDRESS PORT [TIMEOUT_MS]
 *
 * Kinds: tcp udp dns dns-tcp icmp raw sctp udplite vsock. Multicast and broadcast are `udp` to such an address.
 * Prints one line, "WORD MILLISECONDS": WORD is connected, answered, silent, or the name of an errno value.
 * It ends with 0 whenever it could try; 2 means wrong arguments. A static program without any library's
 * resolver or hook between it and the kernel.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct target {
	struct sockaddr_storage address;
	socklen_t length;
	int family;
	int timeout_ms;
};

/* A query for A leak.test (RFC 1035 section 4.1), recursion desired. */
static const unsigned char query[] = {
	0x4c, 0x6b, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0, 4, 'l', 'e', 'a', 'k', 4, 't', 'e', 's', 't', 0, 0, 1, 0, 1,
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static const char *reason(int error)
{
	return strerrorname_np(error) ? strerrorname_np(error) : "unknown";
}

/* Waits for readability and reads: "answered", "silent" or an errno name. */
static const char *await_answer(int fd, int timeout_ms)
{
	unsigned char answer[2048];
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	if (poll(&wait, 1, timeout_ms) == 0)
		return "silent";
	if (recv(fd, answer, sizeof answer, 0) < 0)
		return reason(errno);
	return "answered";
}

static const char *connect_stream(int fd, const struct target *to)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	socklen_t length = sizeof(int);
	int error = 0;

	if (connect(fd, (const struct sockaddr *)&to->address, to->length) == 0)
		return "connected";
	if (errno != EINPROGRESS)
		return reason(errno);
	if (poll(&wait, 1, to->timeout_ms) == 0)
		return "silent";
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	return error ? reason(error) : "connected";
}

static const char *probe_tcp(const struct target *to, int is_dns)
{
	unsigned char framed[2 + sizeof query] = { 0, sizeof query };
	int fd = socket(to->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	const char *word;

	if (fd < 0)
		return reason(errno);
	word = connect_stream(fd, to);
	if (is_dns && strcmp(word, "connected") == 0) {
		memcpy(framed + 2, query, sizeof query);
		word = send(fd, framed, sizeof framed, MSG_NOSIGNAL) < 0 ? reason(errno)
									 : await_answer(fd, to->timeout_ms);
	}
	close(fd);
	return word;
}

static const char *probe_datagram(const struct target *to, int type, int protocol, const void *bytes, size_t length)
{
	int on = 1;
	int fd = socket(to->family, type, protocol);
	const char *word;

	if (fd < 0)
		return reason(errno);
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
	if (connect(fd, (const struct sockaddr *)&to->address, to->length) < 0 || send(fd, bytes, length, 0) < 0)
		word = reason(errno);
	else
		word = await_answer(fd, to->timeout_ms);
	close(fd);
	return word;
}

/* An echo request: by the kernel's ping socket, or raw where that is not allowed and we may. */
static const char *probe_icmp(const struct target *to)
{
	unsigned char echo[16] = { to->family == AF_INET6 ? 128 : 8, 0, 0, 0, 0x4c, 0x6b, 0, 1 };
	int protocol = to->family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	int fd = socket(to->family, SOCK_DGRAM, protocol);
	int type = fd < 0 ? SOCK_RAW : SOCK_DGRAM;
	uint32_t sum = 0;

	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < sizeof echo; i += 2)
		sum += echo[i] << 8 | echo[i + 1];
	sum = ~(sum + (sum >> 16));
	if (to->family == AF_INET) {
		echo[2] = sum >> 8 & 0xff;
		echo[3] = sum & 0xff;
	}
	return probe_datagram(to, type, protocol, echo, sizeof echo);
}

static const char *probe_vsock(int cid, int port, int timeout_ms)
{
	struct target to = { .family = AF_VSOCK, .length = sizeof(struct sockaddr_vm), .timeout_ms = timeout_ms };
	struct sockaddr_vm *vm = (struct sockaddr_vm *)&to.address;

	vm->svm_family = AF_VSOCK;
	vm->svm_cid = cid;
	vm->svm_port = port;
	return probe_tcp(&to, 0);
}

/* Fills in the address; an IPv6 one may name a scope, as in fe80::1%3. */
static int parse_target(struct target *to, char *text, int port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&to->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&to->address;
	char *scope = strchr(text, '%');

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		to->family = v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		to->length = sizeof *v4;
		return 0;
	}
	if (scope) {
		v6->sin6_scope_id = atoi(scope + 1);
		*scope = '\0';
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return -1;
	to->family = v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	to->length = sizeof *v6;
	return 0;
}

static const char *probe(const char *kind, struct target *to)
{
	static const char payload[] = "probe of the leak tests";

	if (strcmp(kind, "tcp") == 0)
		return probe_tcp(to, 0);
	if (strcmp(kind, "dns-tcp") == 0)
		return probe_tcp(to, 1);
	if (strcmp(kind, "dns") == 0)
		return probe_datagram(to, SOCK_DGRAM, 0, query, sizeof query);
	if (strcmp(kind, "udp") == 0)
		return probe_datagram(to, SOCK_DGRAM, 0, payload, sizeof payload);
	if (strcmp(kind, "udplite") == 0)
		return probe_datagram(to, SOCK_DGRAM, IPPROTO_UDPLITE, payload, sizeof payload);
	if (strcmp(kind, "icmp") == 0)
		return probe_icmp(to);
	/* Protocol 253 is for experiments (RFC 3692); raw sockets take no port. */
	if (strcmp(kind, "raw") == 0)
		return probe_datagram(to, SOCK_RAW, 253, payload, sizeof payload);
	if (strcmp(kind, "sctp") == 0)
		return probe_datagram(to, SOCK_RAW, IPPROTO_SCTP, payload, sizeof payload);
	return NULL;
}

int main(int argc, char **argv)
{
	struct target to = { .timeout_ms = 1000 };
	const char *word;
	double start;

	if (argc < 4)
		return 2;
	if (argc > 4)
		to.timeout_ms = atoi(argv[4]);
	start = now_ms();
	if (strcmp(argv[1], "vsock") == 0)
		word = probe_vsock(atoi(argv[2]), atoi(argv[3]), to.timeout_ms);
	else if (parse_target(&to, argv[2], atoi(argv[3])) < 0)
		return 2;
	else
		word = probe(argv[1], &to);
	if (!word)
		return 2;
	printf("%s %.1f\n", word, now_ms() - start);
	return 0;
}
