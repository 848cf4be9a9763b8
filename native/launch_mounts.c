/*
 * The mount namespace of an app: the host's files without the local services that would resolve names, or do
 * anything else on the network, in the app's place.
 *
 * *Does*: covers all of /run with a small tmpfs and binds an allow-list back (S14). A mask on a socket file, or
 * on a service's own directory, falls off when the service recreates it (Linux 3.18: a mount goes with its
 * mount point); /run itself is never recreated. Covers Culvert's own sockets as well (S38b).
 * *Must not*: change anything outside its own mount namespace; follow a symbolic link below /run or /tmp, nor
 * look at what a user put there: root opens with O_PATH and RESOLVE_NO_SYMLINKS and mounts by descriptor.
 *
 * None of this is what keeps packets in: an app that loses every mount still has only the lane's network,
 * where port 53 is answered whatever address it goes to (S15).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

/* C libraries before glibc 2.36 do not have these. */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#define MOVE_MOUNT_T_EMPTY_PATH 0x00000040
#define FSOPEN_CLOEXEC 1
#define FSMOUNT_CLOEXEC 1
#define FSCONFIG_SET_STRING 1
#define FSCONFIG_CMD_CREATE 6
#define MOUNT_ATTR_RDONLY 1
#define MOUNT_ATTR_NOSUID 2
#define MOUNT_ATTR_NODEV 4
#define MOUNT_ATTR_NOEXEC 8
#endif

/* ---- what stays of /run ------------------------------------------------------------------------ */

enum what { BIND, FRESH }; /* the host's own, or an empty directory with its owner and mode */

#define USER_RUNTIME "user/UID"

/*
 * All that an app sees of the host's /run. A symbolic link is made again as it is; what does not exist is left
 * out. A service that is not here is out of reach, and that is the rule for everything that resolves names or
 * opens connections for others: systemd/resolve, nscd, avahi-daemon, sssd, samba/winbindd, NetworkManager,
 * resolvconf, dnsmasq, connman, tor; docker, containerd, podman, libvirt, snapd and WSL, which start programs
 * outside; cups, databases and ssh agents of the system. systemd/private and systemd/notify steer the host.
 */
static const struct {
	const char *path;
	enum what what;
	const char *reason;
} allowed[] = {
	{USER_RUNTIME, BIND, "this user's session: Wayland, sound, session bus; other users' are left out"},
	{"dbus", BIND, "system bus: power, login, devices, notifications of hardware"},
	{"udev", BIND, "database of devices, for libudev: game pads, graphics cards, sound"},
	{"lock", BIND, "locks of serial ports and packages, seen by both sides or they are no locks"},
	{"shm", BIND, "old name of /dev/shm"},
	{"mount", BIND, "options of user mounts, for umount"},
	{"media", BIND, "removable media"},
	{"utmp", BIND, "who is logged in"},
	{"sudo", BIND, "time stamps, so that sudo does not ask again"},
	{"faillock", BIND, "count of wrong passwords: a lane is no way to get more tries"},
	{"pcscd", BIND, "smart cards"},
	{"nvidia-persistenced", BIND, "state of the graphics card"},
	{"screen", FRESH, "a screen of the host would run commands outside the lane"},
	{"gdm", BIND, "X authority file, where the display manager keeps it here"},
	{"gdm3", BIND, "the same"},
	{"lightdm", BIND, "the same"},
	{"sddm", BIND, "the same"},
	{"systemd/seats", BIND, "sd-login: which seat"},
	{"systemd/sessions", BIND, "sd-login: which session"},
	{"systemd/users", BIND, "sd-login: which user"},
	{"systemd/machines", BIND, "sd-login: which container"},
	{"systemd/userdb", BIND, "user and group names of systemd; it knows no hosts"},
	{"systemd/journal", BIND, "logging; /dev/log leads here"},
	{"systemd/system", BIND, "its existence says that systemd runs (sd_booted)"},
	{"current-system", BIND, "NixOS, Guix: the system's programs"},
	{"booted-system", BIND, "NixOS: modules of the running kernel"},
	{"wrappers", BIND, "NixOS: set-uid programs, sudo among them"},
	{"opengl-driver", BIND, "NixOS: graphics drivers"},
	{"opengl-driver-32", BIND, "NixOS: the same for 32-bit programs"},
	{"binfmt", BIND, "NixOS: interpreters of foreign programs"},
	{"setuid-programs", BIND, "Guix: set-uid programs"},
	{"privileged", BIND, "Guix: the same, newer"},
	{".containerenv", BIND, "says that this is a container (podman, toolbox)"},
	{".toolboxenv", BIND, "the same"},
	{"host/etc", BIND, "toolbox: links in /etc lead here; never host/run, which has every socket again"},
	{"host/usr", BIND, "toolbox: the same for /usr"},
	{"host/os-release", BIND, "the host's name in a container"},
	{"host/container-manager", BIND, "which container this is"},
	{"host/fonts", BIND, "fonts of the host in a container"},
};
#define ALLOWED (sizeof(allowed) / sizeof(allowed[0]))

/* One entry while it is on its way from the old /run into the new one. */
struct carried {
	int tree;	  /* a detached copy of the mounts at this place, or -1 */
	struct stat stat; /* st_mode 0: it does not exist */
	char link[256];	  /* what a symbolic link says */
};

struct launch_covered launch_covered[2];
int launch_covered_count;

/* ---- system calls without a wrapper in older C libraries --------------------------------------- */

/* Opens what is at `path` below `base`, as a place only. No component is a symbolic link; the last may be. */
int launch_open_place(int base, const char *path, unsigned long long flags)
{
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW | flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	const long fd = syscall(SYS_openat2, base, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* A detached copy of the mount at a place, with all mounts below it. */
int launch_copy_mounts(int place)
{
	const long tree = syscall(SYS_open_tree, place, "",
				  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);

	return tree < 0 ? -errno : (int)tree;
}

/* Attaches a detached mount on top of a place, and closes both. */
int launch_attach(int tree, int place)
{
	const long result = syscall(SYS_move_mount, tree, "", place, "",
				    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	const int error = errno;

	close(tree);
	close(place);
	return result < 0 ? -error : 0;
}

/* Nothing of ours, or of use, at a place that says so: it is left out or left alone. */
static bool is_absence(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -EACCES;
}

/* ---- stages ------------------------------------------------------------------------------------ */

/* *Does*: from here on no mount of ours reaches the host, and none of the host's reaches us. */
int launch_mount_private(struct launch *launch)
{
	(void)launch;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	/* The helper's directory must not be a way round the masks. */
	return chdir("/") < 0 ? -errno : 0;
}

static void name_entry(const struct launch *launch, size_t index, char *path, size_t size)
{
	if (strcmp(allowed[index].path, USER_RUNTIME) == 0)
		snprintf(path, size, "user/%u", (unsigned)launch->uid);
	else
		snprintf(path, size, "%s", allowed[index].path);
}

/* Takes hold of one entry of the old directory. */
static int take_entry(int base, const char *path, enum what what, struct carried *carried)
{
	int result = 0, place = launch_open_place(base, path, 0);

	carried->tree = -1;
	carried->stat.st_mode = 0;
	if (is_absence(place))
		return 0;
	if (place < 0)
		return place;
	if (fstat(place, &carried->stat) < 0)
		result = -errno;
	else if (S_ISLNK(carried->stat.st_mode)) {
		const ssize_t size = readlinkat(place, "", carried->link, sizeof(carried->link) - 1);

		if (size < 0)
			result = -errno;
		else
			carried->link[size] = '\0';
	} else if (what == BIND) {
		carried->tree = result = launch_copy_mounts(place);
	}
	close(place);
	return result < 0 ? result : 0;
}

/* Makes the directories above the last component of `path`. */
int launch_make_parents(int base, const char *path)
{
	char parent[PATH_MAX];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		if (mkdirat(base, parent, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* Makes an empty file with these bytes. */
int launch_make_file(int base, const char *path, const char *bytes, size_t size)
{
	const int fd = openat(base, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	ssize_t written;
	int error;

	if (fd < 0)
		return -errno;
	written = size ? write(fd, bytes, size) : 0;
	error = written < 0 ? errno : EIO;
	close(fd);
	return written == (ssize_t)size ? 0 : -error;
}

/* Puts one entry into the new directory. */
static int put_entry(const struct launch *launch, int base, const char *path, struct carried *carried)
{
	const mode_t mode = carried->stat.st_mode;
	int result, place;

	if (mode == 0)
		return 0;
	result = launch_make_parents(base, path);
	if (result < 0)
		return result;
	if (S_ISLNK(mode))
		return symlinkat(carried->link, base, path) < 0 ? -errno : 0;
	result = S_ISDIR(mode) ? mkdirat(base, path, 0700) : launch_make_file(base, path, NULL, 0);
	if (result < 0)
		return S_ISDIR(mode) ? -errno : result;
	/* In a user namespace other owners do not exist; below a bind nobody sees whose it was. */
	if (launch->mode == MODE_PRIVILEGED &&
	    fchownat(base, path, carried->stat.st_uid, carried->stat.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (fchmodat(base, path, mode & 07777, 0) < 0)
		return -errno;
	if (carried->tree < 0)
		return 0;
	place = launch_open_place(base, path, 0);
	if (place < 0)
		return place;
	result = launch_attach(carried->tree, place);
	carried->tree = -1;
	return result;
}

/* Covers one directory and binds back what is allowed. */
static int cover_directory(const struct launch *launch, const char *path)
{
	static struct carried carried[ALLOWED];
	struct launch_covered *place = &launch_covered[launch_covered_count];
	char name[64];
	int result = 0, base = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (base < 0 || !realpath(path, place->path))
		return -errno;
	for (size_t i = 0; i < ALLOWED && result == 0; i++) {
		name_entry(launch, i, name, sizeof(name));
		result = take_entry(base, name, allowed[i].what, &carried[i]);
	}
	close(base);
	if (result < 0)
		return result;
	if (mount("culvert", place->path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=4m,nr_inodes=1024") < 0)
		return -errno;
	place->fd = open(place->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place->fd < 0)
		return -errno;
	launch_covered_count++;
	for (size_t i = 0; i < ALLOWED && result == 0; i++) {
		name_entry(launch, i, name, sizeof(name));
		result = put_entry(launch, place->fd, name, &carried[i]);
	}
	return result;
}

/*
 * *Does*: covers /run, and /var/run where that is another directory and not the usual link. Leaves
 * /run/.culvert/lane as the mark by which Culvert's command line sees that it is inside a lane.
 */
int launch_mask_run(struct launch *launch)
{
	struct stat run, var_run;
	bool is_separate;
	int result;

	launch_note_resolver();
	if (stat("/run", &run) < 0)
		return -errno;
	is_separate = stat("/var/run", &var_run) == 0 && S_ISDIR(var_run.st_mode) &&
		      (run.st_dev != var_run.st_dev || run.st_ino != var_run.st_ino);
	result = cover_directory(launch, "/run");
	if (result == 0 && is_separate)
		result = cover_directory(launch, "/var/run");
	if (result < 0)
		return result;
	if (mkdirat(launch_covered[0].fd, ".culvert", 0755) < 0)
		return -errno;
	return launch_make_file(launch_covered[0].fd, ".culvert/lane", NULL, 0);
}

/* An empty directory that nobody can enter or change, not yet attached. */
static int make_blank(void)
{
	const long context = syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	long tree = -1;
	int error;

	if (context < 0)
		return -errno;
	if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "0", 0) == 0 &&
	    syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "size", "4096", 0) == 0 &&
	    syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		tree = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
			       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	error = errno;
	close((int)context);
	return tree < 0 ? -error : (int)tree;
}

/* Covers the directory at `path` below `base`; a link or a file there is nothing that Culvert uses. */
static int hide(int base, const char *path)
{
	const int place = launch_open_place(base, path, O_DIRECTORY);
	int blank;

	if (is_absence(place))
		return 0;
	if (place < 0)
		return place;
	blank = make_blank();
	if (blank < 0) {
		close(place);
		return blank;
	}
	return launch_attach(blank, place);
}

/*
 * *Does*: covers the directories in which engines and helpers have their sockets (paths.ts), so that an app
 * cannot switch its own lane to direct. The engine also refuses peers from a lane's namespace.
 */
int launch_hide_engine(struct launch *launch)
{
	char name[64];
	int result, base;

	snprintf(name, sizeof(name), "user/%u/culvert", (unsigned)launch->uid);
	result = hide(launch_covered[0].fd, name);
	if (result < 0)
		return result;
	base = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return errno == ENOENT ? 0 : -errno;
	snprintf(name, sizeof(name), "culvert-%u", (unsigned)launch->uid);
	result = hide(base, name);
	close(base);
	return result;
}
