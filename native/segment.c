/*
 * How large the pieces are in which TCP hands its bytes to the link of a lane.
 *
 * *Does*: ask the kernel for "BIG TCP" on one interface of the calling thread's network namespace (rtnetlink(7)).
 * *Must not*: change anything else of the interface.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

/* Linux 6.3 has it; the headers of older systems do not. */
#define GSO_IPV4_MAX_SIZE 63

struct request {
	struct nlmsghdr header;
	struct ifinfomsg link;
	struct rtattr attribute;
	uint32_t bytes;
};

struct answer {
	struct nlmsghdr header;
	struct nlmsgerr error;
};

static int ask(int fd, const struct request *request)
{
	/* An error quotes the request behind its number. */
	char room[sizeof(struct answer) + sizeof *request];
	struct answer answer;
	ssize_t size;

	if (send(fd, request, sizeof *request, 0) < 0)
		return -errno;
	size = recv(fd, room, sizeof room, 0);
	if (size < 0)
		return -errno;
	if ((size_t)size < sizeof answer)
		return -EBADMSG;
	memcpy(&answer, room, sizeof answer);
	return answer.header.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EBADMSG;
}

int cv_segment_size(const char *interface, uint32_t bytes)
{
	unsigned int index = if_nametoindex(interface);
	struct request request = {
		.header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_SETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)index},
		.attribute = {.rta_len = RTA_LENGTH(sizeof bytes), .rta_type = GSO_IPV4_MAX_SIZE},
		.bytes = bytes,
	};
	int fd, result;

	if (index == 0)
		return -errno;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	result = ask(fd, &request);
	close(fd);
	return result;
}
