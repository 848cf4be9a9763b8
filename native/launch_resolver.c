/*
 * The resolver files of an app: resolv.conf(5) is a constant, nsswitch.conf(5) the host's with one line changed.
 *
 * *Does*: sends the name look-ups of the app's C library to /etc/hosts and to port 53, and nowhere else: no
 * nss-resolve, nss-mdns or winbind, no search list of the host.
 * *Must not*: write to the host's files; the copies are in the app's own /run and are bound over them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"

/*
 * 192.0.0.1 is the lane's gateway, which answers for every address anyway; no search list, because the host's
 * local domain is nobody's business.
 */
static const char resolv_content[] = "nameserver 192.0.0.1\noptions edns0\n";
static const char hosts_line[] = "hosts: files dns\n";

#define NSSWITCH_MAX 65536

/* Where the two files really were before /run was covered, without links; "" for nowhere. */
static char resolv_path[PATH_MAX], nsswitch_path[PATH_MAX];

void launch_note_resolver(void)
{
	if (!realpath("/etc/resolv.conf", resolv_path))
		resolv_path[0] = '\0';
	if (!realpath("/etc/nsswitch.conf", nsswitch_path))
		nsswitch_path[0] = '\0';
}

/* Whether a line of nsswitch.conf(5) is the one for hosts. */
static bool is_hosts_line(const char *line)
{
	line += strspn(line, " \t");
	return strncasecmp(line, "hosts", 5) == 0 && strchr(": \t\r\n", line[5]);
}

/* The host's nsswitch.conf with its hosts line replaced, or added at the end. Returns the new size. */
static size_t replace_hosts_line(const char *text, char *out)
{
	bool is_done = false;
	size_t size = 0;

	while (*text) {
		const size_t length = strcspn(text, "\n");

		if (!is_hosts_line(text)) {
			memcpy(out + size, text, length);
			size += length;
			out[size++] = '\n';
		} else if (!is_done) {
			memcpy(out + size, hosts_line, sizeof(hosts_line) - 1);
			size += sizeof(hosts_line) - 1;
			is_done = true;
		}
		text += length + (text[length] == '\n');
	}
	if (!is_done) {
		memcpy(out + size, hosts_line, sizeof(hosts_line) - 1);
		size += sizeof(hosts_line) - 1;
	}
	return size;
}

/* Reads the host's nsswitch.conf as a string; one that cannot be read is an empty one. */
static int read_nsswitch(char *text)
{
	const int fd = open("/etc/nsswitch.conf", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat stat;
	ssize_t size = 0;

	if (fd >= 0) {
		if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode))
			size = launch_read_all(fd, text, NSSWITCH_MAX);
		close(fd);
	}
	if (size < 0 || size == NSSWITCH_MAX)
		return size < 0 ? (int)size : -EFBIG;
	text[size] = '\0';
	return 0;
}

/*
 * Binds a file of /run/.culvert over the place where `real` was. /etc/resolv.conf is often a link into /run:
 * then its target is gone with the mask and is made again. One that did not exist before is left so; the lane
 * answers at 127.0.0.1 as well, which is where resolvers turn without it (resolv.conf(5)).
 */
static int cover_file(const char *real, const char *content)
{
	int place, source, tree, result;

	if (!*real)
		return 0;
	place = open(real, O_PATH | O_CLOEXEC);
	for (int i = 0; i < launch_covered_count && place < 0 && errno == ENOENT; i++) {
		const size_t length = strlen(launch_covered[i].path);

		if (strncmp(real, launch_covered[i].path, length) != 0 || real[length] != '/')
			continue;
		result = launch_make_parents(launch_covered[i].fd, real + length + 1);
		if (result == 0)
			result = launch_make_file(launch_covered[i].fd, real + length + 1, NULL, 0);
		if (result < 0)
			return result;
		place = launch_open_place(launch_covered[i].fd, real + length + 1, 0);
	}
	if (place < 0)
		return -errno;
	source = launch_open_place(launch_covered[0].fd, content, 0);
	tree = source < 0 ? source : launch_copy_mounts(source);
	if (source >= 0)
		close(source);
	if (tree < 0) {
		close(place);
		return tree;
	}
	return launch_attach(tree, place);
}

/* *Does*: name look-ups of the app's C library go to files and to port 53, and nowhere else. */
int launch_set_resolver(struct launch *launch)
{
	static char host[NSSWITCH_MAX + 1], own[NSSWITCH_MAX + 2 * sizeof(hosts_line)];
	int result;

	(void)launch;
	result = launch_make_file(launch_covered[0].fd, ".culvert/resolv.conf", resolv_content, sizeof(resolv_content) - 1);
	if (result == 0)
		result = read_nsswitch(host);
	if (result == 0)
		result = launch_make_file(launch_covered[0].fd, ".culvert/nsswitch.conf", own, replace_hosts_line(host, own));
	if (result == 0)
		result = cover_file(resolv_path, ".culvert/resolv.conf");
	if (result == 0)
		result = cover_file(nsswitch_path, ".culvert/nsswitch.conf");
	return result;
}
