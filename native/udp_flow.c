/*
 * Flows of the UDP relay: what is known of each (lane, source, destination).
 *
 * Does: find a flow by its key, and for the way back by its peer (association, target); keep the orders by
 * which one is forgotten: the oldest refusal, the least recently used route.
 * Must not: allocate, or let one lane or association take everything: undecided pairs are bounded per lane
 * and in all, routes per association and in all.
 *
 * Both tables are chained hash tables with a random seed, as apps and servers choose the keys.
 */
#include <string.h>

#include "udp.h"

/* ---- hashing ----------------------------------------------------------------------------------- */

/* Multiplication carries upwards only, so the upper half is brought down each time. */
static uint64_t mix(uint64_t state, uint64_t multiplier)
{
	state *= multiplier | 1;
	return state ^ state >> 32;
}

static uint32_t hash(uint64_t start, const uint8_t *bytes, size_t size)
{
	const uint64_t *seed = udp_engine.seed;
	uint64_t state = start ^ seed[0], word;
	for (; size >= 8; bytes += 8, size -= 8) {
		memcpy(&word, bytes, 8);
		state = mix(state ^ word, seed[1]) + seed[2];
	}
	word = 0;
	memcpy(&word, bytes, size);
	state = mix(state ^ word ^ (uint64_t)size << 56, seed[3]);
	return (uint32_t)(state ^ state >> 32);
}

_Static_assert(sizeof(struct udp_key) == 40, "a key has no padding, so its bytes can be compared");

static uint32_t hash_key(const struct udp_key *key)
{
	uint8_t bytes[sizeof *key];
	memcpy(bytes, key, sizeof bytes);
	return hash(0, bytes, sizeof bytes);
}

static uint32_t hash_peer(const struct udp_association *association, const struct udp_peer *peer)
{
	uint8_t bytes[18 + UDP_NAME_MAX];
	memcpy(bytes, &peer->addr, 18);
	memcpy(bytes + 18, peer->name, peer->name_size);
	return hash(udp_association_number(association), bytes, 18u + peer->name_size);
}

/* ---- flows ------------------------------------------------------------------------------------- */

void udp_key_make(struct udp_key *out, uint32_t lane, const struct cv_addr *source,
                  const struct cv_addr *destination)
{
	out->lane = lane;
	memcpy(out->source, source, sizeof out->source);
	memcpy(out->destination, destination, sizeof out->destination);
}

void udp_key_read(const struct udp_key *key, struct cv_addr *source, struct cv_addr *destination)
{
	memset(source, 0, sizeof *source);
	memset(destination, 0, sizeof *destination);
	memcpy(source, key->source, sizeof key->source);
	memcpy(destination, key->destination, sizeof key->destination);
}

struct udp_flow *udp_flow_find(const struct udp_key *key)
{
	uint32_t key_hash = hash_key(key);
	struct udp_flow *flow = udp_engine.by_key[key_hash & udp_engine.bucket_mask];
	while (flow && (flow->key_hash != key_hash || memcmp(&flow->key, key, sizeof *key) != 0))
		flow = flow->next_by_key;
	return flow;
}

/* What a flow was found by as a peer: its target, or the address that its name turned out to be. */
static void reply_peer(const struct udp_flow *flow, struct udp_peer *out)
{
	if (flow->is_heard) {
		out->addr = flow->heard;
		out->name_size = 0;
	} else {
		out->addr = flow->target.addr;
		out->name_size = flow->target.name_size;
		memcpy(out->name, flow->target.name, out->name_size);
	}
}

static void add_by_peer(struct udp_flow *flow)
{
	struct udp_peer peer;
	struct udp_flow **bucket;
	reply_peer(flow, &peer);
	flow->peer_hash = hash_peer(flow->association, &peer);
	bucket = &udp_engine.by_peer[flow->peer_hash & udp_engine.bucket_mask];
	flow->next_by_peer = *bucket;
	*bucket = flow;
}

static void remove_by_peer(struct udp_flow *flow)
{
	struct udp_flow **place = &udp_engine.by_peer[flow->peer_hash & udp_engine.bucket_mask];
	while (*place != flow)
		place = &(*place)->next_by_peer;
	*place = flow->next_by_peer;
}

/* Takes the flow out of the state that it is in; it is still found by its key. */
static void leave_state(struct udp_flow *flow)
{
	udp_list_remove(&flow->by_state);
	if (flow->state == UDP_FLOW_WAITING) {
		udp_engine.waiting_count--;
		udp_engine.lanes[flow->key.lane].waiting_flows--;
		udp_engine.untold_count -= flow->is_told ? 0 : 1;
	} else if (flow->state == UDP_FLOW_REFUSED) {
		udp_engine.refused_count--;
	} else if (flow->state == UDP_FLOW_ROUTED) {
		udp_engine.routed_count--;
		flow->association->flow_count--;
		udp_list_remove(&flow->by_association);
		udp_list_remove(&flow->by_name);
		remove_by_peer(flow);
		flow->association = NULL;
		flow->is_heard = false;
	}
	flow->state = UDP_FLOW_FREE;
}

void udp_flow_remove(struct udp_flow *flow)
{
	struct udp_flow **place = &udp_engine.by_key[flow->key_hash & udp_engine.bucket_mask];
	udp_flow_drop_waiting(flow);
	leave_state(flow);
	while (*place != flow)
		place = &(*place)->next_by_key;
	*place = flow->next_by_key;
	flow->next_by_key = udp_engine.free_flows;
	udp_engine.free_flows = flow;
}

struct udp_flow *udp_flow_add(const struct udp_key *key)
{
	struct udp_flow *flow = udp_engine.free_flows, **bucket;
	struct udp_lane *lane = &udp_engine.lanes[key->lane];
	if (udp_engine.waiting_count >= UDP_WAITING_FLOWS || lane->waiting_flows >= UDP_WAITING_FLOWS / 2)
		return NULL;
	if (flow)
		udp_engine.free_flows = flow->next_by_key;
	else if (udp_engine.flow_fresh < udp_engine.flow_slots)
		flow = &udp_engine.flows[udp_engine.flow_fresh++];
	else
		return NULL;
	memset(flow, 0, offsetof(struct udp_flow, target));
	flow->key = *key;
	flow->key_hash = hash_key(key);
	flow->state = UDP_FLOW_WAITING;
	flow->since = udp_engine.now;
	udp_list_init(&flow->by_association);
	udp_list_init(&flow->by_name);
	udp_list_insert(udp_engine.waiting.previous, &flow->by_state);
	udp_engine.waiting_count++;
	udp_engine.untold_count++;
	lane->waiting_flows++;
	bucket = &udp_engine.by_key[flow->key_hash & udp_engine.bucket_mask];
	flow->next_by_key = *bucket;
	*bucket = flow;
	return flow;
}

void udp_flow_refuse(struct udp_flow *flow)
{
	udp_flow_drop_waiting(flow);
	leave_state(flow);
	if (udp_engine.refused_count >= UDP_REFUSED_FLOWS)
		udp_flow_remove(UDP_OF(udp_engine.refused.next, struct udp_flow, by_state));
	flow->state = UDP_FLOW_REFUSED;
	flow->since = udp_engine.now;
	udp_list_insert(udp_engine.refused.previous, &flow->by_state);
	udp_engine.refused_count++;
}

void udp_flow_route(struct udp_flow *flow, struct udp_association *association)
{
	leave_state(flow);
	if (association->flow_count >= UDP_FLOWS_EACH)
		udp_flow_remove(UDP_OF(association->flows.previous, struct udp_flow, by_association));
	if (udp_engine.routed_count >= udp_engine.routed_limit)
		udp_flow_remove(UDP_OF(udp_engine.routed.previous, struct udp_flow, by_state));
	flow->state = UDP_FLOW_ROUTED;
	flow->association = association;
	flow->sent = ++udp_engine.send_count;
	udp_list_insert(&udp_engine.routed, &flow->by_state);
	udp_list_insert(&association->flows, &flow->by_association);
	if (flow->target.name_size)
		udp_list_insert(&association->names, &flow->by_name);
	add_by_peer(flow);
	association->flow_count++;
	udp_engine.routed_count++;
}

void udp_flow_use(struct udp_flow *flow)
{
	flow->sent = ++udp_engine.send_count;
	udp_list_to_front(&udp_engine.routed, &flow->by_state);
	udp_list_to_front(&flow->association->flows, &flow->by_association);
	if (flow->target.name_size)
		udp_list_to_front(&flow->association->names, &flow->by_name);
	udp_association_use(flow->association);
}

/* ---- the way back ------------------------------------------------------------------------------ */

static struct udp_flow *find_by_peer(struct udp_association *association, const struct udp_peer *peer)
{
	uint32_t peer_hash = hash_peer(association, peer);
	struct udp_flow *flow = udp_engine.by_peer[peer_hash & udp_engine.bucket_mask], *best = NULL;
	for (; flow; flow = flow->next_by_peer) {
		struct udp_peer own;
		if (flow->peer_hash != peer_hash || flow->association != association)
			continue;
		reply_peer(flow, &own);
		if (udp_same_peer(&own, peer) && (!best || flow->sent > best->sent))
			best = flow;
	}
	return best;
}

/* A name whose replies were heard from its address once, and now come from the name again. */
static struct udp_flow *find_by_name(struct udp_association *association, const struct udp_peer *peer)
{
	int looked = 0;
	for (struct udp_list *at = association->names.next; at != &association->names && looked < 64; at = at->next) {
		struct udp_flow *flow = UDP_OF(at, struct udp_flow, by_name);
		looked++;
		if (udp_same_peer(&flow->target, peer))
			return flow;
	}
	return NULL;
}

/*
 * Most servers answer for a name with the address that it has, which nothing but the port connects with what
 * was asked. Of the association's names with that port: the only one that was not heard from yet (the address
 * is kept for it then); else the one of those that was written to last; else, when all were heard from, the
 * only one there is (its server looks the name up again). No such name: NULL, a peer that was not written to.
 * To have no doubt at all, route names that share a port through associations of their own, as the engine does.
 */
static struct udp_flow *guess_name(struct udp_association *association, const struct udp_peer *peer)
{
	struct udp_flow *silent = NULL, *only = NULL;
	int looked = 0, silent_count = 0, count = 0;
	for (struct udp_list *at = association->names.next; at != &association->names && looked < 64; at = at->next) {
		struct udp_flow *flow = UDP_OF(at, struct udp_flow, by_name);
		looked++;
		if (memcmp(flow->target.addr.port, peer->addr.port, 2) != 0)
			continue;
		count++;
		only = flow;
		if (flow->is_heard)
			continue;
		silent_count++;
		if (!silent || flow->sent > silent->sent)
			silent = flow;
	}
	if (silent_count == 1) {
		remove_by_peer(silent);
		silent->is_heard = true;
		silent->heard = peer->addr;
		add_by_peer(silent);
	}
	if (silent)
		return silent;
	return count == 1 ? only : NULL;
}

struct udp_flow *udp_flow_from_peer(struct udp_association *association, const struct udp_peer *peer)
{
	struct udp_flow *flow = find_by_peer(association, peer);
	if (flow || association->names.next == &association->names)
		return flow;
	return peer->name_size ? find_by_name(association, peer) : guess_name(association, peer);
}

/* ---- forgetting -------------------------------------------------------------------------------- */

static void remove_of_lane(struct udp_list *head, uint32_t lane)
{
	struct udp_list *at = head->next;
	while (at != head) {
		struct udp_flow *flow = UDP_OF(at, struct udp_flow, by_state);
		at = at->next;
		if (flow->key.lane == lane)
			udp_flow_remove(flow);
	}
}

void udp_flows_of_lane_remove(uint32_t lane)
{
	remove_of_lane(&udp_engine.waiting, lane);
	remove_of_lane(&udp_engine.refused, lane);
}

static void expire(struct udp_list *head, int64_t before, _Atomic uint64_t *dropped)
{
	while (head->next != head) {
		struct udp_flow *flow = UDP_OF(head->next, struct udp_flow, by_state);
		if (flow->since > before)
			return;
		if (dropped)
			atomic_fetch_add(dropped, flow->waiting_count);
		udp_flow_remove(flow);
	}
}

void udp_flows_expire(void)
{
	expire(&udp_engine.waiting, udp_engine.now - UDP_WAITING_SECONDS, &udp_engine.drops.waiting_old);
	expire(&udp_engine.refused, udp_engine.now - UDP_REFUSED_SECONDS, NULL);
}
