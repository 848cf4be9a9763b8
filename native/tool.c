/*
 * Starts the tools that set up a lane, ip(8) and nft(8), and waits for them.
 *
 * *Does*: start a program by vfork (posix_spawn(3)), which costs a tenth of a millisecond where fork would copy the
 * page tables of a Node process first; give it its input as a file, so that no pipe can fill; hear what it complains of.
 * *Must not*: search for a program, use a shell, or hand on an environment, a signal mask or a descriptor that was
 * not named.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

#define WORDS_MAX 15

static char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};

/* The words of a command line, one after the other and each with its NUL, as the pointers that exec wants. */
static int split_words(char *words, uint32_t size, char *argv[WORDS_MAX + 1])
{
	int count = 0;

	if (size == 0 || words[size - 1] != '\0')
		return -EINVAL;
	for (char *word = words; word < words + size; word += strlen(word) + 1) {
		if (count == WORDS_MAX)
			return -E2BIG;
		argv[count++] = word;
	}
	argv[count] = NULL;
	return 0;
}

static int describe_start(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int input, int words,
			  int third)
{
	sigset_t none, all;
	int result = posix_spawn_file_actions_adddup2(actions, input, 0);

	sigemptyset(&none);
	sigfillset(&all);
	if (!result)
		result = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
	if (!result)
		result = posix_spawn_file_actions_adddup2(actions, words, 2);
	/* Last: what has this number until then is close-on-exec, and has been copied. */
	if (!result && third >= 0)
		result = posix_spawn_file_actions_adddup2(actions, third, 3);
#if __GLIBC_PREREQ(2, 34)
	/* Whoever started the helper may have left it descriptors that are not. */
	if (!result)
		result = posix_spawn_file_actions_addclosefrom_np(actions, third >= 0 ? 4 : 3);
#endif
	if (!result)
		result = posix_spawnattr_setsigmask(attributes, &none);
	if (!result)
		result = posix_spawnattr_setsigdefault(attributes, &all);
	if (!result)
		result = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return -result;
}

static int start(char *const argv[], int input, int words, int third)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid = -1;
	int result = posix_spawn_file_actions_init(&actions);

	if (result)
		return -result;
	result = posix_spawnattr_init(&attributes);
	if (!result) {
		result = -describe_start(&actions, &attributes, input, words, third);
		if (!result)
			result = posix_spawn(&pid, argv[0], &actions, &attributes, argv, environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return result ? -result : pid;
}

int cv_tool_start(char *words, uint32_t size, const void *input, uint32_t input_size, int third, int32_t *complaints)
{
	char *argv[WORDS_MAX + 1];
	int ends[2], file, result = split_words(words, size, argv);

	if (result < 0)
		return result;
	file = cv_memory_file(input, input_size);
	if (file < 0)
		return file;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		result = -errno;
		close(file);
		return result;
	}
	result = start(argv, file, ends[1], third);
	close(file);
	close(ends[1]);
	if (result < 0)
		close(ends[0]);
	else
		*complaints = ends[0];
	return result;
}

/* Reads what is there, as far as there is room, and what does not fit to forget it. Returns -1 at the end. */
static int hear(int fd, char **out, uint32_t *room)
{
	char beyond[512];
	ssize_t received = *room > 0 ? read(fd, *out, *room) : read(fd, beyond, sizeof beyond);

	if (received < 0 && errno == EINTR)
		return 0;
	if (received <= 0)
		return -1;
	if (*room > 0) {
		*out += received;
		*room -= (uint32_t)received;
	}
	return 0;
}

int cv_tool_wait(int pid, int complaints, int timeout_ms, char *out, uint32_t room)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd fds[2] = {{.fd = complaints, .events = POLLIN}, {.fd = process, .events = POLLIN}};
	int64_t until = cv_monotonic_ms() + timeout_ms;
	int status, error = process < 0 ? errno : 0;

	room--;
	while (!error && !(fds[1].revents && !(fds[0].revents & POLLIN))) {
		int64_t left = until - cv_monotonic_ms();
		int ready = left > 0 ? poll(fds, 2, (int)left) : 0;

		if (ready == 0)
			error = ETIMEDOUT;
		else if (ready < 0 && errno != EINTR)
			error = errno;
		else if (ready > 0 && fds[0].revents && hear(complaints, &out, &room) < 0)
			fds[0].fd = -1;
	}
	*out = '\0';
	if (error)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			error = errno;
			break;
		}
	if (process >= 0)
		close(process);
	close(complaints);
	return error ? -error : status;
}
