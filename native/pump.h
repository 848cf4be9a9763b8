/*
 * What the files of the pump share: pump.c (threads and interface; read its theory of operation first),
 * pump_flow.c (how bytes move through one flow) and pump_pipe.c (the pool of pipes).
 */
#ifndef CULVERT_PUMP_H
#define CULVERT_PUMP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "internal.h"

/* Most that lies in the pipe of one direction: what a stopped reader costs beyond the socket buffers. */
#define PIPE_BYTES (256 * 1024)
/* Up to here bytes are copied: two system calls with a copy are quicker than three without. */
#define COPY_BYTES (16 * 1024)
/*
 * Pipes of all threads. A user who is not privileged has 16,384 pages of pipe buffers for all programs
 * (pipe(7), pipe-user-pages-soft), and ours are 64 pages each: half of that is left to the others.
 */
#define PIPES_MAX 128
#define THREADS_MAX 16
#ifndef CV_HALF_IDLE_SECONDS
#define CV_HALF_IDLE_SECONDS 60
#endif

/* Sides of a flow; also directions, by the side that they come from: way[APP] is up. */
enum { APP = 0, PROXY = 1 };

/* In which hands a flow is. Changes to and from LIVE happen under the lock of its thread's mailbox. */
enum { FLOW_FREE = 0, FLOW_LIVE, FLOW_ENDED };

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

struct flow {
	TAILQ_ENTRY(flow) ready_link;
	TAILQ_ENTRY(flow) half_link;
	STAILQ_ENTRY(flow) mail_link;
	STAILQ_ENTRY(flow) ended_link; /* also the list of free ones */
	struct pump_thread *thread;
	struct side side[2];
	struct way way[2];
	int64_t active_ms; /* last progress, kept for half-closed flows */
	uint32_t reason;   /* 0 until it ends */
	int32_t error;
	_Atomic int state;
	bool started; /* the thread has taken it over */
	bool in_ready;
	bool in_half;
	bool in_mail;
	bool abort_asked;
	bool release_asked;
	bool released; /* the app is gone: nothing is waited for that comes for it */
};

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
	unsigned char *scratch; /* COPY_BYTES */
	struct pipe_ends idle_pipes[PIPES_MAX];
	int idle_count;
	int pipe_count; /* idle and taken */
	int pipe_limit;
	int64_t pipe_retry_ms;
};

/* pump_pipe.c */
bool cv_pipe_at_hand(struct pump_thread *thread);
bool cv_pipe_take(struct pump_thread *thread, struct pipe_ends *out);
void cv_pipe_give_back(struct pump_thread *thread, struct pipe_ends *ends);
void cv_pipe_discard(struct pump_thread *thread, struct pipe_ends *ends);

/* pump_flow.c */
void cv_flow_start(struct pump_thread *thread, struct flow *flow, uint64_t app_data, uint64_t proxy_data);
void cv_flow_event(struct flow *flow, int side, uint32_t events);
void cv_flow_release(struct pump_thread *thread, struct flow *flow);
void cv_flow_run(struct pump_thread *thread, struct flow *flow);
void cv_flow_end(struct pump_thread *thread, struct flow *flow, uint32_t reason, int error);
bool cv_flow_is_silent(const struct pump_thread *thread, struct flow *flow);

#endif
