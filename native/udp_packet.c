/*
 * Bytes of UDP: addresses, SOCKS5 UDP headers, IPv4, IPv6, UDP and ICMP packets.
 *
 * Does: build and parse, from memory to memory.
 * Must not: keep state, make a system call, or read past a size that it was given: the SOCKS5 headers come
 * from a server that nobody vouches for, the payloads from any app.
 */
#include <arpa/inet.h>
#include <string.h>

#include "udp.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER 8
#define ICMP_HEADER 8
#define LINK_MTU 65535
#define HOP_LIMIT 64

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* ---- addresses --------------------------------------------------------------------------------- */

bool udp_is_ipv4(const struct cv_addr *addr)
{
	return memcmp(addr->ip, mapped_prefix, sizeof mapped_prefix) == 0;
}

bool udp_same_addr(const struct cv_addr *a, const struct cv_addr *b)
{
	return memcmp(a->ip, b->ip, 16) == 0 && memcmp(a->port, b->port, 2) == 0;
}

bool udp_same_peer(const struct udp_peer *a, const struct udp_peer *b)
{
	return udp_same_addr(&a->addr, &b->addr) && a->name_size == b->name_size &&
	       memcmp(a->name, b->name, a->name_size) == 0;
}

bool udp_is_loopback(const struct cv_addr *addr)
{
	static const uint8_t one[16] = {[15] = 1};
	return udp_is_ipv4(addr) ? addr->ip[12] == 127 : memcmp(addr->ip, one, 16) == 0;
}

bool udp_is_host(const struct cv_addr *addr)
{
	static const uint8_t none[16];
	if (udp_is_ipv4(addr))
		return addr->ip[12] < 224 ? addr->ip[12] != 0 : addr->ip[12] >= 240 && memcmp(addr->ip + 12, "\377\377\377\377", 4);
	return addr->ip[0] != 0xff && memcmp(addr->ip, none, 16) != 0;
}

bool udp_from_sockaddr(struct cv_addr *out, const void *name, size_t size)
{
	sa_family_t family;
	if (size < sizeof(struct sockaddr_in))
		return false;
	memset(out, 0, sizeof *out);
	memcpy(&family, name, sizeof family);
	if (family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, name, sizeof v4);
		memcpy(out->ip, mapped_prefix, 12);
		memcpy(out->ip + 12, &v4.sin_addr, 4);
		memcpy(out->port, &v4.sin_port, 2);
		return true;
	}
	if (family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 v6;
		memcpy(&v6, name, sizeof v6);
		memcpy(out->ip, &v6.sin6_addr, 16);
		memcpy(out->port, &v6.sin6_port, 2);
		return true;
	}
	return false;
}

socklen_t udp_to_sockaddr(struct sockaddr_in6 *out, const struct cv_addr *addr, int family)
{
	memset(out, 0, sizeof *out);
	if (family == AF_INET) {
		struct sockaddr_in v4 = {.sin_family = AF_INET};
		if (!udp_is_ipv4(addr))
			return 0;
		memcpy(&v4.sin_port, addr->port, 2);
		memcpy(&v4.sin_addr, addr->ip + 12, 4);
		memcpy(out, &v4, sizeof v4);
		return sizeof v4;
	}
	out->sin6_family = AF_INET6;
	memcpy(&out->sin6_port, addr->port, 2);
	memcpy(&out->sin6_addr, addr->ip, 16);
	return sizeof *out;
}

/* ---- SOCKS5 ------------------------------------------------------------------------------------ */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Some servers write an address as a name; it is compared as the address that it is. */
static void read_name(struct udp_peer *out, const uint8_t *name, size_t size)
{
	char text[INET6_ADDRSTRLEN];
	if (size < sizeof text && !memchr(name, 0, size)) {
		memcpy(text, name, size);
		text[size] = 0;
		if (inet_pton(AF_INET, text, out->addr.ip + 12) == 1) {
			memcpy(out->addr.ip, mapped_prefix, 12);
			return;
		}
		if (inet_pton(AF_INET6, text, out->addr.ip) == 1)
			return;
		memset(out->addr.ip, 0, 16);
	}
	out->name_size = (uint8_t)size;
	for (size_t i = 0; i < size; i++)
		out->name[i] = lower(name[i]);
}

size_t udp_parse_peer(struct udp_peer *out, const uint8_t *bytes, size_t size)
{
	size_t at = 1, length;
	if (size < 1)
		return 0;
	memset(&out->addr, 0, sizeof out->addr);
	out->name_size = 0;
	if (bytes[0] == 3) {
		if (size < 2 || bytes[1] == 0)
			return 0;
		at = 2;
		length = bytes[1];
	} else if (bytes[0] == 1) {
		length = 4;
	} else if (bytes[0] == 4) {
		length = 16;
	} else {
		return 0;
	}
	if (size < at + length + 2)
		return 0;
	memcpy(out->addr.port, bytes + at + length, 2);
	if (bytes[0] == 3) {
		read_name(out, bytes + at, length);
	} else if (bytes[0] == 4) {
		memcpy(out->addr.ip, bytes + at, 16);
	} else {
		memcpy(out->addr.ip, mapped_prefix, 12);
		memcpy(out->addr.ip + 12, bytes + at, 4);
	}
	return at + length + 2;
}

size_t udp_parse_socks(struct udp_peer *out, const uint8_t *bytes, size_t size)
{
	size_t used;
	if (size < 4 || bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 0)
		return 0;
	used = udp_parse_peer(out, bytes + 3, size - 3);
	return used ? used + 3 : 0;
}

size_t udp_build_socks(uint8_t *out, const void *target, size_t size)
{
	memset(out, 0, 3);
	memcpy(out + 3, target, size);
	return 3 + size;
}

/* ---- packets ----------------------------------------------------------------------------------- */

static void put16(uint8_t *out, size_t value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
}

/* Sum of 16-bit words in the machine's own order (RFC 1071 section 2B); size is even but for the last part. */
static uint64_t sum_words(uint64_t sum, const uint8_t *bytes, size_t size)
{
	uint64_t eight;
	for (; size >= 8; bytes += 8, size -= 8) {
		memcpy(&eight, bytes, 8);
		sum += (eight & 0xffffffff) + (eight >> 32);
	}
	eight = 0;
	memcpy(&eight, bytes, size);
	return sum + (eight & 0xffffffff) + (eight >> 32);
}

static void put_checksum(uint8_t *out, uint64_t sum)
{
	uint16_t folded;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	folded = (uint16_t)~sum;
	memcpy(out, &folded, 2);
}

/* The pseudo header of RFC 768 and RFC 8200 section 8.1, of the two addresses that are together in a packet. */
static uint64_t sum_pseudo(const uint8_t *addresses, size_t addresses_size, uint8_t protocol, size_t size)
{
	uint8_t rest[8] = {0};
	put16(rest, size >> 16);
	put16(rest + 2, size);
	rest[7] = protocol;
	return sum_words(sum_words(0, addresses, addresses_size), rest, sizeof rest);
}

static void build_ipv4(uint8_t *out, const struct cv_addr *from, const struct cv_addr *to, uint8_t protocol,
                       size_t size)
{
	memset(out, 0, IPV4_HEADER);
	out[0] = 0x45;
	put16(out + 2, IPV4_HEADER + size);
	out[8] = HOP_LIMIT;
	out[9] = protocol;
	memcpy(out + 12, from->ip + 12, 4);
	memcpy(out + 16, to->ip + 12, 4);
	put_checksum(out + 10, sum_words(0, out, IPV4_HEADER));
}

static void build_ipv6(uint8_t *out, const struct cv_addr *from, const struct cv_addr *to, uint8_t protocol,
                       size_t size)
{
	memset(out, 0, IPV6_HEADER);
	out[0] = 0x60;
	put16(out + 4, size);
	out[6] = protocol;
	out[7] = HOP_LIMIT;
	memcpy(out + 8, from->ip, 16);
	memcpy(out + 24, to->ip, 16);
}

static void build_udp(uint8_t *out, const struct cv_addr *from, const struct cv_addr *to, size_t size)
{
	memcpy(out, from->port, 2);
	memcpy(out + 2, to->port, 2);
	put16(out + 4, UDP_HEADER + size);
	put16(out + 6, 0);
}

size_t udp_build_headers(uint8_t *out, const struct cv_addr *from, const struct cv_addr *to, const uint8_t *payload,
                         size_t size)
{
	bool is_ipv4 = udp_is_ipv4(to);
	size_t ip_size = is_ipv4 ? IPV4_HEADER : IPV6_HEADER, udp_size = UDP_HEADER + size;
	uint8_t *udp = out + ip_size;
	uint64_t sum;
	if (udp_is_ipv4(from) != is_ipv4 || ip_size + udp_size > LINK_MTU)
		return 0;
	if (is_ipv4) {
		build_ipv4(out, from, to, IPPROTO_UDP, udp_size);
		sum = sum_pseudo(out + 12, 8, IPPROTO_UDP, udp_size);
	} else {
		build_ipv6(out, from, to, IPPROTO_UDP, udp_size);
		sum = sum_pseudo(out + 8, 32, IPPROTO_UDP, udp_size);
	}
	build_udp(udp, from, to, size);
	put_checksum(udp + 6, sum_words(sum_words(sum, udp, UDP_HEADER), payload, size));
	/* 0 would say that there is none. */
	if (udp[6] == 0 && udp[7] == 0)
		put16(udp + 6, 0xffff);
	return ip_size + UDP_HEADER;
}

size_t udp_build_partial(uint8_t *out, const struct cv_addr *from, const struct cv_addr *to, size_t size)
{
	bool is_ipv4 = udp_is_ipv4(to);
	size_t ip_size = is_ipv4 ? IPV4_HEADER : IPV6_HEADER, udp_size = UDP_HEADER + size;
	uint8_t *udp = out + ip_size;
	if (udp_is_ipv4(from) != is_ipv4 || ip_size + udp_size > LINK_MTU)
		return 0;
	if (is_ipv4)
		build_ipv4(out, from, to, IPPROTO_UDP, udp_size);
	else
		build_ipv6(out, from, to, IPPROTO_UDP, udp_size);
	build_udp(udp, from, to, size);
	put_checksum(udp + 6, sum_pseudo(is_ipv4 ? out + 12 : out + 8, is_ipv4 ? 8 : 32, IPPROTO_UDP, udp_size));
	/* The sum itself is wanted here, not its complement. */
	udp[6] = (uint8_t)~udp[6];
	udp[7] = (uint8_t)~udp[7];
	return ip_size + UDP_HEADER;
}

size_t udp_build_unreachable(uint8_t *out, const struct cv_addr *source, const struct cv_addr *destination,
                             size_t size)
{
	bool is_ipv4 = udp_is_ipv4(source);
	size_t ip_size = is_ipv4 ? IPV4_HEADER : IPV6_HEADER, icmp_size = ICMP_HEADER + ip_size + UDP_HEADER;
	uint8_t *icmp = out + ip_size, *quoted = icmp + ICMP_HEADER;
	if (udp_is_ipv4(destination) != is_ipv4 || !udp_is_host(source) || !udp_is_host(destination))
		return 0;
	memset(icmp, 0, ICMP_HEADER);
	if (is_ipv4) {
		icmp[0] = 3;
		icmp[1] = 3;
		build_ipv4(quoted, source, destination, IPPROTO_UDP, UDP_HEADER + size);
	} else {
		icmp[0] = 1;
		icmp[1] = 4;
		build_ipv6(quoted, source, destination, IPPROTO_UDP, UDP_HEADER + size);
	}
	build_udp(quoted + ip_size, source, destination, size);
	if (is_ipv4) {
		build_ipv4(out, destination, source, IPPROTO_ICMP, icmp_size);
		put_checksum(icmp + 2, sum_words(0, icmp, icmp_size));
	} else {
		build_ipv6(out, destination, source, IPPROTO_ICMPV6, icmp_size);
		put_checksum(icmp + 2, sum_words(sum_pseudo(out + 8, 32, IPPROTO_ICMPV6, icmp_size), icmp, icmp_size));
	}
	return ip_size + icmp_size;
}
