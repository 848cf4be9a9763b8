/*
 * One packet of a kind, and what came of it: the instrument of the leak tests and of their positive controls.
 *
 *   probe KIND ADDRESS PORT [TIMEOUT_MS]
 *   probe -
 *
 * Kinds: tcp talk udp dns dns-tcp icmp raw sctp udplite packet vsock vsock-seq vsock-dgram. `talk` is `tcp` that
 * also says something and waits for an answer. Multicast and broadcast are `udp` to such an address; an IPv6
 * address may name its link, as in fe80::1%eth0. The address of a vsock is a CID, or `own`: this machine's, so
 * that nothing is sent to the one below it.
 * Prints one line, "WORD MILLISECONDS": WORD is connected, answered, silent, ended (by the other side), or the
 * name of an errno value. It ends with 0 whenever it could try; 2 means wrong arguments. With `-` it reads the
 * arguments from lines of its input to the end of it, and answers each with the line and the result, so that one
 * program that is inside a lane can be asked again when the world around it has changed.
 * A static program without any library's resolver or hook between it and the kernel.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

static const char payload[] = "probe of the leak tests";

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

/* Waits for readability and reads: "answered", "silent" or an errno name; a datagram may be empty. */
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

/* Says something on a connected stream and waits for the first byte of the answer. */
static const char *converse(int fd, const void *bytes, size_t length, int timeout_ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char first;
	ssize_t got;

	if (send(fd, bytes, length, MSG_NOSIGNAL) < 0)
		return reason(errno);
	if (poll(&wait, 1, timeout_ms) == 0)
		return "silent";
	got = recv(fd, &first, 1, 0);
	if (got < 0)
		return reason(errno);
	return got == 0 ? "ended" : "answered";
}

/* Connects, and with `bytes` also talks. */
static const char *probe_stream(const struct target *to, int type, const void *bytes, size_t length)
{
	int fd = socket(to->family, type | SOCK_NONBLOCK, 0);
	const char *word;

	if (fd < 0)
		return reason(errno);
	word = connect_stream(fd, to);
	if (bytes && strcmp(word, "connected") == 0)
		word = converse(fd, bytes, length, to->timeout_ms);
	close(fd);
	return word;
}

static const char *probe_datagram(const struct target *to, int type, int protocol, const void *bytes, size_t length)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&to->address;
	int on = 1;
	int fd = socket(to->family, type, protocol);
	const char *word;

	if (fd < 0)
		return reason(errno);
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
	/* A group of more than the link's scope has no link in its address (RFC 4007 section 6). */
	if (to->family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &v6->sin6_scope_id, sizeof(int));
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

/* The address that the kernel would send from, and the first link that is not the loopback. */
static int find_way(const struct target *to, struct sockaddr_storage *source, unsigned int *link)
{
	struct if_nameindex *links = if_nameindex();
	socklen_t length = sizeof *source;
	int fd = socket(to->family, SOCK_DGRAM, 0);
	int on = 1;
	int found = -1;

	*link = 0;
	for (struct if_nameindex *at = links; at && at->if_index && *link == 0; at++)
		if (strcmp(at->if_name, "lo") != 0)
			*link = at->if_index;
	if (links)
		if_freenameindex(links);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
	if (connect(fd, (const struct sockaddr *)&to->address, to->length) == 0)
		found = getsockname(fd, (struct sockaddr *)source, &length);
	close(fd);
	return found;
}

/* A packet of protocol 253 with its own header, `length` bytes in all. */
static size_t write_packet(unsigned char *out, const struct target *to, const struct sockaddr_storage *from)
{
	struct ip v4 = { .ip_v = 4, .ip_hl = 5, .ip_ttl = 64, .ip_p = 253 };
	struct ip6_hdr v6 = { .ip6_src = ((const struct sockaddr_in6 *)from)->sin6_addr,
			      .ip6_dst = ((const struct sockaddr_in6 *)&to->address)->sin6_addr };
	size_t head = to->family == AF_INET ? sizeof v4 : sizeof v6;
	uint16_t words[sizeof v4 / 2];
	uint32_t sum = 0;

	v4.ip_len = htons(sizeof v4 + sizeof payload);
	v4.ip_src = ((const struct sockaddr_in *)from)->sin_addr;
	v4.ip_dst = ((const struct sockaddr_in *)&to->address)->sin_addr;
	memcpy(words, &v4, sizeof v4);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		sum += words[i];
	sum = (sum >> 16) + (sum & 0xffff);
	v4.ip_sum = ~((sum >> 16) + sum) & 0xffff;
	v6.ip6_flow = htonl(6u << 28);
	v6.ip6_plen = htons(sizeof payload);
	v6.ip6_nxt = 253;
	v6.ip6_hlim = 64;
	memcpy(out, to->family == AF_INET ? (const void *)&v4 : (const void *)&v6, head);
	memcpy(out + head, payload, sizeof payload);
	return head + sizeof payload;
}

/* A whole packet to everybody on the first link, past routes and filters. */
static const char *probe_packet(const struct target *to)
{
	int is_v4 = to->family == AF_INET;
	struct sockaddr_ll link = { .sll_family = AF_PACKET, .sll_halen = ETH_ALEN };
	struct sockaddr_storage from = { 0 };
	unsigned char packet[sizeof(struct ip6_hdr) + sizeof payload];
	unsigned int index;
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	const char *word = "silent";

	if (fd < 0)
		return reason(errno);
	if (find_way(to, &from, &index) < 0)
		word = reason(errno);
	link.sll_protocol = htons(is_v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	link.sll_ifindex = index;
	memset(link.sll_addr, 0xff, ETH_ALEN);
	if (sendto(fd, packet, write_packet(packet, to, &from), 0, (const struct sockaddr *)&link, sizeof link) < 0)
		word = reason(errno);
	close(fd);
	return word;
}

/* This machine's own CID; where there is no such device, the loopback's, which then leads nowhere. */
static unsigned int own_cid(void)
{
	unsigned int cid = VMADDR_CID_LOCAL;
	int fd = open("/dev/vsock", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid);
		close(fd);
	}
	return cid;
}

static const char *probe_vsock(const char *kind, const char *cid, int port, int timeout_ms)
{
	struct target to = { .family = AF_VSOCK, .length = sizeof(struct sockaddr_vm), .timeout_ms = timeout_ms };
	struct sockaddr_vm *vm = (struct sockaddr_vm *)&to.address;

	vm->svm_family = AF_VSOCK;
	vm->svm_cid = strcmp(cid, "own") == 0 ? own_cid() : (unsigned int)atoi(cid);
	vm->svm_port = port;
	if (strcmp(kind, "vsock") == 0)
		return probe_stream(&to, SOCK_STREAM, NULL, 0);
	if (strcmp(kind, "vsock-seq") == 0)
		return probe_stream(&to, SOCK_SEQPACKET, NULL, 0);
	if (strcmp(kind, "vsock-dgram") == 0)
		return probe_stream(&to, SOCK_DGRAM, NULL, 0);
	return NULL;
}

/* Fills in the address; an IPv6 one may name a link by name or number, as in fe80::1%3. */
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
		v6->sin6_scope_id = if_nametoindex(scope + 1);
		if (v6->sin6_scope_id == 0)
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

static const char *probe(const char *kind, const struct target *to)
{
	unsigned char framed[2 + sizeof query] = { 0, sizeof query };

	if (strcmp(kind, "tcp") == 0)
		return probe_stream(to, SOCK_STREAM, NULL, 0);
	if (strcmp(kind, "talk") == 0)
		return probe_stream(to, SOCK_STREAM, payload, sizeof payload);
	if (strcmp(kind, "dns-tcp") == 0) {
		memcpy(framed + 2, query, sizeof query);
		return probe_stream(to, SOCK_STREAM, framed, sizeof framed);
	}
	if (strcmp(kind, "packet") == 0)
		return probe_packet(to);
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

/* One probe; -1 for arguments that mean nothing. */
static int try(const char *kind, char *address, int port, int timeout_ms)
{
	struct target to = { .timeout_ms = timeout_ms };
	const char *word = NULL;
	double start = now_ms();

	if (strncmp(kind, "vsock", 5) == 0)
		word = probe_vsock(kind, address, port, timeout_ms);
	else if (parse_target(&to, address, port) == 0)
		word = probe(kind, &to);
	if (!word)
		return -1;
	printf("%s %.1f\n", word, now_ms() - start);
	return fflush(stdout);
}

static int answer_lines(void)
{
	char line[256];
	char kind[32];
	char address[64];
	int port;
	int timeout_ms;

	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		timeout_ms = 1000;
		if (sscanf(line, "%31s %63s %d %d", kind, address, &port, &timeout_ms) < 3)
			return 2;
		printf("%s ", line);
		if (try(kind, address, port, timeout_ms) < 0)
			return 2;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "-") == 0)
		return answer_lines();
	if (argc < 4)
		return 2;
	return try(argv[1], argv[2], atoi(argv[3]), argc > 4 ? atoi(argv[4]) : 1000) < 0 ? 2 : 0;
}
