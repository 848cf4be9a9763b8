/*
 * Memory of the UDP relay: the lock, the lists, associations, waiting datagrams.
 *
 * Does: map everything once, and give out and take back the slots of associations and the pieces in which
 * datagrams wait.
 * Must not: allocate after the start, or let one lane take all pieces.
 *
 * A slot comes from a list of freed ones, else from memory never touched before: what is never used costs no
 * memory.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "udp.h"

struct udp_engine udp_engine;

/* `turn` keeps the thread from taking the lock again before one who waits: the lock itself is not fair. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER, tables = PTHREAD_MUTEX_INITIALIZER;

void udp_lock(void)
{
	pthread_mutex_lock(&turn);
	pthread_mutex_lock(&tables);
	pthread_mutex_unlock(&turn);
}

void udp_unlock(void)
{
	bool must_ring = udp_engine.must_ring;
	udp_engine.must_ring = false;
	pthread_mutex_unlock(&tables);
	if (must_ring)
		cv_ring(CV_RING_UDP);
}

void udp_tick(void)
{
	struct timespec now;
	/* Time asleep counts: after a suspend the server's side of an association is gone too. */
	clock_gettime(CLOCK_BOOTTIME, &now);
	udp_engine.now = now.tv_sec;
}

/* ---- lists ------------------------------------------------------------------------------------- */

void udp_list_init(struct udp_list *head)
{
	head->previous = head->next = head;
}

void udp_list_remove(struct udp_list *entry)
{
	entry->previous->next = entry->next;
	entry->next->previous = entry->previous;
	entry->previous = entry->next = entry;
}

void udp_list_insert(struct udp_list *after, struct udp_list *entry)
{
	entry->previous = after;
	entry->next = after->next;
	after->next->previous = entry;
	after->next = entry;
}

void udp_list_to_front(struct udp_list *head, struct udp_list *entry)
{
	if (head->next == entry)
		return;
	udp_list_remove(entry);
	udp_list_insert(head, entry);
}

/* ---- start ------------------------------------------------------------------------------------- */

static void *map(size_t count, size_t size)
{
	void *memory = mmap(NULL, count * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

int udp_table_start(uint32_t associations)
{
	struct udp_engine *engine = &udp_engine;
	uint32_t buckets = 1;
	engine->association_limit = associations;
	/* As many again may have ended and wait for Node to hear of it. */
	engine->association_slots = 2 * associations;
	engine->routed_limit = associations < 512 ? 8192 : 16 * associations;
	engine->flow_slots = engine->routed_limit + UDP_WAITING_FLOWS + UDP_REFUSED_FLOWS;
	while (buckets < engine->flow_slots)
		buckets *= 2;
	engine->bucket_mask = buckets - 1;
	engine->associations = map(engine->association_slots + 1, sizeof *engine->associations);
	engine->layers = map(engine->association_slots + 1, sizeof *engine->layers);
	engine->flows = map(engine->flow_slots, sizeof *engine->flows);
	engine->by_key = map(buckets, sizeof *engine->by_key);
	engine->by_peer = map(buckets, sizeof *engine->by_peer);
	engine->pieces = map(UDP_PIECES, sizeof *engine->pieces);
	if (!engine->associations || !engine->layers || !engine->flows || !engine->by_key || !engine->by_peer || !engine->pieces)
		return -ENOMEM;
	if (getrandom(engine->seed, sizeof engine->seed, 0) != sizeof engine->seed)
		return -errno;
	udp_list_init(&engine->live);
	udp_list_init(&engine->ended);
	udp_list_init(&engine->waiting);
	udp_list_init(&engine->refused);
	udp_list_init(&engine->routed);
	udp_tick();
	return 0;
}

/* ---- associations ------------------------------------------------------------------------------ */

struct udp_association *udp_association_at(uint32_t number)
{
	struct udp_association *association;
	if (number == 0 || number > udp_engine.association_slots)
		return NULL;
	association = &udp_engine.associations[number];
	return association->state == UDP_FREE ? NULL : association;
}

uint32_t udp_association_number(const struct udp_association *association)
{
	return (uint32_t)(association - udp_engine.associations);
}

struct udp_association *udp_association_take(void)
{
	struct udp_association *association = udp_engine.free_associations;
	uint32_t generation;
	if (association)
		udp_engine.free_associations = association->next_free;
	else if (udp_engine.association_fresh < udp_engine.association_slots)
		association = &udp_engine.associations[++udp_engine.association_fresh];
	else
		return NULL;
	generation = association->generation + 1;
	memset(association, 0, sizeof *association);
	association->generation = generation;
	association->state = UDP_LIVE;
	association->fd = -1;
	association->segment_max = UINT32_MAX;
	association->last_used = udp_engine.now;
	udp_list_init(&association->flows);
	udp_list_init(&association->names);
	udp_list_insert(&udp_engine.live, &association->by_use);
	udp_engine.association_count++;
	return association;
}

void udp_association_use(struct udp_association *association)
{
	association->last_used = udp_engine.now;
	udp_list_to_front(&udp_engine.live, &association->by_use);
}

void udp_association_end(struct udp_association *association, bool is_told)
{
	while (association->flows.next != &association->flows)
		udp_flow_remove(UDP_OF(association->flows.next, struct udp_flow, by_association));
	udp_list_remove(&association->by_use);
	udp_engine.association_count--;
	association->state = UDP_ENDED;
	udp_list_insert(udp_engine.ended.previous, &association->by_use);
	atomic_fetch_add(&udp_engine.ended_count, 1);
	if (!is_told)
		udp_association_free(association);
}

void udp_association_free(struct udp_association *association)
{
	udp_list_remove(&association->by_use);
	atomic_fetch_sub(&udp_engine.ended_count, 1);
	association->state = UDP_FREE;
	association->next_free = udp_engine.free_associations;
	udp_engine.free_associations = association;
}

/* ---- waiting datagrams ------------------------------------------------------------------------- */

static struct udp_piece *take_piece(void)
{
	struct udp_piece *piece = udp_engine.free_pieces;
	if (piece)
		udp_engine.free_pieces = piece->more;
	else if (udp_engine.piece_fresh < UDP_PIECES)
		piece = &udp_engine.pieces[udp_engine.piece_fresh++];
	return piece;
}

static void free_datagram(struct udp_lane *lane, struct udp_piece *first)
{
	while (first) {
		struct udp_piece *more = first->more;
		first->more = udp_engine.free_pieces;
		udp_engine.free_pieces = first;
		lane->waiting_pieces--;
		first = more;
	}
}

/* A datagram in pieces, or NULL when there is no room; an empty one has one piece as well. */
static struct udp_piece *store_datagram(struct udp_lane *lane, const uint8_t *bytes, uint32_t size)
{
	struct udp_piece *first = NULL, **end = &first;
	uint32_t at = 0;
	do {
		struct udp_piece *piece = lane->waiting_pieces < UDP_PIECES / 2 ? take_piece() : NULL;
		if (!piece) {
			free_datagram(lane, first);
			return NULL;
		}
		lane->waiting_pieces++;
		piece->more = NULL;
		piece->used = size - at < sizeof piece->bytes ? size - at : (uint32_t)sizeof piece->bytes;
		memcpy(piece->bytes, bytes + at, piece->used);
		at += piece->used;
		*end = piece;
		end = &piece->more;
	} while (at < size);
	first->next_datagram = NULL;
	first->total = size;
	return first;
}

void udp_flow_wait(struct udp_flow *flow, const uint8_t *bytes, uint32_t size)
{
	struct udp_piece *datagram = NULL;
	flow->last_size = size;
	if (flow->waiting_count < UDP_WAITING_DATAGRAMS && flow->waiting_bytes + size <= UDP_WAITING_BYTES)
		datagram = store_datagram(&udp_engine.lanes[flow->key.lane], bytes, size);
	if (!datagram) {
		udp_count_drop(&udp_engine.drops.waiting_full);
		return;
	}
	if (flow->waiting_last)
		flow->waiting_last->next_datagram = datagram;
	else
		flow->waiting_first = datagram;
	flow->waiting_last = datagram;
	flow->waiting_count++;
	flow->waiting_bytes += size;
}

void udp_flow_drop_waiting(struct udp_flow *flow)
{
	while (flow->waiting_first) {
		struct udp_piece *datagram = flow->waiting_first;
		flow->waiting_first = datagram->next_datagram;
		free_datagram(&udp_engine.lanes[flow->key.lane], datagram);
	}
	flow->waiting_last = NULL;
	flow->waiting_count = 0;
	flow->waiting_bytes = 0;
}
