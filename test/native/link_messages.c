/* Messages with descriptors: whole or not at all, and no descriptor is left behind by those that are refused. */
#include <sys/stat.h>
#include <sys/un.h>

#include "talk.h"

static char path[64];

static void connect_link(int out[2])
{
	int listener;

	snprintf(path, sizeof path, "/tmp/culvert-link-%d", getpid());
	listener = cv_link_listen(path);
	CHECK(listener >= 0);
	EXPECT(cv_link_accept(listener), -EAGAIN);
	out[0] = cv_link_connect(path);
	CHECK(out[0] >= 0);
	EVENTUALLY((out[1] = cv_link_accept(listener)) >= 0);
	EXPECT(cv_close(listener), 0);
	CHECK(unlink(path) == 0);
}

static void messages(void)
{
	int ends[2], pipe_fds[2], came[8] = {0};
	int32_t count = -1;
	char bytes[64];

	connect_link(ends);
	EXPECT(cv_link_receive(ends[1], bytes, sizeof bytes, came, 8, &count), -EAGAIN);
	EXPECT(count, 0);
	CHECK(pipe(pipe_fds) == 0);
	EXPECT(cv_link_send(ends[0], "one", 3, NULL, 0), 0);
	EXPECT(cv_link_send(ends[0], "three", 5, (int[]){pipe_fds[0], pipe_fds[1], 1}, 3), 0);
	EXPECT(cv_link_send(ends[0], "", 0, NULL, 0), -EINVAL);
	EXPECT(cv_link_send(ends[0], "x", 1, came, 254), -EINVAL);
	EXPECT(cv_link_send(ends[0], "x", 1, (int[]){999}, 1), -EBADF);
	EXPECT(cv_link_receive(ends[1], bytes, sizeof bytes, came, 8, &count), 3);
	CHECK(memcmp(bytes, "one", 3) == 0);
	EXPECT(count, 0);
	EXPECT(cv_link_receive(ends[1], bytes, sizeof bytes, came, 8, &count), 5);
	CHECK(memcmp(bytes, "three", 5) == 0);
	EXPECT(count, 3);
	for (int i = 0; i < 3; i++)
		EXPECT(fcntl(came[i], F_GETFD), FD_CLOEXEC);
	CHECK(write(came[1], "through", 7) == 7);
	CHECK(read(pipe_fds[0], bytes, sizeof bytes) == 7);
	EXPECT(cv_close(ends[0]), 0);
	EXPECT(cv_close(ends[0]), -EBADF);
	EXPECT(cv_link_receive(ends[1], bytes, sizeof bytes, came, 8, &count), 0);
	EXPECT(cv_link_send(ends[1], "x", 1, NULL, 0), -EPIPE);
}

static void too_much(void)
{
	static char large[1 << 16];
	int ends[2], fds[253], came[4];
	int32_t count;

	connect_link(ends);
	for (int i = 0; i < 253; i++)
		fds[i] = 1;
	int before = descriptor_count();
	/* Longer than there is room for, more descriptors than there is room for, by one and by far. */
	EXPECT(cv_link_send(ends[0], large, 101, fds, 4), 0);
	EXPECT(cv_link_receive(ends[1], large, 100, came, 4, &count), -EMSGSIZE);
	EXPECT(count, 0);
	EXPECT(cv_link_send(ends[0], large, 100, fds, 5), 0);
	EXPECT(cv_link_receive(ends[1], large, 100, came, 4, &count), -EMSGSIZE);
	EXPECT(count, 0);
	EXPECT(cv_link_send(ends[0], large, 100, fds, 253), 0);
	EXPECT(cv_link_receive(ends[1], large, 100, came, 4, &count), -EMSGSIZE);
	EXPECT(cv_link_send(ends[0], large, 100, fds, 1), 0);
	EXPECT(cv_link_receive(ends[1], large, 100, came, 0, &count), -EMSGSIZE);
	/* An empty message is an end of file, and what came with it is closed. */
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.align = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct msghdr empty = {.msg_control = &control, .msg_controllen = sizeof control};
	memcpy(CMSG_DATA(&control.align), &(int){1}, sizeof(int));
	CHECK(sendmsg(ends[0], &empty, 0) == 0);
	EXPECT(cv_link_receive(ends[1], large, 100, came, 4, &count), 0);
	EXPECT(count, 0);
	EXPECT(descriptor_count(), before);
	EXPECT(cv_link_send(ends[0], large, 100, fds, 4), 0);
	EXPECT(cv_link_receive(ends[1], large, 100, came, 4, &count), 100);
	EXPECT(count, 4);
	EXPECT(descriptor_count(), before + 4);
}

static void who_and_where(void)
{
	char *longest = calloc(1, 200);
	struct stat status;
	int ends[2], peer[3];

	connect_link(ends);
	for (int i = 0; i < 2; i++) {
		EXPECT(cv_link_peer(ends[i], peer), 0);
		EXPECT(peer[0], getpid());
		EXPECT(peer[1], geteuid());
		EXPECT(peer[2], getegid());
	}
	EXPECT(fcntl(ends[1], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	EXPECT(cv_link_connect(path), -ENOENT);
	umask(0);
	int listener = cv_link_listen(path);
	CHECK(listener >= 0);
	CHECK(stat(path, &status) == 0);
	EXPECT(status.st_mode & 07777, 0600);
	/* A socket file that is there stays as it is. */
	EXPECT(cv_link_listen(path), -EADDRINUSE);
	EXPECT(cv_close(listener), 0);
	EXPECT(cv_link_connect(path), -ECONNREFUSED);
	EXPECT(cv_link_listen(path), -EADDRINUSE);
	CHECK(unlink(path) == 0);
	memset(longest, 'x', 150);
	EXPECT(cv_link_listen(longest), -ENAMETOOLONG);
	EXPECT(cv_link_connect(longest), -ENAMETOOLONG);
	free(longest);
}

static void no_room(void)
{
	static char bytes[1000];
	int64_t start;
	int ends[2], result;

	connect_link(ends);
	start = now_ms();
	while ((result = cv_link_send(ends[0], bytes, sizeof bytes, NULL, 0)) == 0)
		start = now_ms();
	EXPECT(result, -ETIMEDOUT);
	CHECK(now_ms() - start >= 4900 && now_ms() - start < 15000);
}

int main(void)
{
	in_process("messages keep their borders and their descriptors", messages);
	in_process("what does not fit is refused and leaves no descriptor", too_much);
	in_process("the peer is known and the socket file is its owner's alone", who_and_where);
	in_process("a sender without room gives up after 5 s", no_room);
	return 0;
}
