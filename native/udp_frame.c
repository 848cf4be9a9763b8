/*
 * Bursts to the app as one frame.
 *
 * A raw socket sends one IP packet a call, and each walks through routing, the link and the app's stack on its
 * own: most of what a datagram costs. A packet socket with a virtio header (packet(7), PACKET_VNET_HDR) can
 * hand over many datagrams of one size and source at once; the app's stack cuts them apart (UDP_L4, Linux 6.2).
 *
 * Does: make such frames, when the lane has a packet socket and the app's link address is known.
 * Must not: be needed: whatever it cannot do goes through the raw sockets.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "udp.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

int cv_mint_packet(const char *interface)
{
	struct sockaddr_ll name = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
	int on = 1, fd, error;
	if (name.sll_ifindex == 0)
		return -errno;
	/* Protocol 0 hears nothing, here and in bind. */
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0) {
		error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

int udp_frame_attach(struct udp_lane *lane, int fd)
{
	struct sockaddr_ll name = {.sll_family = 0};
	socklen_t size = sizeof name;
	if (getsockname(fd, (struct sockaddr *)&name, &size) < 0)
		return -errno;
	if (name.sll_family != AF_PACKET || name.sll_ifindex <= 0 || name.sll_halen != ETH_ALEN)
		return -ESOCKTNOSUPPORT;
	lane->packet = fd;
	lane->packet_interface = name.sll_ifindex;
	memcpy(lane->gateway, name.sll_addr, ETH_ALEN);
	return 0;
}

int udp_frame_detach(struct udp_lane *lane)
{
	int packet = lane->packet;

	lane->packet = -1;
	lane->knows_app = false;
	return packet;
}

/* The app's link address as the gateway's kernel knows it (arp(7)); any app's IPv4 packet made it known. */
static bool learn_app(struct udp_lane *lane, const struct cv_addr *app)
{
	struct ifreq interface = {.ifr_ifindex = lane->packet_interface};
	struct arpreq request;
	struct sockaddr_in6 name;
	memset(&request, 0, sizeof request);
	udp_to_sockaddr(&name, app, AF_INET);
	memcpy(&request.arp_pa, &name, sizeof request.arp_pa);
	memset((uint8_t *)&request.arp_pa + 2, 0, 2);
	if (ioctl(lane->raw4, SIOCGIFNAME, &interface) < 0)
		return false;
	memcpy(request.arp_dev, interface.ifr_name, sizeof request.arp_dev);
	if (ioctl(lane->raw4, SIOCGARP, &request) < 0 || !(request.arp_flags & ATF_COM))
		return false;
	memcpy(lane->app, request.arp_ha.sa_data, ETH_ALEN);
	lane->knows_app = true;
	return true;
}

bool udp_frame_ready(struct udp_lane *lane, const struct cv_addr *app)
{
	if (lane->packet < 0)
		return false;
	return lane->knows_app || (udp_is_ipv4(app) && learn_app(lane, app));
}

size_t udp_frame_build(uint8_t *out, const struct udp_lane *lane, const struct cv_addr *from,
                       const struct cv_addr *to, size_t total, size_t each)
{
	struct virtio_net_hdr front = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_NONE};
	uint8_t *ethernet = out + sizeof front;
	size_t headers = udp_build_partial(ethernet + ETH_HLEN, from, to, total);
	if (headers == 0)
		return 0;
	front.csum_start = (uint16_t)(ETH_HLEN + headers - 8);
	front.csum_offset = 6;
	front.hdr_len = (uint16_t)(ETH_HLEN + headers);
	if (total > each) {
		front.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
		front.gso_size = (uint16_t)each;
	}
	memcpy(out, &front, sizeof front);
	memcpy(ethernet, lane->app, ETH_ALEN);
	memcpy(ethernet + ETH_ALEN, lane->gateway, ETH_ALEN);
	ethernet[12] = udp_is_ipv4(to) ? 0x08 : 0x86;
	ethernet[13] = udp_is_ipv4(to) ? 0x00 : 0xdd;
	return sizeof front + ETH_HLEN + headers;
}
