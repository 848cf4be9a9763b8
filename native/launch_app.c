/*
 * The app's process and the supervisor that stays behind.
 *
 * *Does*: puts the app into the session and process group that its terminal needs, starts it, and tells the
 * engine what becomes of it. The supervisor has the credentials of the app, keeps none of its descriptors,
 * and lives until the last process of the app has ended.
 * *Must not*: say `started` before execve(2) has succeeded, or end while there is something to wait for.
 *
 * Terminals. `share`: supervisor and app are members of the caller's process group; the terminal's signals
 * reach the app directly. When the app stops itself alone the supervisor only tells: after Ctrl+Z everybody has
 * been stopped by the terminal, and a signal of the supervisor's that came late would stop them once more after
 * fg. `own` and `none`: the supervisor leads a new session and the app has a process group in it; with `own` that
 * group is in the foreground of the terminal. It is not orphaned as long as the supervisor lives, so Ctrl+Z works
 * (setpgid(2), orphaned process groups).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "launch.h"

/* What the app's process could not do, through a pipe that a successful execve(2) closes. */
struct refusal {
	int step;
	int error;
};

/* Signals that an app may be started with ignored, as nohup(1) and shells do. */
static const int inherited[] = {SIGHUP,	 SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2,
				SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD};

/* Signals that are sent to whole groups and lanes and must not end the supervisor before its app. */
static const int survived[] = {SIGHUP,	SIGINT,	 SIGQUIT, SIGTERM, SIGALRM, SIGUSR1,
			       SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* *Does*: joins the caller's process group, or starts a session. */
int launch_join_session(struct launch *launch)
{
	if (launch->terminal == TERMINAL_SHARE) {
		if (getpgrp() != launch->group && setpgid(0, launch->group) < 0)
			return -errno;
		return 0;
	}
	/* EPERM means that this process leads a group; if it leads a session already that is as good. */
	if (setsid() < 0 && getsid(0) != getpid())
		return -errno;
	if (launch->terminal == TERMINAL_OWN && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		return -errno;
	return 0;
}

/* ---- in the app's process, before execve ------------------------------------------------------- */

/* A process group of the app's own, in the foreground of its terminal where it has one. */
static int set_terminal(const struct launch *launch)
{
	if (launch->terminal == TERMINAL_SHARE)
		return 0;
	if (setpgid(0, 0) < 0)
		return -errno;
	/* All signals are blocked here, so the group that is not yet in front is not stopped by SIGTTOU. */
	if (launch->terminal == TERMINAL_OWN && tcsetpgrp(STDIN_FILENO, getpid()) < 0)
		return -errno;
	return 0;
}

/* The caller's limits, as far as an ordinary user may set them: a hard limit never grows. */
static int set_limits(const struct launch *launch)
{
	for (int i = 0; i < launch->payload.limit_count; i++) {
		const struct launch_limit *limit = &launch->payload.limits[i];
		struct rlimit values = limit->values, present;

		if (getrlimit((__rlimit_resource_t)limit->resource, &present) < 0)
			return -errno;
		if (values.rlim_max > present.rlim_max)
			values.rlim_max = present.rlim_max;
		if (values.rlim_cur > values.rlim_max)
			values.rlim_cur = values.rlim_max;
		/* Refused ones stay as they are: an app with another limit is better than none. */
		(void)setrlimit((__rlimit_resource_t)limit->resource, &values);
	}
	return 0;
}

static int set_directory(const struct launch *launch)
{
	return chdir(launch->payload.directory) < 0 ? -errno : 0;
}

/* The dispositions of an ordinary program and those that the caller ignores; then the mask. */
static int set_signals(const struct launch *launch)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	for (size_t i = 0; i < COUNT(inherited); i++)
		if (launch->payload.ignored >> (inherited[i] - 1) & 1)
			signal(inherited[i], SIG_IGN);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

/* execvp(3) with the PATH of the app's environment: EACCES when a file was found that may not be run. */
static int run(const struct launch *launch)
{
	umask(launch->payload.umask);
	environ = launch->payload.environment;
	execvp(launch->payload.arguments[0], launch->payload.arguments);
	return -errno;
}

static const struct {
	const char *step;
	int (*run)(const struct launch *launch);
} steps[] = {
	{"terminal", set_terminal}, {"limits", set_limits}, {"chdir", set_directory},
	{"app-signals", set_signals}, {"exec", run},
};

__attribute__((noreturn)) static void become_app(const struct launch *launch, int refusals)
{
	struct refusal refusal = {0, 0};

	for (; refusal.step < (int)COUNT(steps); refusal.step++) {
		refusal.error = -(launch_fails_at(steps[refusal.step].step) ? -EIO : steps[refusal.step].run(launch));
		if (refusal.error)
			break;
	}
	/* Smaller than PIPE_BUF; the reader is the parent, which waits for it. */
	while (write(refusals, &refusal, sizeof(refusal)) < 0 && errno == EINTR)
		;
	_exit(LAUNCH_EXIT_FAILED);
}

/* ---- the supervisor ---------------------------------------------------------------------------- */

/* The process group of the app, and whether its first process, which gave it the number, lives. */
static volatile sig_atomic_t app_group, app_lives;

/*
 * Without its first process a group keeps its number as long as it has a member; after that the number may be
 * another process's, and then there is a session to be asked for (getsid(2)).
 */
static int has_app_group(void)
{
	return app_group > 0 && (app_lives || (getsid(app_group) < 0 && errno == ESRCH));
}

/*
 * When a terminal goes away the kernel tells the leader of its session and leaves the rest to that one (tty_io.c,
 * tty_signal_session_leader): here the supervisor passes it on. A SIGHUP that somebody sent is not passed on; the
 * sender has reached the app as well or did not mean it.
 */
static void pass_hangup(int number, siginfo_t *info, void *context)
{
	const int error = errno;

	(void)context;
	if (info->si_code == SI_KERNEL && has_app_group()) {
		(void)kill(-app_group, number);
		(void)kill(-app_group, SIGCONT);
	}
	errno = error;
}

static void report_app(int status)
{
	if (WIFEXITED(status)) {
		launch_report("exited", NULL, WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		launch_report("signalled", NULL, WTERMSIG(status));
	} else if (WIFCONTINUED(status)) {
		launch_report("continued", NULL, -1);
	} else if (WIFSTOPPED(status)) {
		launch_report("stopped", NULL, WSTOPSIG(status));
	}
}

/* Waits for the app and, as subreaper, for all that it leaves behind. */
static int supervise(pid_t app)
{
	for (;;) {
		int status;
		const pid_t ended = waitpid(-1, &status, WUNTRACED | WCONTINUED);

		if (ended < 0 && errno == EINTR)
			continue;
		if (ended < 0)
			break;
		if (ended != app)
			continue;
		report_app(status);
		if (WIFEXITED(status) || WIFSIGNALED(status))
			app = app_lives = 0; /* the number may come back for another process */
	}
	launch_report("empty", NULL, -1);
	return 0;
}

/* Nothing of the app's may be held by the supervisor: a pipe must end when the app closes it. */
static void settle(struct launch *launch, pid_t app)
{
	struct sigaction hangup = {.sa_sigaction = pass_hangup, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigset_t none;

	for (int fd = 0; fd < LAUNCH_NETNS; fd++)
		close(fd);
	free(launch->payload.bytes);
	app_group = app;
	app_lives = 1;
	/* A pending SIGHUP would be lost if it were ignored first (sigaction(2)). */
	for (size_t i = 0; i < COUNT(survived); i++)
		if (launch->terminal != TERMINAL_OWN || survived[i] != SIGHUP)
			signal(survived[i], SIG_IGN);
	if (launch->terminal == TERMINAL_OWN)
		sigaction(SIGHUP, &hangup, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int launch_start_app(struct launch *launch)
{
	struct refusal refusal;
	sigset_t all;
	int refusals[2];
	pid_t app = -1;

	/* Until both processes have their dispositions no signal may come between. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (launch_fails_at("fork"))
		errno = EIO;
	else if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 && pipe2(refusals, O_CLOEXEC) == 0)
		app = fork();
	if (app < 0) {
		launch_report("failed", "fork", errno);
		return LAUNCH_EXIT_FAILED;
	}
	if (app == 0)
		become_app(launch, refusals[1]);
	close(refusals[1]);
	if (launch_read_all(refusals[0], &refusal, sizeof(refusal)) == (ssize_t)sizeof(refusal)) {
		launch_report("failed", steps[refusal.step].step, refusal.error);
		return LAUNCH_EXIT_FAILED;
	}
	close(refusals[0]);
	launch_report("started", NULL, app);
	settle(launch, app);
	return supervise(app);
}
