/* Namespaces and the sockets of a lane, made in namespaces of this test's own. */
#include <sched.h>
#include <sys/ioctl.h>
#include <net/if.h>

#include "talk.h"

#ifndef IP_TRANSPARENT
#define IP_TRANSPARENT 19
#endif

/* An ordinary user gets the rights over network namespaces from a user namespace. */
static void own_namespace(void)
{
	if (geteuid() != 0)
		CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(cv_netns_new() >= 0);
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof value;

	CHECK(getsockopt(fd, level, name, &value, &size) == 0);
	return value;
}

static void is_closed_on_exec_and_nonblocking(int fd)
{
	CHECK(fd >= 0);
	EXPECT(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	request.ifr_flags = IFF_UP;
	CHECK(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
	close(fd);
}

static void namespaces(void)
{
	int host = cv_netns_self(), lane, again;
	int pipe_fds[2];
	int64_t host_inode = cv_netns_inode(host), lane_inode;

	CHECK(host >= 0 && host_inode > 0);
	own_namespace();
	lane = cv_netns_self();
	lane_inode = cv_netns_inode(lane);
	CHECK(lane_inode > 0 && lane_inode != host_inode);
	again = cv_netns_new();
	CHECK(cv_netns_inode(again) != lane_inode);
	EXPECT(cv_netns_enter(lane), 0);
	EXPECT(cv_netns_inode(cv_netns_self()), lane_inode);
	EXPECT(fcntl(lane, F_GETFD), FD_CLOEXEC);
	EXPECT(cv_netns_inode(cv_netns_of(getpid())), lane_inode);
	EXPECT(cv_netns_of(-1), -EINVAL);
	CHECK(cv_netns_of(0x3fffffff) == -ENOENT);
	CHECK(pipe(pipe_fds) == 0);
	EXPECT(cv_netns_inode(pipe_fds[0]), -EINVAL);
	EXPECT(cv_netns_enter(pipe_fds[0]), -EINVAL);
	int user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	EXPECT(cv_netns_inode(user), -EINVAL);
	EXPECT(cv_netns_enter(user), -EINVAL);
}

static void tcp_listener(void)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(1500)};
	int fd, client, accepted;

	own_namespace();
	loopback_up();
	fd = cv_mint_tcp(1, 1500, 1);
	is_closed_on_exec_and_nonblocking(fd);
	EXPECT(option(fd, SOL_IP, IP_TRANSPARENT), 1);
	EXPECT(option(fd, SOL_IPV6, IPV6_TRANSPARENT), 1);
	EXPECT(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
	/* Dual-stack: IPv4 arrives at the IPv6 socket. */
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(connect(client, (struct sockaddr *)&four, sizeof four) == 0);
	EVENTUALLY((accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0);
	close(accepted);
	EXPECT(cv_mint_tcp(1, 1500, 1), -EADDRINUSE);
	EXPECT(cv_mint_tcp(1, 0, 1), -EINVAL);
	EXPECT(cv_mint_tcp(1, 65536, 1), -EINVAL);
	fd = cv_mint_tcp(0, 1501, 0);
	is_closed_on_exec_and_nonblocking(fd);
	EXPECT(option(fd, SOL_IP, IP_TRANSPARENT), 0);
	EXPECT(option(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
}

static void datagram_sockets(void)
{
	int fd;

	own_namespace();
	loopback_up();
	fd = cv_mint_udp(1, 1500);
	is_closed_on_exec_and_nonblocking(fd);
	EXPECT(option(fd, SOL_IP, IP_TRANSPARENT), 1);
	EXPECT(option(fd, SOL_IPV6, IPV6_TRANSPARENT), 1);
	EXPECT(option(fd, SOL_IP, IP_RECVORIGDSTADDR), 1);
	EXPECT(option(fd, SOL_IPV6, IPV6_RECVORIGDSTADDR), 1);
	CHECK(option(fd, SOL_SOCKET, SO_RCVBUF) >= 212992);
	fd = cv_mint_udp(0, 1501);
	is_closed_on_exec_and_nonblocking(fd);
	EXPECT(option(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
	fd = cv_mint_raw(4);
	is_closed_on_exec_and_nonblocking(fd);
	EXPECT(option(fd, SOL_IP, IP_HDRINCL), 1);
	fd = cv_mint_raw(6);
	is_closed_on_exec_and_nonblocking(fd);
	EXPECT(option(fd, SOL_IPV6, IPV6_HDRINCL), 1);
	EXPECT(cv_mint_raw(5), -EINVAL);
	EXPECT(cv_mint_udp(1, -1), -EINVAL);
}

static void stub_sockets(void)
{
	own_namespace();
	loopback_up();
	for (int family = 4; family <= 6; family += 2)
		for (int stream = 0; stream <= 1; stream++) {
			struct sockaddr_storage own;
			socklen_t size = sizeof own;
			int fd = cv_mint_stub(family, stream, 5353);

			is_closed_on_exec_and_nonblocking(fd);
			CHECK(getsockname(fd, (struct sockaddr *)&own, &size) == 0);
			if (family == 4)
				EXPECT(ntohl(((struct sockaddr_in *)&own)->sin_addr.s_addr), INADDR_LOOPBACK);
			else
				CHECK(IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&own)->sin6_addr));
			EXPECT(option(fd, SOL_SOCKET, SO_ACCEPTCONN), stream);
			EXPECT(cv_mint_stub(family, stream, 5353), -EADDRINUSE);
		}
	EXPECT(cv_mint_stub(5, 0, 5353), -EINVAL);
	EXPECT(cv_mint_stub(4, 0, 0), -EINVAL);
}

static void sockets_of_the_engine(void)
{
	char device[IFNAMSIZ];

	own_namespace();
	loopback_up();
	for (int family = 4; family <= 6; family += 2)
		for (int is_bound = 0; is_bound <= 1; is_bound++)
			for (int stream = 0; stream <= 1; stream++) {
				const char *name = is_bound ? "lo" : NULL;
				int fd = stream ? cv_tcp_socket(family, name) : cv_udp_socket(family, name);
				socklen_t size = sizeof device;

				is_closed_on_exec_and_nonblocking(fd);
				EXPECT(option(fd, SOL_SOCKET, SO_TYPE), stream ? SOCK_STREAM : SOCK_DGRAM);
				EXPECT(option(fd, SOL_SOCKET, SO_DOMAIN), family == 4 ? AF_INET : AF_INET6);
				CHECK(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &size) == 0);
				EXPECT(size, is_bound ? sizeof "lo" : 0);
				close(fd);
			}
	for (int i = 0; i < 3; i++) {
		const char *names[] = {"missing", "", "longer-than-an-interface-can-be"};
		int before = descriptor_count();

		EXPECT(cv_tcp_socket(4, names[i]), -ENODEV);
		EXPECT(cv_udp_socket(6, names[i]), -ENODEV);
		EXPECT(descriptor_count(), before);
	}
}

int main(void)
{
	in_process("a thread makes, names and enters network namespaces, and nothing else passes for one", namespaces);
	in_process("the listener is transparent and takes both families", tcp_listener);
	in_process("the receiver tells original destinations, raw sockets bring their headers", datagram_sockets);
	in_process("the engine's sockets leave by the interface that is named", sockets_of_the_engine);
	in_process("stubs are bound to the loopback address alone", stub_sockets);
	return 0;
}
