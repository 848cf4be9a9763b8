/*
 * What a process can do to itself, to terminals and to descriptors, and Node cannot.
 *
 * *Does*: sessions and process groups, pseudo terminals, sealed memory files, pipes, hardening, signals that
 * cannot hit the wrong process, and the threads of the other parts.
 * *Must not*: start a program, change an id, or send a signal to a process that it has not checked.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

/* Thread-local storage of the whole process comes out of a thread's stack too (glibc). */
#define THREAD_STACK (128 * 1024)
/* linux/memfd.h since 6.3; older kernels refuse it with EINVAL. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

int cv_abi(void)
{
	return CV_ABI;
}

int64_t cv_monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int cv_thread_start(const char *name, void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int result = pthread_attr_init(&attributes);

	if (result)
		return -result;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	result = pthread_attr_setstacksize(&attributes, THREAD_STACK);
#endif
	if (!result)
		result = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (!result) {
		/* A thread starts with its creator's mask: blocked before, so that no signal finds a gap. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		result = pthread_create(&thread, &attributes, run, argument);
		/* Named by its creator; a thread that has ended already needs no name. */
		if (!result)
			(void)pthread_setname_np(thread, name);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_attr_destroy(&attributes);
	return -result;
}

/* No core dumps, and no ptrace or /proc access by processes of the same user (prctl(2), PR_SET_DUMPABLE). */
int cv_harden(void)
{
	struct rlimit core;

	if (getrlimit(RLIMIT_CORE, &core) < 0)
		return -errno;
	core.rlim_cur = 0;
	if (setrlimit(RLIMIT_CORE, &core) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

int cv_own_group(void)
{
	/* A session leader is the leader of its own group, and may not be moved (setpgid(2)). */
	if (getpgrp() == getpid())
		return 0;
	return setpgid(0, 0) < 0 ? -errno : 0;
}

int cv_session(int pid, int32_t *out)
{
	pid_t session = getsid(pid);
	pid_t group = session < 0 ? -1 : getpgid(pid);

	if (session < 0 || group < 0)
		return -errno;
	out[0] = session;
	out[1] = group;
	return 0;
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		bytes += written;
		size -= (size_t)written;
	}
	return 0;
}

/* A memory file that nobody can change any more (memfd_create(2), F_SEAL_*), at offset 0. */
int cv_memory_file(const void *bytes, uint32_t size)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("culvert", flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("culvert", flags);
	if (fd < 0)
		return -errno;
	if (write_all(fd, bytes, size) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

int cv_socket_pair(int32_t *out)
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, out) < 0 ? -errno : 0;
}

/* For Unix sockets POLLHUP is "both directions are shut", and ours is open; an end of file alone is POLLRDHUP. */
int cv_is_hung_up(int fd)
{
	struct pollfd one = {.fd = fd};

	if (poll(&one, 1, 0) < 0)
		return -errno;
	if (one.revents & POLLNVAL)
		return -EBADF;
	return (one.revents & POLLHUP) != 0;
}

/* A pipe whose write end may go to a program that expects a blocking one: only the read end is non-blocking. */
int cv_pipe(int32_t *out)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		int error = errno;

		close(fds[0]);
		close(fds[1]);
		return -error;
	}
	out[0] = fds[0];
	out[1] = fds[1];
	return 0;
}

int cv_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

/*
 * A pseudo terminal: out[0] master, out[1] slave, both close-on-exec, with the settings and the size of the
 * terminal `like`, or the kernel's own when that is negative. The master is non-blocking, since an app may not
 * read what is typed. The slave comes from the master, not from a path,
 * so that the mount namespace does not matter (ioctl_tty(2), TIOCGPTPEER).
 */
int cv_pty_open(int like, int32_t *out)
{
	struct termios settings;
	struct winsize size;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	int slave = -1;
	int error;

	if (master < 0)
		return -errno;
	if (grantpt(master) < 0 || unlockpt(master) < 0)
		goto failed;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		goto failed;
	if (like >= 0 && (tcgetattr(like, &settings) < 0 || tcsetattr(slave, TCSANOW, &settings) < 0 ||
	                  ioctl(like, TIOCGWINSZ, &size) < 0 || ioctl(slave, TIOCSWINSZ, &size) < 0))
		goto failed;
	out[0] = master;
	out[1] = slave;
	return 0;
failed:
	error = errno;
	close(master);
	if (slave >= 0)
		close(slave);
	return -error;
}

int cv_pty_resize(int from, int to)
{
	struct winsize size;

	return ioctl(from, TIOCGWINSZ, &size) < 0 || ioctl(to, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

/* Blocked, SIGTTOU does not stop a caller in the background (tcsetpgrp(3), tcsetattr(3)). */
static sigset_t block_terminal_stop(void)
{
	sigset_t stop, before;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &stop, &before);
	return before;
}

int cv_terminal_save(int fd, void *saved)
{
	struct termios settings;

	_Static_assert(sizeof settings <= CV_TERMINAL_BYTES, "the settings of a terminal need more room");
	if (tcgetattr(fd, &settings) < 0)
		return -errno;
	memcpy(saved, &settings, sizeof settings);
	return 0;
}

/*
 * Node's own raw mode leaves the output processing of a terminal on, so that a line feed of the app's would
 * become two characters (libuv, uv_tty_set_mode). The settings take effect at once: nothing waits for a terminal
 * whose output was stopped.
 */
int cv_terminal_raw(int fd, void *saved)
{
	struct termios settings;
	const int result = cv_terminal_save(fd, saved);

	if (result < 0)
		return result;
	memcpy(&settings, saved, sizeof settings);
	cfmakeraw(&settings);
	return tcsetattr(fd, TCSANOW, &settings) < 0 ? -errno : 0;
}

int cv_terminal_restore(int fd, const void *saved)
{
	const sigset_t before = block_terminal_stop();
	struct termios settings;
	int result;

	memcpy(&settings, saved, sizeof settings);
	result = tcsetattr(fd, TCSANOW, &settings) < 0 ? -errno : 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

static int64_t limit_value(rlim_t value)
{
	return value == RLIM_INFINITY || value > INT64_MAX ? -1 : (int64_t)value;
}

int cv_limit(int resource, int64_t *out)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return -errno;
	out[0] = limit_value(limit.rlim_cur);
	out[1] = limit_value(limit.rlim_max);
	return 0;
}

/* One byte from a socket into a pipe and on into a socket. */
static int splice_byte(const int from[2], const int to[2], const int through[2])
{
	char byte = 'x';

	if (send(from[0], &byte, 1, MSG_NOSIGNAL) != 1 ||
	    splice(from[1], NULL, through[1], NULL, 1, SPLICE_F_MOVE | SPLICE_F_NONBLOCK) != 1 ||
	    splice(through[0], NULL, to[0], NULL, 1, SPLICE_F_MOVE | SPLICE_F_NONBLOCK) != 1 ||
	    recv(to[1], &byte, 1, MSG_DONTWAIT) != 1)
		return errno == 0 ? -EIO : -errno;
	return byte == 'x' ? 0 : -EIO;
}

int cv_splice_try(void)
{
	/* Two pairs of sockets and a pipe. */
	int ends[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
	int result;

	errno = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends[0]) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends[1]) < 0 || pipe2(ends[2], O_CLOEXEC) < 0)
		result = -errno;
	else
		result = splice_byte(ends[0], ends[1], ends[2]);
	for (int i = 0; i < 6; i++)
		if (ends[i / 2][i % 2] >= 0)
			close(ends[i / 2][i % 2]);
	return result;
}

/*
 * Sends a signal to a process if it is in the network namespace; -ESRCH when it is not or is gone. The pidfd is
 * taken first: should the number be given to another process meanwhile, the pidfd still means the old one.
 */
int cv_signal_in_netns(int pid, int64_t inode, int signal)
{
	char path[32];
	struct stat status;
	int result = 0;
	int pidfd;

	/* The kernel's first process, and groups by a negative number, are nobody's app. */
	if (pid <= 1)
		return -EINVAL;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return -errno;
	snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
	if (stat(path, &status) < 0)
		result = errno == ENOENT ? -ESRCH : -errno;
	else if ((int64_t)status.st_ino != inode)
		result = -ESRCH;
	else if (syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0)
		result = -errno;
	close(pidfd);
	return result;
}

void cv_exit(int status)
{
	_exit(status);
}

/* Ends as the app ended, without a core dump of our own. */
int cv_die_by(int signal)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	struct rlimit core;
	sigset_t one;

	if (getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &core);
	}
	sigemptyset(&one);
	if (sigaddset(&one, signal) < 0)
		return -errno;
	/* SIGKILL and SIGSTOP have no other action than their default. */
	if (sigaction(signal, &action, NULL) < 0 && signal != SIGKILL && signal != SIGSTOP)
		return -errno;
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	return kill(getpid(), signal) < 0 ? -errno : 0;
}
