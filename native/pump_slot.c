/*
 * Flows as Node sees them: numbers, from the first word about one until its end has been told.
 *
 * *Does*: give slots out and take them back, hand flows to their threads, and keep the news for Node.
 * *Must not*: touch a live flow beyond its mailbox and its counters, or know what a flow is for (pump_decide.c).
 *
 * A flow is at most once in the list of news. What is told of it is its newest state: an opening that nobody has
 * collected yet becomes part of the end. The slots' lock guards the lists, and a flow's `news`.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "pump.h"

#define FLOWS_MAX (1 << 20)

static struct flow *flows;
static int flow_count;
static struct dial *dials;
static int dials_used;
static struct dial *free_dials;
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;
static struct flow_list free_slots = STAILQ_HEAD_INITIALIZER(free_slots);
static struct flow_list news = STAILQ_HEAD_INITIALIZER(news);

static void *slab_open(size_t size)
{
	void *slab = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return slab == MAP_FAILED ? NULL : slab;
}

/* Makes the slots. -EALREADY the second time. */
int cv_slots_open(int wanted_flows)
{
	if (wanted_flows < 1 || wanted_flows > FLOWS_MAX)
		return -EINVAL;
	if (flows)
		return -EALREADY;
	dials = slab_open(sizeof *dials * (size_t)wanted_flows);
	flows = slab_open(sizeof *flows * (size_t)wanted_flows);
	if (!dials || !flows)
		return -ENOMEM;
	flow_count = wanted_flows;
	for (int i = 0; i < wanted_flows; i++)
		STAILQ_INSERT_TAIL(&free_slots, &flows[i], ended_link);
	return 0;
}

uint64_t cv_event_data(const struct flow *flow, int side)
{
	return (uint64_t)(flow - flows) * 2 + (uint64_t)side;
}

struct flow *cv_flow_at(uint64_t event_data)
{
	return &flows[event_data / 2];
}

/* A flow without sockets and without a thread; NULL when all are taken. */
struct flow *cv_slot_take(void)
{
	struct flow *flow;

	pthread_mutex_lock(&slots_lock);
	flow = STAILQ_FIRST(&free_slots);
	if (flow)
		STAILQ_REMOVE_HEAD(&free_slots, ended_link);
	pthread_mutex_unlock(&slots_lock);
	if (!flow)
		return NULL;
	for (int i = APP; i <= PROXY; i++)
		flow->side[i].fd = flow->way[i].pipe.read_fd = flow->way[i].pipe.write_fd = -1;
	flow->dial_ms = UINT32_MAX;
	return flow;
}

/* The slot is free again; the lock is held. The least recently used is given out first. */
static void slot_free(struct flow *flow)
{
	memset(flow, 0, sizeof *flow);
	STAILQ_INSERT_TAIL(&free_slots, flow, ended_link);
}

/* For flows that were never live. */
void cv_slot_return(struct flow *flow)
{
	pthread_mutex_lock(&slots_lock);
	slot_free(flow);
	pthread_mutex_unlock(&slots_lock);
}

int cv_slot_number(const struct flow *flow)
{
	return (int)(flow - flows);
}

/* The flow of a number, free or not; NULL when there is no such number. */
struct flow *cv_slot_at(int number)
{
	return number < 0 || number >= flow_count ? NULL : &flows[number];
}

/* A flow that waits for Node's decision, or NULL. */
struct flow *cv_slot_held(int number)
{
	struct flow *flow = cv_slot_at(number);

	return flow && atomic_load(&flow->state) == FLOW_HELD ? flow : NULL;
}

/* Gives a complete flow to a thread. */
void cv_slot_live(struct flow *flow, struct pump_thread *thread)
{
	bool is_first;

	flow->thread = thread;
	atomic_fetch_add(&thread->load, 1);
	pthread_mutex_lock(&thread->mail_lock);
	atomic_store(&flow->state, FLOW_LIVE);
	is_first = cv_mail_put(thread, flow);
	pthread_mutex_unlock(&thread->mail_lock);
	if (is_first)
		cv_mail_wake(thread);
}

/* Those that were used before come first, so that few pages are ever touched. There are as many as flows. */
struct dial *cv_dial_take(void)
{
	struct dial *dial;

	pthread_mutex_lock(&slots_lock);
	dial = free_dials;
	if (dial)
		free_dials = dial->next_free;
	else
		dial = &dials[dials_used++];
	pthread_mutex_unlock(&slots_lock);
	return dial;
}

/* The lock is held. What it held may be a password. */
static void dial_free(struct flow *flow)
{
	struct dial *dial = flow->dial;

	if (!dial)
		return;
	explicit_bzero(dial, sizeof *dial);
	dial->next_free = free_dials;
	free_dials = dial;
	flow->dial = NULL;
}

/* The lock is held. */
static void news_put(struct flow *flow, uint32_t kind)
{
	if (flow->news == 0)
		STAILQ_INSERT_TAIL(&news, flow, news_link);
	flow->news = kind;
}

void cv_news_accepted(struct flow *flow)
{
	pthread_mutex_lock(&slots_lock);
	atomic_store(&flow->state, FLOW_HELD);
	flow->untold = true;
	news_put(flow, CV_FLOW_ACCEPTED);
	pthread_mutex_unlock(&slots_lock);
}

/* To be called before its dial begins, whose outcome is newer. */
void cv_news_dialling(struct flow *flow)
{
	pthread_mutex_lock(&slots_lock);
	flow->untold = true;
	news_put(flow, CV_FLOW_DIALLING);
	pthread_mutex_unlock(&slots_lock);
}

/* The dial is over and needs no room any more. */
void cv_news_opened(struct flow *flow)
{
	pthread_mutex_lock(&slots_lock);
	dial_free(flow);
	news_put(flow, CV_FLOW_OPENED);
	pthread_mutex_unlock(&slots_lock);
	cv_ring_soon(flow->thread);
}

/* Empties the list; the flows are not to be touched afterwards. */
void cv_news_ended(struct flow_list *ended)
{
	struct flow *flow;

	pthread_mutex_lock(&slots_lock);
	STAILQ_FOREACH(flow, ended, ended_link)
	{
		dial_free(flow);
		news_put(flow, CV_FLOW_ENDED);
	}
	pthread_mutex_unlock(&slots_lock);
	STAILQ_INIT(ended);
}

bool cv_news_waits(void)
{
	bool waits;

	pthread_mutex_lock(&slots_lock);
	waits = !STAILQ_EMPTY(&news);
	pthread_mutex_unlock(&slots_lock);
	return waits;
}

int cv_pump_counters(int first, int count, uint64_t *out)
{
	if (first < 0 || count < 0 || count > flow_count || first > flow_count - count)
		return -EINVAL;
	for (int i = 0; i < count; i++) {
		struct flow *flow = &flows[first + i];

		out[3 * i] = atomic_load_explicit(&flow->way[APP].bytes, memory_order_relaxed);
		out[3 * i + 1] = atomic_load_explicit(&flow->way[PROXY].bytes, memory_order_relaxed);
		out[3 * i + 2] = atomic_load_explicit(&flow->first_byte_ms, memory_order_relaxed);
	}
	return 0;
}

/* The lock is held, and the thread is done with a flow whose end is told; of any other only what stays is read. */
static struct cv_flow_event event_of(struct flow *flow)
{
	struct cv_flow_event event = {
		.kind = flow->news,
		.flow = (uint32_t)(flow - flows),
		.dial_ms = flow->dial_ms,
		.is_new = flow->untold,
	};

	if (flow->untold) {
		event.listener = flow->listener;
		event.source_port = flow->source_port;
		event.destination = flow->destination;
	}
	if (flow->news == CV_FLOW_ENDED) {
		event.reason = flow->reason;
		event.error = flow->error;
		event.stage = flow->dial_stage;
		event.at = flow->answer_at;
		event.value = flow->answer_value;
		event.bytes_up = atomic_load_explicit(&flow->way[APP].bytes, memory_order_relaxed);
		event.bytes_down = atomic_load_explicit(&flow->way[PROXY].bytes, memory_order_relaxed);
		event.first_byte_ms = atomic_load_explicit(&flow->first_byte_ms, memory_order_relaxed);
	}
	return event;
}

/* When more are left, the doorbell rings again. */
int cv_pump_reap(struct cv_flow_event *out, int max)
{
	struct flow *flow;
	bool has_more;
	int count = 0;

	cv_ring_clear(CV_RING_PUMP);
	pthread_mutex_lock(&slots_lock);
	while (count < max && (flow = STAILQ_FIRST(&news))) {
		STAILQ_REMOVE_HEAD(&news, news_link);
		out[count++] = event_of(flow);
		flow->untold = false;
		if (flow->news == CV_FLOW_ENDED)
			slot_free(flow);
		else
			flow->news = 0;
	}
	has_more = !STAILQ_EMPTY(&news);
	pthread_mutex_unlock(&slots_lock);
	if (has_more)
		cv_ring(CV_RING_PUMP);
	return count;
}
