/*
 * Packets and SOCKS5 headers of the UDP relay, built and parsed in memory. The vectors were made by a program
 * of its own in another language; checksums are looked at again here, word by word as RFC 1071 says it.
 */
#include "check.h"

#include "udp_packet.c"

static struct cv_addr addr_of(const char *text, int port)
{
	struct cv_addr out = {.ip = {[10] = 0xff, [11] = 0xff}, .port = {(uint8_t)(port >> 8), (uint8_t)port}};
	CHECK(inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, strchr(text, ':') ? out.ip : out.ip + 12) == 1);
	return out;
}

/* 0xffff when the checksum inside is right. */
static unsigned ones_sum(unsigned sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum += (unsigned)bytes[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static unsigned transport_sum(const uint8_t *packet, bool is_ipv4, unsigned protocol, size_t size)
{
	unsigned sum = ones_sum(protocol, packet + (is_ipv4 ? 12 : 8), is_ipv4 ? 8 : 32);
	sum += (unsigned)(size >> 16) + (unsigned)(size & 0xffff);
	return ones_sum(sum, packet + (is_ipv4 ? 20 : 40), size);
}

static void packets_equal_vectors(void)
{
	static const uint8_t v4[] = "\x45\x00\x00\x21\x00\x00\x00\x00\x40\x11\x7e\xc2\xcb\x00\x71\x07\xc0\x00\x00\x02"
	                            "\x01\xbb\x9c\x40\x00\x0d\x21\xfc";
	static const uint8_t v6[] = "\x60\x00\x00\x00\x00\x0d\x11\x40\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00"
	                            "\x00\x00\x00\x07\xfd\xc0\x1a\x7e\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"
	                            "\x01\xbb\x9c\x40\x00\x0d\xd8\x05";
	static const uint8_t i4[] = "\x45\x00\x00\x38\x00\x00\x00\x00\x40\x01\x7e\xbb\xcb\x00\x71\x07\xc0\x00\x00\x02"
	                            "\x03\x03\x5a\x49\x00\x00\x00\x00\x45\x00\x04\xcc\x00\x00\x00\x00\x40\x11\x7a\x17"
	                            "\xc0\x00\x00\x02\xcb\x00\x71\x07\x9c\x40\x01\xbb\x04\xb8\x00\x00";
	static const uint8_t i6[] = "\x60\x00\x00\x00\x00\x38\x3a\x40\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00"
	                            "\x00\x00\x00\x07\xfd\xc0\x1a\x7e\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"
	                            "\x01\x04\x59\xdb\x00\x00\x00\x00\x60\x00\x00\x00\x04\xb8\x11\x40\xfd\xc0\x1a\x7e"
	                            "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x20\x01\x0d\xb8\x00\x00\x00\x00"
	                            "\x00\x00\x00\x00\x00\x00\x00\x07\x9c\x40\x01\xbb\x04\xb8\x00\x00";
	struct cv_addr far4 = addr_of("203.0.113.7", 443), app4 = addr_of("192.0.0.2", 40000);
	struct cv_addr far6 = addr_of("2001:db8::7", 443), app6 = addr_of("fdc0:1a7e::2", 40000);
	uint8_t out[UDP_UNREACHABLE_MAX];
	EXPECT(udp_build_headers(out, &far4, &app4, (const uint8_t *)"hello", 5), sizeof v4 - 1);
	CHECK(memcmp(out, v4, sizeof v4 - 1) == 0);
	EXPECT(udp_build_headers(out, &far6, &app6, (const uint8_t *)"hello", 5), sizeof v6 - 1);
	CHECK(memcmp(out, v6, sizeof v6 - 1) == 0);
	EXPECT(udp_build_unreachable(out, &app4, &far4, 1200), sizeof i4 - 1);
	CHECK(memcmp(out, i4, sizeof i4 - 1) == 0);
	EXPECT(udp_build_unreachable(out, &app6, &far6, 1200), sizeof i6 - 1);
	CHECK(memcmp(out, i6, sizeof i6 - 1) == 0);
	passed("packets are those of another program, byte for byte");
}

static void checksums_are_right_for_every_size(void)
{
	static uint8_t packet[70000];
	struct cv_addr far4 = addr_of("203.0.113.7", 443), app4 = addr_of("192.0.0.2", 40000);
	struct cv_addr far6 = addr_of("2001:db8::7", 443), app6 = addr_of("fdc0:1a7e::2", 40000);
	for (size_t size = 0; size <= 65507; size += size < 300 ? 1 : 977) {
		for (int v6 = 0; v6 < 2 && size <= 65487; v6++) {
			size_t headers = v6 ? 48 : 28;
			for (size_t i = 0; i < size; i++)
				packet[headers + i] = (uint8_t)rand();
			EXPECT(udp_build_headers(packet, v6 ? &far6 : &far4, v6 ? &app6 : &app4, packet + headers, size), headers);
			EXPECT(transport_sum(packet, !v6, IPPROTO_UDP, size + 8), 0xffff);
			CHECK(v6 || ones_sum(0, packet, 20) == 0xffff);
		}
	}
	passed("checksums hold for payloads of 0 to 65,507 bytes");
}

static void a_partial_checksum_lacks_only_the_datagram(void)
{
	struct cv_addr from[2] = {addr_of("203.0.113.7", 443), addr_of("2001:db8::7", 443)};
	struct cv_addr to[2] = {addr_of("192.0.0.2", 40000), addr_of("fdc0:1a7e::2", 40000)};
	for (int v6 = 0; v6 < 2; v6++) {
		uint8_t whole[UDP_IPV6_HEADERS + 5], partial[UDP_IPV6_HEADERS + 5];
		size_t headers = v6 ? 48 : 28, checksum = headers - 2;
		unsigned sum;
		memcpy(partial + headers, "hello", 5);
		EXPECT(udp_build_headers(whole, &from[v6], &to[v6], partial + headers, 5), headers);
		EXPECT(udp_build_partial(partial, &from[v6], &to[v6], 5), headers);
		/* As the kernel does it: the sum over the UDP packet with what the field holds, complemented. */
		sum = ~ones_sum(0, partial + headers - 8, 8 + 5) & 0xffff;
		EXPECT(sum, whole[checksum] << 8 | whole[checksum + 1]);
		CHECK(memcmp(whole, partial, checksum) == 0);
		EXPECT(udp_build_partial(partial, &from[v6], &to[!v6], 5), 0);
		EXPECT(udp_build_partial(partial, &from[v6], &to[v6], 65536), 0);
	}
	passed("a partial checksum lacks only the datagram");
}

static void a_checksum_of_zero_is_sent_as_ones(void)
{
	struct cv_addr far = addr_of("2001:db8::7", 443), app = addr_of("fdc0:1a7e::2", 40000);
	uint8_t out[UDP_IPV6_HEADERS], payload[2] = {0};
	int found = 0;
	for (unsigned value = 0; value < 65536; value++) {
		payload[0] = (uint8_t)(value >> 8);
		payload[1] = (uint8_t)value;
		udp_build_headers(out, &far, &app, payload, 2);
		CHECK(out[46] || out[47]);
		found += out[46] == 0xff && out[47] == 0xff;
	}
	EXPECT(found, 1);
	passed("a checksum of zero is sent as all ones");
}

static void what_cannot_be_sent_is_not_built(void)
{
	static uint8_t payload[65536];
	struct cv_addr far4 = addr_of("203.0.113.7", 443), app4 = addr_of("192.0.0.2", 40000);
	struct cv_addr far6 = addr_of("2001:db8::7", 443), app6 = addr_of("fdc0:1a7e::2", 40000);
	static const char *const groups[] = {"224.0.0.251", "255.255.255.255", "0.0.0.0"};
	uint8_t out[UDP_UNREACHABLE_MAX];
	EXPECT(udp_build_headers(out, &far4, &app4, payload, 65507), 28);
	EXPECT(udp_build_headers(out, &far4, &app4, payload, 65508), 0);
	EXPECT(udp_build_headers(out, &far6, &app6, payload, 65487), 48);
	EXPECT(udp_build_headers(out, &far6, &app6, payload, 65488), 0);
	EXPECT(udp_build_headers(out, &far6, &app4, payload, 1), 0);
	EXPECT(udp_build_headers(out, &far4, &app6, payload, 1), 0);
	EXPECT(udp_build_unreachable(out, &app4, &far6, 1), 0);
	for (size_t i = 0; i < 3; i++) {
		struct cv_addr group = addr_of(groups[i], 443);
		EXPECT(udp_build_unreachable(out, &app4, &group, 1), 0);
	}
	far6 = addr_of("ff02::fb", 5353);
	EXPECT(udp_build_unreachable(out, &app6, &far6, 1), 0);
	passed("nothing is built across families, for groups, or beyond the link's size");
}

static void socks_headers_are_read(void)
{
	static const uint8_t v4[] = {0, 0, 0, 1, 203, 0, 113, 7, 1, 187, 'x'};
	static const uint8_t v6[] = {0, 0, 0, 4, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 1, 187};
	static const uint8_t name[] = {0, 0, 0, 3, 4, 'A', '.', 'b', 'C', 1, 187};
	static const uint8_t text[] = {0, 0, 0, 3, 11, '2', '0', '3', '.', '0', '.', '1', '1', '3', '.', '7', 1, 187};
	static const uint8_t nul[] = {0, 0, 0, 3, 9, '1', '.', '1', '.', '1', '.', '1', 0, 'x', 1, 187};
	struct cv_addr far4 = addr_of("203.0.113.7", 443), far6 = addr_of("2001:db8::7", 443);
	struct udp_peer peer;
	EXPECT(udp_parse_socks(&peer, v4, sizeof v4), 10);
	CHECK(udp_same_addr(&peer.addr, &far4) && peer.name_size == 0);
	EXPECT(udp_parse_socks(&peer, v6, sizeof v6), sizeof v6);
	CHECK(udp_same_addr(&peer.addr, &far6) && peer.name_size == 0);
	EXPECT(udp_parse_socks(&peer, name, sizeof name), sizeof name);
	CHECK(peer.name_size == 4 && memcmp(peer.name, "a.bc", 4) == 0 && peer.addr.port[0] == 1);
	EXPECT(udp_parse_socks(&peer, text, sizeof text), sizeof text);
	CHECK(udp_same_addr(&peer.addr, &far4) && peer.name_size == 0);
	EXPECT(udp_parse_socks(&peer, nul, sizeof nul), sizeof nul);
	EXPECT(peer.name_size, 9);
	passed("SOCKS5 headers of addresses, names, and addresses written as names are read");
}

static void short_or_wrong_headers_are_refused(void)
{
	uint8_t bytes[300] = {0};
	struct udp_peer peer;
	static const struct {
		uint8_t type;
		size_t size;
	} kinds[] = {{1, 10}, {4, 22}, {3, 262}};
	for (size_t i = 0; i < 3; i++) {
		bytes[3] = kinds[i].type;
		bytes[4] = 255;
		for (size_t size = 0; size < kinds[i].size; size++) {
			/* On the heap and of just that size, so that one byte too far is seen. */
			uint8_t *cut = malloc(size ? size : 1);
			CHECK(cut != NULL);
			memcpy(cut, bytes, size);
			EXPECT(udp_parse_socks(&peer, cut, size), 0);
			free(cut);
		}
		EXPECT(udp_parse_socks(&peer, bytes, kinds[i].size), kinds[i].size);
		for (size_t at = 0; at < 3; at++) {
			bytes[at] = 1;
			EXPECT(udp_parse_socks(&peer, bytes, sizeof bytes), 0);
			bytes[at] = 0;
		}
	}
	bytes[4] = 0;
	EXPECT(udp_parse_socks(&peer, bytes, sizeof bytes), 0);
	bytes[3] = 2;
	EXPECT(udp_parse_socks(&peer, bytes, sizeof bytes), 0);
	passed("headers that are cut, fragments, or of no known type are refused");
}

static void random_bytes_never_read_too_far(void)
{
	uint8_t *bytes = malloc(300);
	struct udp_peer peer;
	unsigned taken = 0;
	CHECK(bytes != NULL);
	srand(20);
	for (int round = 0; round < 1000000; round++) {
		size_t size = (size_t)rand() % 301, used;
		uint8_t *end = bytes + 300 - size;
		for (size_t i = 0; i < size && i < 24; i++)
			end[i] = (uint8_t)rand();
		/* Most would fail at the first byte otherwise. */
		if (size > 4 && round % 8) {
			memset(end, 0, 3);
			end[3] = (uint8_t)(rand() % 6);
		}
		used = udp_parse_socks(&peer, end, size);
		CHECK(used <= size && used <= UDP_SOCKS_HEADER_MAX);
		taken += used > 0;
	}
	CHECK(taken > 100000);
	free(bytes);
	passed("a million random headers are read within their size");
}

int main(void)
{
	packets_equal_vectors();
	checksums_are_right_for_every_size();
	a_partial_checksum_lacks_only_the_datagram();
	a_checksum_of_zero_is_sent_as_ones();
	what_cannot_be_sent_is_not_built();
	socks_headers_are_read();
	short_or_wrong_headers_are_refused();
	random_bytes_never_read_too_far();
	return 0;
}
