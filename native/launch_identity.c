/*
 * Who the app is: the user's ids and groups, and no capability (S26).
 *
 * *Does*: looks the user up, gives every privilege away, and then asks the kernel whether it is really gone.
 * *Must not*: take a group from the caller, keep a capability for later, or trust a call because it said 0.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

/*
 * What a set-uid program inside a privileged lane (sudo, su, pkexec, apt behind them) may get: work on files,
 * users and processes, nothing that changes the network, enters another namespace or looks into a process of
 * the host. So root inside has the lane's network as well.
 *
 * Not here on purpose: SYS_ADMIN, NET_ADMIN, NET_RAW, SYS_PTRACE, SYS_MODULE, SYS_RAWIO, SYS_BOOT, BPF,
 * PERFMON, CHECKPOINT_RESTORE, MKNOD and DAC_READ_SEARCH (open_by_handle_at(2) leaves the mount namespace).
 * The cost: FUSE mounts, and programs whose file demands one of these (ping with cap_net_raw), do not start.
 *
 * In a user namespace nothing is kept: no set-uid program works there, so nobody could use it.
 */
static const struct {
	int capability;
	const char *reason;
} kept[] = {
	{CAP_CHOWN, "apt, install and tar give files to their owners"},
	{CAP_DAC_OVERRIDE, "root writes files whatever their mode"},
	{CAP_FOWNER, "chmod and utime on files of others"},
	{CAP_FSETID, "a set-uid bit survives a write by root"},
	{CAP_KILL, "sudo passes signals on to the command"},
	{CAP_SETGID, "sudo, su and apt change their groups"},
	{CAP_SETUID, "sudo, su and apt change their user"},
	{CAP_SETPCAP, "services drop their own bounding set with it"},
	{CAP_SETFCAP, "packages set capabilities on their files when they are installed"},
	{CAP_NET_BIND_SERVICE, "a server below port 1024, inside the lane"},
	{CAP_SYS_CHROOT, "dpkg --root, and services that lock themselves in"},
	{CAP_SYS_NICE, "programs with cap_sys_nice on their file do not start without it (gamescope)"},
	{CAP_SYS_RESOURCE, "sudo sets and restores limits"},
	{CAP_IPC_LOCK, "the same for cap_ipc_lock (gnome-keyring-daemon)"},
	{CAP_AUDIT_WRITE, "PAM refuses a session that it cannot write to the audit log"},
};

static bool is_kept(const struct launch *launch, int capability)
{
	if (launch->mode != MODE_PRIVILEGED)
		return false;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kept[i].capability == capability)
			return true;
	return false;
}

/* The user's groups as the system's database has them, in launch->groups. */
static int list_groups(struct launch *launch, const char *name)
{
	int room = 64;

	for (;;) {
		int count = room;
		gid_t *groups = calloc((size_t)room, sizeof(*groups));

		if (!groups)
			return -ENOMEM;
		if (getgrouplist(name, launch->gid, groups, &count) >= 0) {
			launch->groups = groups;
			launch->group_count = count;
			return 0;
		}
		free(groups);
		if (room >= NGROUPS_MAX)
			return -E2BIG;
		room = count > room && count <= NGROUPS_MAX ? count : NGROUPS_MAX;
	}
}

/*
 * *Does*: asks the system's user database for the primary group and the groups of the user.
 * In a user namespace there is nothing to ask: this process already has the caller's own groups.
 */
int launch_find_user(struct launch *launch)
{
	struct passwd entry, *found = NULL;
	size_t size = 16384;
	int result = ERANGE;

	if (launch->mode != MODE_PRIVILEGED)
		return 0;
	while (result == ERANGE && size <= 1024 * 1024) {
		char *strings = malloc(size);

		if (!strings)
			return -ENOMEM;
		result = getpwuid_r(launch->uid, &entry, strings, size, &found);
		if (result == 0 && found) {
			launch->gid = found->pw_gid;
			result = list_groups(launch, found->pw_name);
			free(strings);
			return result;
		}
		free(strings);
		size *= 2;
	}
	return result ? -result : -ENOENT;
}

/* *Does*: replaces root's groups. In a user namespace setgroups(2) is forbidden, and not needed. */
int launch_set_groups(struct launch *launch)
{
	if (launch->mode != MODE_PRIVILEGED)
		return 0;
	return setgroups((size_t)launch->group_count, launch->groups) < 0 ? -errno : 0;
}

/* *Does*: takes out of the bounding set, for good, what no program inside may ever get by execve(2). */
int launch_drop_bounding(struct launch *launch)
{
	int present;

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	/* The kernel knows one capability after the other until EINVAL, also those newer than this file. */
	for (int capability = 0; (present = prctl(PR_CAPBSET_READ, capability)) >= 0; capability++)
		if (present && !is_kept(launch, capability) && prctl(PR_CAPBSET_DROP, capability) < 0)
			return -errno;
	return 0;
}

int launch_set_gid(struct launch *launch)
{
	return setresgid(launch->gid, launch->gid, launch->gid) < 0 ? -errno : 0;
}

int launch_set_uid(struct launch *launch)
{
	return setresuid(launch->uid, launch->uid, launch->uid) < 0 ? -errno : 0;
}

/* Bit `capability` of the kept set, for an app that runs as root because root started Culvert. */
static uint64_t rights_of(const struct launch *launch)
{
	uint64_t rights = 0;

	for (int capability = 0; launch->uid == 0 && capability < 64; capability++)
		if (is_kept(launch, capability) && prctl(PR_CAPBSET_READ, capability) == 1)
			rights |= UINT64_C(1) << capability;
	return rights;
}

/*
 * *Does*: empties the effective, permitted and inheritable sets; for uid 0 leaves what its execve(2) would
 * give it anyway, so that the working directory can be entered.
 */
int launch_drop_capabilities(struct launch *launch)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
	const uint64_t rights = rights_of(launch);

	for (int half = 0; half < 2; half++)
		data[half].effective = data[half].permitted = (uint32_t)(rights >> (32 * half));
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int compare_groups(const void *one, const void *other)
{
	const gid_t a = *(const gid_t *)one, b = *(const gid_t *)other;

	return (a > b) - (a < b);
}

/* The kernel's list against the database's, each sorted; either may have a group twice. */
static int verify_groups(struct launch *launch)
{
	int count = getgroups(0, NULL);
	gid_t *present;

	if (count != launch->group_count)
		return count < 0 ? -errno : -EPERM;
	present = calloc((size_t)count + 1, sizeof(*present));
	if (!present)
		return -ENOMEM;
	count = getgroups(count, present);
	qsort(launch->groups, (size_t)launch->group_count, sizeof(gid_t), compare_groups);
	qsort(present, (size_t)launch->group_count, sizeof(gid_t), compare_groups);
	count = count == launch->group_count && memcmp(present, launch->groups, (size_t)count * sizeof(gid_t)) == 0;
	free(present);
	return count ? 0 : -EPERM;
}

static int verify_capabilities(const struct launch *launch)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	const uint64_t rights = rights_of(launch);
	int present;

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (int half = 0; half < 2; half++)
		if (data[half].inheritable || data[half].effective != (uint32_t)(rights >> (32 * half)) ||
		    data[half].permitted != (uint32_t)(rights >> (32 * half)))
			return -EPERM;
	for (int capability = 0; (present = prctl(PR_CAPBSET_READ, capability)) >= 0; capability++)
		if ((present && !is_kept(launch, capability)) ||
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) != 0)
			return -EPERM;
	return 0;
}

/*
 * *Does*: asks the kernel for everything that the stages before have set, and tries to become root again,
 * which has to fail.
 */
int launch_verify_identity(struct launch *launch)
{
	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;
	int result;

	if (getresuid(&uid, &euid, &suid) < 0 || getresgid(&gid, &egid, &sgid) < 0)
		return -errno;
	if (uid != launch->uid || euid != uid || suid != uid || gid != launch->gid || egid != gid || sgid != gid)
		return -EPERM;
	if (launch->mode == MODE_PRIVILEGED) {
		result = verify_groups(launch);
		if (result < 0)
			return result;
	}
	result = verify_capabilities(launch);
	if (result < 0)
		return result;
	if (launch->uid != 0 && setuid(0) == 0)
		return -EPERM;
	return 0;
}
