/*
 * culvert-launch: starts one app on a lane. Either the app runs inside its network namespace, as the
 * user and with nothing else, or it does not run at all.
 *
 *   culvert-launch rootless|privileged UID share|own|none PGRP
 *
 * Run by the helper as root (privileged), or inside a user namespace by the user (rootless), always with an
 * empty environment. Descriptors: 0 to 2 are the app's, 3 the network namespace of the app, 4 a memory file
 * with what the caller wants (launch-payload.ts), 5 a pipe for status lines:
 *
 *   started PID          the app's execve(2) has succeeded
 *   failed STEP ERRNO    nothing was started; the launcher exits with 125
 *   stopped SIGNAL, continued, exited CODE, signalled SIGNAL     of the app's first process
 *   empty                no process of this app is left; the launcher exits with 0
 *
 * Theory of operation. main() walks the list `stages` below; each stage is a small function that does one
 * thing, and the first one that fails ends everything (S4). Privilege only ever shrinks on the way: the
 * namespaces come first, then the filter, then the identity. What the caller wrote is read after the last
 * privilege is gone (S28), so no byte of it is ever looked at by root. After the fork the parent stays as
 * *supervisor*: it is the subreaper of everything that the app leaves behind, has the app's credentials, and
 * only waits and reports.
 *
 * *Must not*: write to 0, 1 or 2; read a path that the caller chose while privileged; use the environment;
 * go on after an error. Needs Linux 5.9 (openat2, move_mount, close_range).
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

/* ---- status ------------------------------------------------------------------------------------ */

void launch_report(const char *word, const char *step, int number)
{
	char line[96];
	int size;

	if (step)
		size = snprintf(line, sizeof(line), "%s %s %d\n", word, step, number);
	else if (number >= 0)
		size = snprintf(line, sizeof(line), "%s %d\n", word, number);
	else
		size = snprintf(line, sizeof(line), "%s\n", word);
	if (size < 0 || (size_t)size >= sizeof(line))
		return;
	/* A line is smaller than PIPE_BUF, so it is written whole or not at all (pipe(7)). */
	while (write(LAUNCH_STATUS, line, (size_t)size) < 0 && errno == EINTR)
		;
}

ssize_t launch_read_all(int fd, void *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t count = read(fd, (char *)bytes + done, size - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		if (count == 0)
			break;
		done += (size_t)count;
	}
	return (ssize_t)done;
}

/* ---- stages of this file ----------------------------------------------------------------------- */

/* A decimal number without sign or blanks, at most `limit`. */
static bool parse_id(const char *text, unsigned long limit, unsigned long *value)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*value = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *value <= limit;
}

/*
 * *Does*: reads the four arguments and compares them with who runs this.
 * *Must not*: accept another user than the one who made the user namespace. That may be root: with an empty
 * bounding set its execve(2) gives uid 0 nothing (capabilities(7), "Capabilities and execution of programs by root").
 */
static int read_arguments(struct launch *launch)
{
	static const char *const terminals[] = {"share", "own", "none"};
	unsigned long uid, group;
	size_t terminal = 0;

	if (launch->argc != 5)
		return -EINVAL;
	if (strcmp(launch->argv[1], "rootless") == 0)
		launch->mode = MODE_ROOTLESS;
	else if (strcmp(launch->argv[1], "privileged") == 0)
		launch->mode = MODE_PRIVILEGED;
	else
		return -EINVAL;
	/* The largest value is "no change" for setresuid(2). */
	if (!parse_id(launch->argv[2], UINT_MAX - 1, &uid) || !parse_id(launch->argv[4], INT_MAX, &group))
		return -EINVAL;
	while (terminal < 3 && strcmp(launch->argv[3], terminals[terminal]) != 0)
		terminal++;
	if (terminal == 3 || (terminal == TERMINAL_SHARE) != (group != 0))
		return -EINVAL;
	launch->terminal = (enum launch_terminal)terminal;
	launch->uid = (uid_t)uid;
	launch->group = (pid_t)group;
	launch->gid = getgid();
	if (launch->mode == MODE_PRIVILEGED)
		return getuid() == 0 && geteuid() == 0 ? 0 : -EPERM;
	if (getuid() != launch->uid || geteuid() != launch->uid || getegid() != launch->gid)
		return -EPERM;
	return 0;
}

/*
 * *Does*: checks that the seven descriptors are there, so that no later open(2) can land on one of them, and
 * keeps Culvert's own out of any program. The gateway's only has to be open: its rules answer the app at once
 * also when engine and helper are gone.
 */
static int check_descriptors(struct launch *launch)
{
	(void)launch;
	for (int fd = 0; fd <= LAUNCH_GATEWAY; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return -errno;
	for (int fd = LAUNCH_NETNS; fd <= LAUNCH_GATEWAY; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return -errno;
	return 0;
}

/*
 * *Does*: moves this process, and so everything it starts, into the app's network namespace.
 * *Must not*: leave the descriptor open; with it a later stage could be somewhere else.
 */
static int join_netns(struct launch *launch)
{
	struct stat given, present;

	(void)launch;
	if (setns(LAUNCH_NETNS, CLONE_NEWNET) < 0)
		return -errno;
	if (fstat(LAUNCH_NETNS, &given) < 0 || stat("/proc/self/ns/net", &present) < 0)
		return -errno;
	close(LAUNCH_NETNS);
	return given.st_dev == present.st_dev && given.st_ino == present.st_ino ? 0 : -ESTALE;
}

/* *Does*: asks the kernel which interfaces there are; anything but exactly lo and app0 ends the start (S1). */
static int check_interfaces(struct launch *launch)
{
	struct if_nameindex *names = if_nameindex();
	int loopback = 0, app = 0, others = 0;

	(void)launch;
	if (!names)
		return -errno;
	for (struct if_nameindex *each = names; each->if_index; each++) {
		if (strcmp(each->if_name, "lo") == 0)
			loopback++;
		else if (strcmp(each->if_name, "app0") == 0)
			app++;
		else
			others++;
	}
	if_freenameindex(names);
	return loopback == 1 && app == 1 && others == 0 ? 0 : -ENOTUNIQ;
}

/*
 * *Does*: closes all but the app's own, the payload and the status pipe: what the helper leaked, what name
 * services left open, what the mounts needed (one of those has taken the number of the namespace).
 */
static int close_descriptors(struct launch *launch)
{
	(void)launch;
	close(LAUNCH_NETNS);
	return syscall(SYS_close_range, LAUNCH_GATEWAY + 1, ~0U, 0) < 0 ? -errno : 0;
}

/*
 * *Does*: gives every signal its default and unblocks all, whatever the helper's runtime had set.
 * Only SIGPIPE stays ignored here, or a status reader that has gone would end the launcher; the app gets its
 * default back after the fork.
 */
static int reset_signals(struct launch *launch)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	(void)launch;
	for (int number = 1; number < NSIG; number++)
		/* EINVAL: SIGKILL, SIGSTOP and those that the C library keeps for itself. */
		if (number != SIGPIPE && sigaction(number, &standard, NULL) < 0 && errno != EINVAL)
			return -errno;
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

/*
 * *Does*: gives back what the change of ids took: an ordinary program can be looked at by its own user in
 * /proc (the window shows a lane from there), and is not bound to the life of the helper.
 */
static int restore_process(struct launch *launch)
{
	(void)launch;
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

/* ---- the list ---------------------------------------------------------------------------------- */

static const struct stage {
	const char *step; /* the word in "failed STEP ERRNO" */
	int (*run)(struct launch *launch);
} stages[] = {
	{"descriptors", check_descriptors},
	{"arguments", read_arguments},
	{"mount-private", launch_mount_private},
	/* Name services are asked while their sockets in /run can still be seen. */
	{"user", launch_find_user},
	{"netns", join_netns},
	{"interfaces", check_interfaces},
	{"mask-run", launch_mask_run},
	{"hide-engine", launch_hide_engine},
	{"resolver", launch_set_resolver},
	{"close", close_descriptors},
	{"signals", reset_signals},
	/* While CAP_SYS_ADMIN is still there, so that no_new_privs is not needed and sudo goes on working. */
	{"seccomp", launch_filter},
	{"groups", launch_set_groups},
	{"bounding", launch_drop_bounding},
	{"setresgid", launch_set_gid},
	{"setresuid", launch_set_uid},
	{"capabilities", launch_drop_capabilities},
	{"verify", launch_verify_identity},
	/* From here on there is no privilege left. */
	{"process", restore_process},
	{"session", launch_join_session},
	{"payload", launch_read_payload},
};

#ifdef CULVERT_FAULTS
static const char *fault;

bool launch_fails_at(const char *step)
{
	return fault && strcmp(fault, step) == 0;
}

static void take_fault(struct launch *launch)
{
	static const char option[] = "--fail-at=";

	if (launch->argc < 2 || strncmp(launch->argv[1], option, sizeof(option) - 1) != 0)
		return;
	fault = launch->argv[1] + sizeof(option) - 1;
	launch->argc--;
	launch->argv++;
}
#endif

int main(int argc, char **argv)
{
	static struct launch launch;

	clearenv();
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	launch.argc = argc;
	launch.argv = argv;
#ifdef CULVERT_FAULTS
	take_fault(&launch);
#endif
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		int result = launch_fails_at(stages[i].step) ? -EIO : stages[i].run(&launch);

		if (result < 0) {
			launch_report("failed", stages[i].step, -result);
			return LAUNCH_EXIT_FAILED;
		}
	}
	return launch_start_app(&launch);
}
