/*
 * What the files of the pump share: pump.c (threads; read its theory of operation first), pump_slot.c (flows as
 * Node sees them), pump_accept.c, pump_route.c, pump_decide.c and pump_dial.c (how a flow begins), pump_flow.c (how
 * bytes move through it) and pump_pipe.c (the pool of pipes).
 */
#ifndef CULVERT_PUMP_H
#define CULVERT_PUMP_H

#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "internal.h"

/*
 * Most that lies in the pipe of one direction: what a stopped reader costs beyond the socket buffers. Large ones take
 * more only on its way to a socket that has the room for it.
 */
#define PIPE_BYTES (256 * 1024)
#define LARGE_PIPE_BYTES (1024 * 1024)
/* Up to here bytes are copied: two system calls with a copy are quicker than three without. */
#define COPY_BYTES (16 * 1024)
/*
 * Pipes of all threads, and how many of them are large. A user who is not privileged has 16,384 pages of pipe
 * buffers for all programs (pipe(7), pipe-user-pages-soft), and ours are 64 or 256 pages each: half of that is
 * left to the others.
 */
#define PIPES_MAX 80
#define LARGE_PIPES_MAX 16
#define THREADS_MAX 16
#ifndef CV_HALF_IDLE_SECONDS
#define CV_HALF_IDLE_SECONDS 60
#endif

/* RFC 1929 section 2: two bytes and two strings of at most 255, each with its length. */
#define CV_SIGN_IN_MAX 513
/* RFC 1928 sections 4 and 6: four bytes, a name with its length, a port. */
#define CV_REQUEST_MAX 262
/* Most that Node waits for news that do not matter at once. */
#define NEWS_MS 5
/* epoll data: flows have twice their number, plus one for the proxy's side; the others have the bit LISTENER. */
#define MAIL UINT64_MAX
#define LISTENER (UINT64_C(1) << 62)

/* Sides of a flow; also directions, by the side that they come from: way[APP] is up. */
enum { APP = 0, PROXY = 1 };

/*
 * In which hands a flow is: HELD is accepted and Node's to decide about. Changes to and from LIVE happen under the
 * lock of its thread's mailbox.
 */
enum { FLOW_FREE = 0, FLOW_HELD, FLOW_LIVE, FLOW_ENDED };

struct pipe_ends {
	int read_fd; /* -1: none */
	int write_fd;
};

struct side {
	int fd;
	bool readable; /* not yet seen to be empty since the last event */
	bool writable; /* not yet seen to be full since the last event */
	/* A short read is no proof that nothing is left: an end, an error or urgent data was announced. */
	bool exact;
	bool is_unix;
};

struct way {
	_Atomic uint64_t bytes; /* delivered */
	unsigned char *early;   /* to be delivered before anything else; NULL: none */
	uint32_t early_size;
	uint32_t early_sent;
	struct pipe_ends pipe;
	uint32_t in_pipe;
	uint64_t moved; /* in the present run */
	bool fat;       /* comes in amounts that are worth a pipe */
	bool spliceless;
	bool source_ended;
	bool done; /* the end has been forwarded */
};

/* How to connect through a proxy. */
struct route {
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} proxy;
	char device[IFNAMSIZ]; /* empty: by the routes */
	uint32_t timeout_ms;
	uint32_t sign_in_size;
	uint32_t request_size;
	unsigned char sign_in[CV_SIGN_IN_MAX];
	unsigned char request[CV_REQUEST_MAX];
};

/* A flow that is being dialled, from cv_pump_dial until Node's list has its outcome. */
struct dial {
	TAILQ_ENTRY(dial) link; /* by deadline, in the thread's list */
	struct dial *next_free;
	struct flow *flow;
	int64_t began_ms;
	int64_t deadline_ms;
	const unsigned char *out; /* what is being sent */
	uint32_t out_left;
	uint32_t have; /* of the present answer */
	uint32_t need;
	bool listed;
	struct route route;
	unsigned char answer[CV_REQUEST_MAX + 1];
};

struct flow {
	TAILQ_ENTRY(flow) ready_link;
	TAILQ_ENTRY(flow) half_link;
	STAILQ_ENTRY(flow) mail_link;
	STAILQ_ENTRY(flow) ended_link; /* also the list of free ones */
	STAILQ_ENTRY(flow) news_link;
	uint32_t news; /* CV_FLOW_…, what Node is to be told; under the lock of the slots */
	bool untold;   /* Node has not heard of it yet; under the same lock */
	struct pump_thread *thread;
	struct dial *dial; /* NULL: it has both sides */
	uint32_t dial_ms;
	int64_t opened_ms;               /* both sides are there */
	_Atomic uint32_t first_byte_ms; /* from then to the first byte for the app, plus one; 0: none yet */
	uint8_t dial_stage;
	uint8_t answer_at;
	uint8_t answer_value;
	uint16_t source_port;
	uint32_t listener;
	struct cv_addr destination;
	struct side side[2];
	struct way way[2];
	int64_t active_ms; /* last progress, kept for half-closed flows */
	uint32_t reason;   /* 0 until it ends */
	int32_t error;
	_Atomic int state;
	int app_error;   /* what cv_pump_peek met; under the lock of the thread's mailbox once it has one */
	bool is_dialled; /* the app's socket may be looked at by Node; under the lock of its thread's mailbox */
	bool started;    /* the thread has taken it over */
	bool in_ready;
	bool in_half;
	bool in_mail;
	bool abort_asked;
	bool release_asked;
	bool released; /* the app is gone: nothing is waited for that comes for it */
};

TAILQ_HEAD(dial_list, dial);
TAILQ_HEAD(flow_queue, flow);
STAILQ_HEAD(flow_list, flow);

struct pump_thread {
	_Alignas(64) int epoll_fd;
	int mail_fd; /* eventfd */
	_Atomic int load;
	pthread_mutex_t mail_lock;
	struct flow_list mail;
	/* From here on the thread's own. */
	struct flow_list ended;
	struct flow_queue ready;
	int ready_count;
	struct flow_queue half;
	int64_t now_ms;
	int64_t half_checked_ms;
	struct dial_list dials;
	int64_t ring_due_ms;   /* 0: nothing to tell */
	int64_t accept_due_ms; /* 0: nothing kept it from accepting */
	unsigned char *scratch; /* COPY_BYTES */
	struct pipe_ends idle_pipes[PIPES_MAX];
	int idle_count;
	int pipe_count; /* idle and taken */
	int pipe_limit;
	int large_pipe_limit;
	int64_t pipe_retry_ms;
	struct cv_wait wait;
	bool was_spliced; /* large amounts have moved since others had the processor */
};

/* pump_pipe.c */
bool cv_pipe_at_hand(struct pump_thread *thread);
bool cv_pipe_take(struct pump_thread *thread, struct pipe_ends *out);
void cv_pipe_give_back(struct pump_thread *thread, struct pipe_ends *ends);
void cv_pipe_discard(struct pump_thread *thread, struct pipe_ends *ends);

/* pump.c */
bool cv_mail_put(struct pump_thread *thread, struct flow *flow);
void cv_mail_wake(struct pump_thread *thread);
struct pump_thread *cv_thread_with_fewest(void);
void cv_ring_soon(struct pump_thread *thread);

/* pump_slot.c */
int cv_slots_open(int wanted_flows);
struct flow *cv_slot_take(void);
void cv_slot_return(struct flow *flow);
struct flow *cv_flow_at(uint64_t event_data);
uint64_t cv_event_data(const struct flow *flow, int side);
int cv_slot_number(const struct flow *flow);
struct flow *cv_slot_at(int number);
struct flow *cv_slot_held(int number);
struct dial *cv_dial_take(void);
void cv_slot_live(struct flow *flow, struct pump_thread *thread);
void cv_news_accepted(struct flow *flow);
void cv_news_dialling(struct flow *flow);
void cv_news_opened(struct flow *flow);
void cv_news_ended(struct flow_list *ended);
bool cv_news_waits(void);

/* pump_decide.c */
int cv_socket_options(int fd);
void cv_socket_keep_alive(int fd);
bool cv_proxy_is_cut(const struct flow *flow);
void cv_dial_prepare(struct flow *flow, const struct route *route);

/* pump_accept.c */
void cv_accept(struct pump_thread *thread, uint32_t number);
void cv_accept_again(struct pump_thread *thread);

/* pump_route.c */
void cv_route_remember(const struct flow *flow, const struct route *route, uint32_t again_ms);
bool cv_route_find(const struct flow *flow, int64_t now_ms, struct route *out);
void cv_route_forget(uint32_t listener);

/* pump_dial.c */
void cv_dial_start(struct pump_thread *thread, struct flow *flow);
void cv_dial_event(struct pump_thread *thread, struct flow *flow, int side, uint32_t events);
void cv_dial_over(struct pump_thread *thread, struct flow *flow, uint32_t reason, int error);
void cv_dial_forget(struct pump_thread *thread, struct flow *flow);
void cv_dial_expire(struct pump_thread *thread);

/* pump_flow.c */
int cv_flow_watch(struct pump_thread *thread, struct flow *flow, int side);
void cv_flow_start(struct pump_thread *thread, struct flow *flow);
void cv_flow_event(struct flow *flow, int side, uint32_t events);
void cv_flow_release(struct pump_thread *thread, struct flow *flow);
void cv_flow_run(struct pump_thread *thread, struct flow *flow);
void cv_flow_end(struct pump_thread *thread, struct flow *flow, uint32_t reason, int error);
bool cv_flow_is_silent(const struct pump_thread *thread, struct flow *flow);

#endif
