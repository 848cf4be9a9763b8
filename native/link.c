/*
 * Messages with descriptors between two processes (unix(7), SOCK_SEQPACKET).
 *
 * *Does*: keep message borders, pass descriptors, tell who the peer is.
 * *Must not*: lose a descriptor. What comes with a message that is refused is closed; what comes at all is
 * close-on-exec from the start (MSG_CMSG_CLOEXEC). Looks at no byte of a message.
 * Receiving never blocks; sending waits a bounded time, since the sender has nothing useful to do meanwhile.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "internal.h"

#define SEND_PATIENCE_MS 5000
/* SCM_MAX_FD of the kernel. */
#define DESCRIPTORS_MAX 253
#define BACKLOG 16
/* The kernel cuts it to net.core.wmem_max; a message may be as long as the buffer. */
#define SEND_BUFFER (1 << 20)

union control {
	struct cmsghdr align;
	unsigned char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
};

static int address_of(const char *path, struct sockaddr_un *address)
{
	size_t length = strlen(path);

	if (length == 0 || length >= sizeof address->sun_path)
		return -ENAMETOOLONG;
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, length);
	return 0;
}

static int close_with(int fd, int error)
{
	close(fd);
	return -error;
}

/*
 * Listens at path, which must not exist (-EADDRINUSE). The mode of a socket file is the mode of the socket's
 * own inode less the umask, so that fchmod(2) before bind(2) leaves no moment in which others could connect.
 */
int cv_link_listen(const char *path)
{
	struct sockaddr_un address;
	int result = address_of(path, &address);
	int fd;

	if (result < 0)
		return result;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return close_with(fd, errno);
	return fd;
}

/* The next connection, non-blocking; -EAGAIN when nobody waits. */
int cv_link_accept(int listener)
{
	int fd;

	do
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	/* A smaller buffer only means a smaller longest message. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SEND_BUFFER}, sizeof(int));
	return fd;
}

/* Connects; waits at most 5 s while the listener's backlog is full. */
int cv_link_connect(const char *path)
{
	struct timeval patience = {.tv_sec = SEND_PATIENCE_MS / 1000};
	struct sockaddr_un address;
	int result = address_of(path, &address);
	int fd;

	if (result < 0)
		return result;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
		return close_with(fd, errno);
	do
		result = connect(fd, (struct sockaddr *)&address, sizeof address);
	while (result < 0 && errno == EINTR);
	if (result < 0)
		return close_with(fd, errno == EAGAIN ? ETIMEDOUT : errno);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SEND_BUFFER}, sizeof(int));
	return fd;
}

/* Process, user and group id of the peer when it connected or listened, into out[3] (SO_PEERCRED). */
int cv_link_peer(int fd, int32_t *out)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	out[0] = peer.pid;
	out[1] = (int32_t)peer.uid;
	out[2] = (int32_t)peer.gid;
	return 0;
}

static int wait_for_room(int fd, int64_t deadline)
{
	for (;;) {
		struct pollfd room = {.fd = fd, .events = POLLOUT};
		int64_t left = deadline - cv_monotonic_ms();
		int ready = left <= 0 ? 0 : poll(&room, 1, (int)left);

		if (ready > 0)
			return 0;
		if (ready == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/*
 * Sends one message of 1 or more bytes with at most 253 descriptors, all or nothing. -EMSGSIZE when it is longer
 * than the send buffer, -EPIPE when the peer is gone, -ETIMEDOUT after 5 s without room.
 */
int cv_link_send(int fd, const void *message, uint32_t size, const int32_t *fds, int32_t count)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = size};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	int64_t deadline = cv_monotonic_ms() + SEND_PATIENCE_MS;
	union control control;

	/* An empty message would look like end of file. */
	if (size == 0 || count < 0 || count > DESCRIPTORS_MAX)
		return -EINVAL;
	if (count > 0) {
		size_t bytes = sizeof(int) * (size_t)count;

		memset(&control, 0, sizeof control);
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(bytes);
		struct cmsghdr *first = CMSG_FIRSTHDR(&header);
		first->cmsg_level = SOL_SOCKET;
		first->cmsg_type = SCM_RIGHTS;
		first->cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(first), fds, bytes);
	}
	for (;;) {
		int result;

		if (sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		result = wait_for_room(fd, deadline);
		if (result < 0)
			return result;
	}
}

/* Takes the descriptors of a message: those beyond room are closed. Returns how many came. */
static int32_t take_descriptors(struct msghdr *header, int32_t *fds, int32_t room)
{
	int32_t came = 0;

	for (struct cmsghdr *each = CMSG_FIRSTHDR(header); each; each = CMSG_NXTHDR(header, each)) {
		size_t bytes = each->cmsg_len - CMSG_LEN(0);

		if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int), came++) {
			int fd;

			memcpy(&fd, CMSG_DATA(each) + at, sizeof fd);
			if (came < room)
				fds[came] = fd;
			else
				close(fd);
		}
	}
	return came;
}

/*
 * Receives one message: its size, 0 at end of file (or for an empty message, which ours never send), -EAGAIN
 * when there is none, -EMSGSIZE when it or its descriptors did not fit; then everything that came is closed.
 */
int cv_link_receive(int fd, void *message, uint32_t size, int32_t *fds, int32_t room, int32_t *count)
{
	struct iovec part = {.iov_base = message, .iov_len = size};
	union control control;
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	ssize_t received;
	int32_t came;

	*count = 0;
	do
		received = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (received < 0 && errno == EINTR);
	if (received < 0)
		return -errno;
	came = take_descriptors(&header, fds, room);
	if (received > 0 && came <= room && !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		*count = came;
		return (int)received;
	}
	for (int32_t i = 0; i < came && i < room; i++)
		close(fds[i]);
	return received == 0 ? 0 : -EMSGSIZE;
}

/* Closes a descriptor. On Linux it is gone also after EINTR (close(2)). */
int cv_close(int fd)
{
	return close(fd) < 0 && errno != EINTR ? -errno : 0;
}
