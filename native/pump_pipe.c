/*
 * The pipes of a pump thread: made when first needed, taken while bytes are in flight, kept for the next one.
 *
 * *Does*: keep the number of pipes, and so of descriptors and kernel pages, below a limit.
 * *Must not*: hand out a pipe that holds bytes of another flow, or fail a flow: "none at hand" is an answer, and
 * the caller then moves its bytes without a pipe.
 */
#include <fcntl.h>
#include <unistd.h>

#include "pump.h"

/* After a refusal (EMFILE, ENFILE, the user's limit of pipe pages) the kernel is not asked again at once. */
#define RETRY_MS 100

static bool pipe_make(struct pump_thread *thread, struct pipe_ends *out)
{
	int bytes = thread->pipe_count < thread->large_pipe_limit ? LARGE_PIPE_BYTES : PIPE_BYTES;
	int fds[2];

	if (thread->pipe_count >= thread->pipe_limit || thread->now_ms < thread->pipe_retry_ms)
		return false;
	thread->pipe_retry_ms = thread->now_ms + RETRY_MS;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return false;
	/* Refused beyond the user's limit; a pipe of the usual 64 KiB will do, one of the two pages that the
	 * kernel gives then does not take a whole copy (pipe(7)). */
	(void)fcntl(fds[1], F_SETPIPE_SZ, bytes);
	if (fcntl(fds[1], F_GETPIPE_SZ) < COPY_BYTES) {
		close(fds[0]);
		close(fds[1]);
		return false;
	}
	thread->pipe_retry_ms = 0;
	thread->pipe_count++;
	out->read_fd = fds[0];
	out->write_fd = fds[1];
	return true;
}

/* Whether the next cv_pipe_take of this thread will succeed. */
bool cv_pipe_at_hand(struct pump_thread *thread)
{
	if (thread->idle_count == 0 && pipe_make(thread, &thread->idle_pipes[0]))
		thread->idle_count = 1;
	return thread->idle_count > 0;
}

bool cv_pipe_take(struct pump_thread *thread, struct pipe_ends *out)
{
	if (!cv_pipe_at_hand(thread))
		return false;
	*out = thread->idle_pipes[--thread->idle_count];
	return true;
}

/* Takes an empty pipe back. */
void cv_pipe_give_back(struct pump_thread *thread, struct pipe_ends *ends)
{
	thread->idle_pipes[thread->idle_count++] = *ends;
	ends->read_fd = ends->write_fd = -1;
}

/* Closes a pipe that still holds something. */
void cv_pipe_discard(struct pump_thread *thread, struct pipe_ends *ends)
{
	close(ends->read_fd);
	close(ends->write_fd);
	thread->pipe_count--;
	ends->read_fd = ends->write_fd = -1;
}
