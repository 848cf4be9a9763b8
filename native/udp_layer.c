/*
 * Chains of SOCKS5 relays: datagrams in nested headers.
 *
 * Each relay takes one header off and sends the rest to the address in it, and puts one in front of what comes back
 * (RFC 1928 section 7). So what is sent begins with a header for each relay behind the first one, and what is heard
 * has to name the same relays in the same places.
 *
 * Does: read the layers, build what stands in front of every datagram, take it off every reply.
 * Must not: pass on a reply that did not come by all of the relays (S50), or learn an address from one.
 */
#include <errno.h>
#include <string.h>

#include "udp.h"

int udp_layers_read(struct udp_association *association, const void *bytes, uint32_t size)
{
	struct udp_layers *layers = &udp_engine.layers[udp_association_number(association)];
	const uint8_t *at = bytes;
	if (size == 0)
		return 0;
	memset(layers, 0, sizeof *layers);
	association->layers = layers;
	while (size > 0) {
		size_t used;
		if (layers->count == CV_UDP_LAYERS)
			return -E2BIG;
		used = udp_parse_peer(&layers->each[layers->count].peer, at, size);
		if (used == 0)
			return -EINVAL;
		layers->size += (uint32_t)udp_build_socks(layers->headers + layers->size, at, used);
		layers->count++;
		at += used;
		size -= (uint32_t)used;
	}
	return 0;
}

/* Whether a header that names `peer` is this relay's. For a name the first address with its port is. */
static bool is_layer(const struct udp_layer *layer, const struct udp_peer *peer)
{
	if (udp_same_peer(&layer->peer, peer))
		return true;
	if (layer->peer.name_size == 0 || peer->name_size > 0)
		return false;
	if (layer->is_heard)
		return udp_same_addr(&layer->heard, &peer->addr);
	return memcmp(layer->peer.addr.port, peer->addr.port, 2) == 0 && udp_is_host(&peer->addr);
}

int udp_layers_strip(struct udp_association *association, const uint8_t *bytes, uint32_t size)
{
	struct udp_layers *layers = association->layers;
	struct cv_addr named[CV_UDP_LAYERS];
	struct udp_peer peer;
	uint32_t used = 0;
	if (!layers)
		return 0;
	for (uint32_t i = 0; i < layers->count; i++) {
		size_t header = udp_parse_socks(&peer, bytes + used, size - used);
		if (header == 0) {
			udp_count_drop(&udp_engine.drops.malformed);
			return -EBADMSG;
		}
		if (!is_layer(&layers->each[i], &peer)) {
			udp_count_drop(&udp_engine.drops.foreign);
			return -EADDRNOTAVAIL;
		}
		named[i] = peer.addr;
		/* Said by name again: there is no address to keep. */
		if (peer.name_size > 0)
			memset(&named[i], 0, sizeof named[i]);
		used += (uint32_t)header;
	}
	/* Kept only from a reply that came by all of them. */
	for (uint32_t i = 0; i < layers->count; i++) {
		struct udp_layer *layer = &layers->each[i];
		if (layer->peer.name_size == 0 || layer->is_heard || !udp_is_host(&named[i]))
			continue;
		layer->is_heard = true;
		layer->heard = named[i];
	}
	return (int)used;
}
