/*
 * Flows as Node sees them: numbers, from the first word about one until its end has been told.
 *
 * *Does*: give slots out and take them back, hand flows to their threads, and keep the news for Node.
 * *Must not*: touch a live flow beyond its mailbox and its counters.
 *
 * A flow is at most once in the list of news. What is told of it is its newest state: an opening that nobody has
 * collected yet becomes part of the end. The slots' lock guards the lists, and a flow's `news`.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pump.h"

#define EARLY_MAX (64 * 1024)
#define FLOWS_MAX (1 << 20)
#define KEEPALIVE_SECONDS 60

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

/* A flow that waits for Node's decision, or NULL. */
static struct flow *slot_held(int flow)
{
	if (flow < 0 || flow >= flow_count || atomic_load(&flows[flow].state) != FLOW_HELD)
		return NULL;
	return &flows[flow];
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
static struct dial *dial_take(void)
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

/* The options of a socket in a flow, and of a listener, from which accepted sockets have them. */
int cv_socket_options(int fd)
{
	static const struct linger resetting = {.l_onoff = 1, .l_linger = 0};

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &resetting, sizeof resetting) < 0)
		return -errno;
	/* Not for Unix sockets, which refuse them. Urgent bytes stay in the stream instead of getting lost. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	(void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &(int){1}, sizeof(int));
	return 0;
}

/* For the proxy's side, which may be far away and vanish without a word. */
void cv_socket_keep_alive(int fd)
{
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){KEEPALIVE_SECONDS}, sizeof(int));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){KEEPALIVE_SECONDS / 4}, sizeof(int));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){4}, sizeof(int));
}

/* A duplicate of a socket with the options that it has in a flow. */
static int socket_adopt(int fd, int side)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int flags = copy < 0 ? -1 : fcntl(copy, F_GETFL);
	int result;

	if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(copy, F_SETFL, flags | O_NONBLOCK) < 0))
		result = -errno;
	else
		result = cv_socket_options(copy);
	if (result == 0 && side == PROXY)
		cv_socket_keep_alive(copy);
	if (result < 0 && copy >= 0)
		close(copy);
	return result < 0 ? result : copy;
}

static int early_keep(struct way *way, const void *bytes, uint32_t size)
{
	if (size == 0)
		return 0;
	way->early = malloc(size);
	if (!way->early)
		return -ENOMEM;
	memcpy(way->early, bytes, size);
	way->early_size = size;
	return 0;
}

/* Gives a side its socket and what was read from it before; after a failure it has neither. */
static int side_fill(struct flow *flow, int side, int fd, const void *early, uint32_t size)
{
	struct way *way = &flow->way[side];
	int result = early_keep(way, early, size);

	if (result == 0)
		result = flow->side[side].fd = socket_adopt(fd, side);
	if (result >= 0)
		return 0;
	flow->side[side].fd = -1;
	free(way->early);
	way->early = NULL;
	return result;
}

/*
 * See culvert.h. Early bytes are counted like all others, when they are delivered. -ENOSPC when every slot is
 * taken; after any failure the sockets are still the caller's alone, though SO_LINGER may be set.
 */
int cv_pump_add(int app, int proxy, const void *to_app, uint32_t to_app_size, const void *to_proxy,
                uint32_t to_proxy_size)
{
	struct pump_thread *thread = cv_thread_with_fewest();
	struct flow *flow;
	int result;

	if (!thread)
		return -ENOTCONN;
	if (to_app_size > EARLY_MAX || to_proxy_size > EARLY_MAX)
		return -EMSGSIZE;
	flow = cv_slot_take();
	if (!flow)
		return -ENOSPC;
	result = side_fill(flow, APP, app, to_proxy, to_proxy_size);
	if (result == 0)
		result = side_fill(flow, PROXY, proxy, to_app, to_app_size);
	if (result < 0) {
		if (flow->side[APP].fd >= 0)
			close(flow->side[APP].fd);
		free(flow->way[APP].early);
		cv_slot_return(flow);
		return result;
	}
	cv_slot_live(flow, thread);
	return (int)(flow - flows);
}

int cv_pump_join(int flow, int proxy, const void *to_app, uint32_t to_app_size)
{
	struct flow *one = slot_held(flow);
	int result;

	if (!one)
		return -ENOENT;
	if (to_app_size > EARLY_MAX)
		return -EMSGSIZE;
	result = side_fill(one, PROXY, proxy, to_app, to_app_size);
	if (result == 0)
		cv_slot_live(one, cv_thread_with_fewest());
	return result;
}

static void route_to(struct route *route, const struct cv_addr *proxy)
{
	struct in6_addr ip;

	memcpy(&ip, proxy->ip, sizeof ip);
	if (IN6_IS_ADDR_V4MAPPED(&ip)) {
		route->proxy.four.sin_family = AF_INET;
		memcpy(&route->proxy.four.sin_addr, proxy->ip + 12, 4);
		memcpy(&route->proxy.four.sin_port, proxy->port, 2);
	} else {
		route->proxy.six.sin6_family = AF_INET6;
		route->proxy.six.sin6_addr = ip;
		memcpy(&route->proxy.six.sin6_port, proxy->port, 2);
	}
}

/* Gives a flow what its dial needs; the time runs from here. */
void cv_dial_prepare(struct flow *flow, const struct route *route)
{
	struct dial *dial = dial_take();

	*dial = (struct dial){.flow = flow, .began_ms = cv_monotonic_ms(), .route = *route};
	dial->deadline_ms = dial->began_ms + route->timeout_ms;
	flow->dial = dial;
}

int cv_pump_dial(int flow, const struct cv_addr *proxy, const void *sign_in, uint32_t sign_in_size,
                 const void *request, uint32_t request_size, uint32_t timeout_ms, uint32_t again_ms)
{
	struct flow *one = slot_held(flow);
	struct route route = {.timeout_ms = timeout_ms, .sign_in_size = sign_in_size, .request_size = request_size};

	if (!one)
		return -ENOENT;
	if (sign_in_size > CV_SIGN_IN_MAX || request_size == 0 || request_size > CV_REQUEST_MAX)
		return -EMSGSIZE;
	route_to(&route, proxy);
	if (sign_in_size > 0)
		memcpy(route.sign_in, sign_in, sign_in_size);
	memcpy(route.request, request, request_size);
	cv_dial_prepare(one, &route);
	if (again_ms > 0)
		cv_route_remember(one, &route, again_ms);
	cv_slot_live(one, cv_thread_with_fewest());
	return 0;
}

int cv_pump_take(int flow)
{
	static const struct linger orderly = {.l_onoff = 0, .l_linger = 0};
	struct flow *one = slot_held(flow);
	int fd;

	if (!one)
		return -ENOENT;
	fd = one->side[APP].fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &orderly, sizeof orderly);
	cv_slot_return(one);
	return fd;
}

/* Writes to a flow's thread. 0 also when the flow has just ended; -ENOENT when the slot is free. */
static int flow_tell(int flow, bool is_abort)
{
	struct flow *one = &flows[flow < 0 || flow >= flow_count ? 0 : flow];
	struct pump_thread *thread;
	bool is_first = false;
	int state;

	if (flow < 0 || flow >= flow_count)
		return -EINVAL;
	state = atomic_load(&one->state);
	if (state == FLOW_FREE || state == FLOW_HELD)
		return -ENOENT;
	thread = one->thread;
	pthread_mutex_lock(&thread->mail_lock);
	if (atomic_load(&one->state) == FLOW_LIVE) {
		one->abort_asked |= is_abort;
		one->release_asked |= !is_abort;
		is_first = cv_mail_put(thread, one);
	}
	pthread_mutex_unlock(&thread->mail_lock);
	if (is_first)
		cv_mail_wake(thread);
	return 0;
}

int cv_pump_abort(int flow)
{
	struct flow *held = slot_held(flow);

	if (!held)
		return flow_tell(flow, true);
	/* SO_LINGER makes it a reset. */
	close(held->side[APP].fd);
	cv_slot_return(held);
	return 0;
}

int cv_pump_release(int flow)
{
	return flow_tell(flow, false);
}

int cv_pump_counters(int first, int count, uint64_t *out)
{
	if (first < 0 || count < 0 || count > flow_count || first > flow_count - count)
		return -EINVAL;
	for (int i = 0; i < count; i++) {
		struct flow *flow = &flows[first + i];

		out[2 * i] = atomic_load_explicit(&flow->way[APP].bytes, memory_order_relaxed);
		out[2 * i + 1] = atomic_load_explicit(&flow->way[PROXY].bytes, memory_order_relaxed);
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
