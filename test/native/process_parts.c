/* Terminals, memory files, signals and hardening of processes of this test's own. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

#include "talk.h"

static void memory_file(void)
{
	char bytes[8];
	int fd = cv_memory_file("payload", 7);

	CHECK(fd >= 0);
	EXPECT(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT(read(fd, bytes, sizeof bytes), 7);
	CHECK(memcmp(bytes, "payload", 7) == 0);
	EXPECT(write(fd, "x", 1), -1);
	EXPECT(ftruncate(fd, 0), -1);
	EXPECT(ftruncate(fd, 100), -1);
	EXPECT(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	fd = cv_memory_file(NULL, 0);
	EXPECT(read(fd, bytes, sizeof bytes), 0);
}

static void pipes_and_copies(void)
{
	struct rlimit files;
	int ends[2];
	int64_t limit[2];

	EXPECT(cv_pipe(ends), 0);
	EXPECT(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
	EXPECT(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
	EXPECT(fcntl(ends[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	EXPECT(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	int copy = cv_dup(0);
	CHECK(copy >= 3);
	EXPECT(fcntl(copy, F_GETFD), FD_CLOEXEC);
	EXPECT(cv_dup(999), -EBADF);
	EXPECT(cv_limit(RLIMIT_NOFILE, limit), 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	EXPECT(limit[0], files.rlim_cur);
	EXPECT(cv_limit(999, limit), -EINVAL);
	CHECK(setrlimit(RLIMIT_CORE, &(struct rlimit){0, RLIM_INFINITY}) == 0 || errno == EPERM);
	EXPECT(cv_limit(RLIMIT_CORE, limit), 0);
	CHECK(limit[0] == 0 && limit[1] >= -1);
	EXPECT(cv_abi(), CV_ABI);
}

static void terminals(void)
{
	struct winsize size = {.ws_row = 33, .ws_col = 77};
	struct termios settings;
	int first[2], second[2];

	EXPECT(cv_pty_open(-1, first), 0);
	CHECK(isatty(first[1]));
	CHECK(ioctl(first[0], TIOCSWINSZ, &size) == 0);
	CHECK(tcgetattr(first[1], &settings) == 0);
	settings.c_lflag &= ~(tcflag_t)ECHO;
	settings.c_cc[VINTR] = 7;
	CHECK(tcsetattr(first[1], TCSANOW, &settings) == 0);
	EXPECT(cv_pty_open(first[1], second), 0);
	for (int i = 0; i < 2; i++)
		EXPECT(fcntl(second[i], F_GETFD), FD_CLOEXEC);
	CHECK(tcgetattr(second[1], &settings) == 0);
	EXPECT(settings.c_lflag & ECHO, 0);
	EXPECT(settings.c_cc[VINTR], 7);
	size = (struct winsize){0};
	CHECK(ioctl(second[1], TIOCGWINSZ, &size) == 0);
	CHECK(size.ws_row == 33 && size.ws_col == 77);
	size.ws_row = 44;
	CHECK(ioctl(first[0], TIOCSWINSZ, &size) == 0);
	EXPECT(cv_pty_resize(first[1], second[0]), 0);
	CHECK(ioctl(second[1], TIOCGWINSZ, &size) == 0);
	EXPECT(size.ws_row, 44);
	int ends[2];
	EXPECT(cv_pipe(ends), 0);
	int before = descriptor_count();
	EXPECT(cv_pty_open(ends[0], second), -ENOTTY);
	EXPECT(cv_pty_resize(ends[0], first[0]), -ENOTTY);
	EXPECT(descriptor_count(), before);
}

/* What comes out at one end of what is said at the other. */
static const char *pty_hears(int from, int to, const char *said)
{
	static char heard[64];
	ssize_t size;

	struct pollfd ready = {.fd = to, .events = POLLIN};

	CHECK(write(from, said, strlen(said)) == (ssize_t)strlen(said));
	/* The kernel moves the bytes a moment later. */
	CHECK(poll(&ready, 1, 5000) == 1);
	size = read(to, heard, sizeof(heard) - 1);
	CHECK(size > 0);
	heard[size] = '\0';
	return heard;
}

static void raw(void)
{
	char saved[CV_TERMINAL_BYTES], again[CV_TERMINAL_BYTES];
	int pty[2], ends[2];

	EXPECT(cv_pty_open(-1, pty), 0);
	CHECK(strcmp(pty_hears(pty[1], pty[0], "a\n"), "a\r\n") == 0);
	EXPECT(cv_terminal_raw(pty[1], saved), 0);
	CHECK(strcmp(pty_hears(pty[1], pty[0], "a\n\t"), "a\n\t") == 0);
	CHECK(strcmp(pty_hears(pty[0], pty[1], "\003\r\032\004"), "\003\r\032\004") == 0);
	EXPECT(cv_terminal_restore(pty[1], saved), 0);
	EXPECT(cv_terminal_save(pty[1], again), 0);
	EXPECT(memcmp(saved, again, sizeof(struct termios)), 0);
	CHECK(strcmp(pty_hears(pty[1], pty[0], "b\n"), "b\r\n") == 0);
	EXPECT(cv_pipe(ends), 0);
	EXPECT(cv_terminal_raw(ends[0], saved), -ENOTTY);
	EXPECT(cv_terminal_save(ends[0], saved), -ENOTTY);
	EXPECT(cv_terminal_restore(ends[0], saved), -ENOTTY);
}

/* A background group sets the terminal back without being stopped. */
static void background(void)
{
	char saved[CV_TERMINAL_BYTES];
	int pty[2], session[2], mine[2], status;
	pid_t child;

	EXPECT(cv_pty_open(-1, pty), 0);
	CHECK(setsid() == getpid());
	CHECK(ioctl(pty[1], TIOCSCTTY, 0) == 0);
	EXPECT(cv_session(0, session), 0);
	EXPECT(session[0], getpid());
	EXPECT(session[1], getpid());
	EXPECT(cv_terminal_save(pty[1], saved), 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		CHECK(setpgid(0, 0) == 0);
		CHECK(tcgetpgrp(pty[1]) != getpid());
		EXPECT(cv_terminal_restore(pty[1], saved), 0);
		_exit(0);
	}
	CHECK(waitpid(child, &status, WUNTRACED) == child);
	EXPECT(status, 0);
	EXPECT(cv_session(getpid(), mine), 0);
	EXPECT(cv_session(0x3fffffff, mine), -ESRCH);
}

static void signals(void)
{
	int64_t inode = cv_netns_inode(cv_netns_self());
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		for (;;)
			pause();
	}
	EXPECT(cv_signal_in_netns(child, inode + 1, SIGTERM), -ESRCH);
	EXPECT(cv_signal_in_netns(0, inode, SIGTERM), -EINVAL);
	EXPECT(cv_signal_in_netns(1, inode, SIGTERM), -EINVAL);
	EXPECT(cv_signal_in_netns(-child, inode, SIGTERM), -EINVAL);
	EXPECT(waitpid(child, &status, WNOHANG), 0);
	EXPECT(cv_signal_in_netns(child, inode, SIGTERM), 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	EXPECT(cv_signal_in_netns(child, inode, SIGTERM), -ESRCH);
}

static void dying(void)
{
	static const int deadly[] = {SIGTERM, SIGINT, SIGKILL, SIGSEGV, SIGPIPE};

	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
		int status;
		pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0) {
			sigset_t all;

			signal(deadly[i], SIG_IGN);
			sigfillset(&all);
			sigprocmask(SIG_BLOCK, &all, NULL);
			cv_die_by(deadly[i]);
			_exit(1);
		}
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == deadly[i] && !WCOREDUMP(status));
	}
	EXPECT(cv_die_by(0), -EINVAL);
	EXPECT(cv_die_by(999), -EINVAL);
	/* Not deadly: it comes back. */
	EXPECT(cv_die_by(SIGCHLD), 0);
}

/* A kernel without splice(2), for the rest of this process. */
static void without_splice(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_splice, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof rules / sizeof *rules, .filter = rules};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void spliced(void)
{
	int before = descriptor_count();

	EXPECT(cv_splice_try(), 0);
	without_splice();
	EXPECT(cv_splice_try(), -ENOSYS);
	EXPECT(descriptor_count(), before);
}

static void hardened(void)
{
	struct rlimit core;
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		CHECK(cv_harden() == 0);
		CHECK(prctl(PR_GET_DUMPABLE) == 0);
		CHECK(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	EXPECT(status, 0);
}

int main(void)
{
	in_process("a memory file holds its bytes and cannot be changed", memory_file);
	in_process("pipes, copies and limits are what their names say", pipes_and_copies);
	in_process("a pseudo terminal has the settings and the size of another terminal", terminals);
	in_process("a raw terminal passes every byte on unchanged and gets its settings back", raw);
	in_process("a background group sets the terminal back without being stopped", background);
	in_process("a signal hits only a process of the namespace", signals);
	in_process("a kernel without splice is found out, and nothing stays open", spliced);
	in_process("a process dies by the signal that it names, without a core", dying);
	in_process("a hardened process leaves no core and is not traceable", hardened);
	return 0;
}
