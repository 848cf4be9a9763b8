/*
 * What the files of culvert-launch share. The theory of operation is at the head of launch.c.
 *
 * launch.c           the interface, the list of stages, the network namespace, the descriptors
 * launch_mounts.c    the private mount namespace: /run, Culvert's own sockets
 * launch_resolver.c  resolv.conf and nsswitch.conf
 * launch_filter.c    the seccomp filter
 * launch_identity.c  user, groups, capabilities
 * launch_payload.c   reads what the caller wants: arguments, environment, limits, directory
 * launch_app.c       session, fork, execve, and the supervisor that waits
 */
#ifndef CULVERT_LAUNCH_H
#define CULVERT_LAUNCH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

/* The descriptors that the helper gives; 0 to 2 are the app's own. */
#define LAUNCH_NETNS 3
#define LAUNCH_PAYLOAD 4
#define LAUNCH_STATUS 5
/* The gateway namespace, which lives as long as the supervisor holds it. */
#define LAUNCH_GATEWAY 6

/* Culvert failed and nothing was started (as docker run and env(1) use it). */
#define LAUNCH_EXIT_FAILED 125

enum launch_mode { MODE_ROOTLESS, MODE_PRIVILEGED };
enum launch_terminal { TERMINAL_SHARE, TERMINAL_OWN, TERMINAL_NONE };

/* A limit that the caller had: getrlimit(2) resource and values. */
struct launch_limit {
	int resource;
	struct rlimit values;
};

/* The caller's wishes, untrusted until here; pointers lead into `bytes`. */
struct launch_payload {
	char *bytes;
	mode_t umask;
	unsigned long long ignored; /* bit n-1: signal n */
	struct launch_limit limits[RLIM_NLIMITS];
	int limit_count;
	const char *directory;
	char **arguments;   /* NULL at the end */
	char **environment; /* NULL at the end */
};

struct launch {
	int argc;
	char **argv;
	enum launch_mode mode;
	enum launch_terminal terminal;
	uid_t uid;
	gid_t gid;
	pid_t group; /* process group to join for TERMINAL_SHARE */
	gid_t *groups;
	int group_count;
	struct launch_payload payload;
};

/* A stage returns 0, or a negative errno value: then nothing is started. */
int launch_mount_private(struct launch *launch);
int launch_mask_run(struct launch *launch);
int launch_hide_engine(struct launch *launch);
int launch_set_resolver(struct launch *launch);
int launch_filter(struct launch *launch);
int launch_find_user(struct launch *launch);
int launch_set_groups(struct launch *launch);
int launch_drop_bounding(struct launch *launch);
int launch_set_gid(struct launch *launch);
int launch_set_uid(struct launch *launch);
int launch_drop_capabilities(struct launch *launch);
int launch_verify_identity(struct launch *launch);
int launch_read_payload(struct launch *launch);
int launch_join_session(struct launch *launch);

/* Starts the app, reports, supervises. Returns the launcher's exit status. */
int launch_start_app(struct launch *launch);

/* A directory that is covered by a tmpfs of ours: its descriptor, and its own path without links. */
struct launch_covered {
	int fd;
	char path[PATH_MAX];
};
extern struct launch_covered launch_covered[2]; /* the first is /run */
extern int launch_covered_count;

/* Notes where the resolver files are, while what /run has can still be seen. */
void launch_note_resolver(void);
/* A place (O_PATH) below `base`; no component may be a symbolic link, the last one is not followed. */
int launch_open_place(int base, const char *path, unsigned long long flags);
/* A detached copy of the mounts at a place. */
int launch_copy_mounts(int place);
/* Attaches a detached mount on top of a place; closes both. */
int launch_attach(int tree, int place);
/* The directories above the last component of `path`, as far as they are missing. */
int launch_make_parents(int base, const char *path);
/* A new file with these bytes, mode 0644. */
int launch_make_file(int base, const char *path, const char *bytes, size_t size);

/* Sends one line to the status pipe; a reader that has gone is no reason to stop. */
void launch_report(const char *word, const char *step, int number);

/* The whole of a small file or pipe; returns the number of bytes or a negative errno value. */
ssize_t launch_read_all(int fd, void *bytes, size_t size);

#ifdef CULVERT_FAULTS
/* Only in the build for tests: whether `--fail-at=STEP` named this step. */
bool launch_fails_at(const char *step);
#else
#define launch_fails_at(step) false
#endif

#endif
