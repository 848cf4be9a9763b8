/*
 * The queue of events towards Node: 1 MiB of records, one writer (the relay's thread), one reader (Node's).
 *
 * Does: keep unknown pairs and DNS datagrams in order until Node takes them.
 * Must not: block or grow. When it is full the writer is told: a DNS client asks again, an unknown pair is
 * told with its next datagram or at the next second, and the end of an association never comes this way
 * (cv_udp_poll takes those from the table, where each one has its place).
 *
 * head and tail count bytes and never wrap back to 0 together with the memory: their difference is what is
 * queued. A record does not cross the end of the memory: a record of size 0 says that the rest is empty.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "udp.h"

#define QUEUE_SIZE (1u << 20)

struct record {
	uint32_t size; /* of the whole, a multiple of 8 */
	uint32_t generation;
	struct cv_udp_event event;
};

_Static_assert(sizeof(struct record) % 8 == 0, "records stay aligned");

static uint8_t *queue;
static _Atomic uint32_t head, tail;

int udp_event_start(void)
{
	void *memory = mmap(NULL, QUEUE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	queue = memory;
	return 0;
}

bool udp_event_put(const struct cv_udp_event *event, const uint8_t *payload, uint32_t generation)
{
	uint32_t at = atomic_load_explicit(&head, memory_order_relaxed);
	uint32_t room = QUEUE_SIZE - (at - atomic_load_explicit(&tail, memory_order_acquire));
	uint32_t size = (uint32_t)(sizeof(struct record) + event->size + 7) & ~7u;
	uint32_t to_end = QUEUE_SIZE - at % QUEUE_SIZE;
	struct record record = {.size = size, .generation = generation, .event = *event};
	if (size + (size > to_end ? to_end : 0) > room)
		return false;
	if (size > to_end) {
		memset(queue + at % QUEUE_SIZE, 0, sizeof(uint32_t));
		at += to_end;
	}
	memcpy(queue + at % QUEUE_SIZE, &record, sizeof record);
	if (event->size)
		memcpy(queue + at % QUEUE_SIZE + sizeof record, payload, event->size);
	atomic_store_explicit(&head, at + size, memory_order_release);
	return true;
}

int udp_event_take(void *out, uint32_t room)
{
	uint32_t at = atomic_load_explicit(&tail, memory_order_relaxed);
	uint32_t end = atomic_load_explicit(&head, memory_order_acquire);
	int taken = 0;
	while (taken == 0 && at != end) {
		const uint8_t *place = queue + at % QUEUE_SIZE;
		struct record record;
		memcpy(&record.size, place, sizeof record.size);
		if (record.size == 0) {
			at += QUEUE_SIZE - at % QUEUE_SIZE;
			continue;
		}
		memcpy(&record, place, sizeof record);
		at += record.size;
		/* Lanes are added and removed by this thread only, so this needs no lock. */
		const struct udp_lane *lane = &udp_engine.lanes[record.event.lane];
		if (!lane->is_used || lane->generation != record.generation)
			continue;
		if (room < sizeof record.event + record.event.size)
			return -EMSGSIZE;
		memcpy(out, &record.event, sizeof record.event);
		memcpy((uint8_t *)out + sizeof record.event, place + sizeof record, record.event.size);
		taken = (int)(sizeof record.event + record.event.size);
	}
	atomic_store_explicit(&tail, at, memory_order_release);
	return taken;
}
