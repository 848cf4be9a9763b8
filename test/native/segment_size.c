/* How large TCP's pieces may be on an interface, asked and read back. */
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/utsname.h>

#include "check.h"

#define GSO_IPV4_MAX_SIZE 63

/* What the kernel says of the loopback's attribute; 0 where it does not know it. */
static uint32_t kept(void)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {
		.header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST},
		.link = {.ifi_index = (int)if_nametoindex("lo")},
	};
	_Alignas(struct nlmsghdr) char room[32768];
	const struct nlmsghdr *header = (const void *)room;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t size;
	uint32_t left;

	CHECK(fd >= 0);
	CHECK(send(fd, &request, sizeof request, 0) == (ssize_t)sizeof request);
	size = recv(fd, room, sizeof room, 0);
	close(fd);
	CHECK(size > 0 && NLMSG_OK(header, (size_t)size) && header->nlmsg_type == RTM_NEWLINK);
	left = (uint32_t)IFLA_PAYLOAD(header);
	for (const struct rtattr *each = IFLA_RTA(NLMSG_DATA(header)); left >= sizeof *each;) {
		uint32_t whole = RTA_ALIGN((uint32_t)each->rta_len);

		CHECK(each->rta_len >= sizeof *each && each->rta_len <= left);
		if (each->rta_type == GSO_IPV4_MAX_SIZE) {
			uint32_t value;

			memcpy(&value, RTA_DATA(each), sizeof value);
			return value;
		}
		left -= whole < left ? whole : left;
		each = (const void *)((const char *)each + whole);
	}
	return 0;
}

int main(void)
{
	int before = descriptor_count();

	if (geteuid() != 0)
		CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(unshare(CLONE_NEWNET) == 0);
	EXPECT(cv_segment_size("none", 1 << 17), -ENODEV);
	passed("an interface that is not there is said");
	if (kept() == 0) {
		EXPECT(cv_segment_size("lo", 1 << 17), 0);
		passed("a kernel that knows no large segments goes on without");
	} else {
		EXPECT(cv_segment_size("lo", 1 << 17), 0);
		EXPECT(kept(), 1 << 17);
		CHECK(cv_segment_size("lo", UINT32_MAX) < 0);
		EXPECT(kept(), 1 << 17);
		passed("segments become as large as asked for, and not larger than the kernel can");
	}
	EXPECT(descriptor_count(), before);
	passed("nothing stays open");
	return 0;
}
