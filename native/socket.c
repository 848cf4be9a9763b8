/*
 * Network namespaces and the sockets of a lane.
 *
 * *Does*: make, name and enter namespaces; mint the sockets that the helper hands to the engine. Every function
 * acts on the calling thread's present namespace and on nothing else; Node's JavaScript runs on one thread, so
 * enter, mint and enter back is one run of JavaScript without a wait in between.
 * *Must not*: touch an interface, a route or a rule, connect anywhere, or send a byte.
 * Every descriptor is close-on-exec, every socket non-blocking.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define BACKLOG 4096
/* Bursts of datagrams until the relay thread comes round. */
#define UDP_BUFFER (4 << 20)

static int close_with(int fd, int error)
{
	close(fd);
	return -error;
}

static int option_on(int fd, int level, int name)
{
	return setsockopt(fd, level, name, &(int){1}, sizeof(int));
}

int cv_netns_self(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int cv_netns_new(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	return cv_netns_self();
}

/* Enters a namespace; -EINVAL when the descriptor is not a network namespace. */
int cv_netns_enter(int fd)
{
	return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

/*
 * Inode number of a network namespace, which names it as long as anything keeps it (namespaces(7));
 * -EINVAL when the descriptor is something else. Inode numbers of nsfs are 32 bits wide.
 */
int64_t cv_netns_inode(int fd)
{
	struct stat status;
	int kind = ioctl(fd, NS_GET_NSTYPE);

	if (kind < 0)
		return errno == ENOTTY ? -EINVAL : -errno;
	if (kind != CLONE_NEWNET)
		return -EINVAL;
	if (fstat(fd, &status) < 0)
		return -errno;
	return (int64_t)status.st_ino;
}

int cv_netns_of(int pid)
{
	char path[32];
	int fd;

	if (pid <= 0)
		return -EINVAL;
	snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* Accepts and sends for addresses that are not its own, in both families (ip(7), ipv6(7); CAP_NET_ADMIN). */
static int make_transparent(int fd, int ipv6)
{
	if (option_on(fd, SOL_IP, IP_TRANSPARENT) < 0)
		return -1;
	return ipv6 ? option_on(fd, SOL_IPV6, IPV6_TRANSPARENT) : 0;
}

/* Binds to the wildcard address; IPv6 is dual-stack. */
static int bind_any(int fd, int ipv6, int port)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	if (!ipv6)
		return bind(fd, (struct sockaddr *)&four, sizeof four);
	if (setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int)) < 0)
		return -1;
	return bind(fd, (struct sockaddr *)&six, sizeof six);
}

static int open_socket(int family, int type, int protocol)
{
	return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
}

/* A listener for all of the lane's TCP; an accepted socket's local address is the original destination. */
int cv_mint_tcp(int ipv6, int port, int transparent)
{
	int fd;

	if (port <= 0 || port > 65535)
		return -EINVAL;
	fd = open_socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		return -errno;
	if (option_on(fd, SOL_SOCKET, SO_REUSEADDR) < 0 || (transparent && make_transparent(fd, ipv6) < 0) ||
	    bind_any(fd, ipv6, port) < 0 || listen(fd, BACKLOG) < 0)
		return close_with(fd, errno);
	return fd;
}

/* The receiver of all of the lane's UDP; each datagram tells its original destination as ancillary data. */
int cv_mint_udp(int ipv6, int port)
{
	int fd;

	if (port <= 0 || port > 65535)
		return -EINVAL;
	fd = open_socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return -errno;
	if (make_transparent(fd, ipv6) < 0 || option_on(fd, SOL_IP, IP_RECVORIGDSTADDR) < 0 ||
	    (ipv6 && option_on(fd, SOL_IPV6, IPV6_RECVORIGDSTADDR) < 0))
		return close_with(fd, errno);
	/* Beyond net.core.rmem_max where we may, else up to it; less only means that bursts are cut earlier. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){UDP_BUFFER}, sizeof(int)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){UDP_BUFFER}, sizeof(int));
	if (bind_any(fd, ipv6, port) < 0)
		return close_with(fd, errno);
	return fd;
}

/* Sends whole IP packets, header included (raw(7)); IPPROTO_RAW hears nothing but protocol 255. */
int cv_mint_raw(int family)
{
	int fd;

	if (family != 4 && family != 6)
		return -EINVAL;
	fd = open_socket(family == 4 ? AF_INET : AF_INET6, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0)
		return -errno;
	if (family == 4 ? option_on(fd, SOL_IP, IP_HDRINCL) < 0 : option_on(fd, SOL_IPV6, IPV6_HDRINCL) < 0)
		return close_with(fd, errno);
	return fd;
}

/* A resolver's socket on the loopback address of the app namespace. */
int cv_mint_stub(int family, int stream, int port)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd, bound;

	if ((family != 4 && family != 6) || port <= 0 || port > 65535)
		return -EINVAL;
	fd = open_socket(family == 4 ? AF_INET : AF_INET6, stream ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (fd < 0)
		return -errno;
	if ((family == 6 && option_on(fd, SOL_IPV6, IPV6_V6ONLY) < 0) ||
	    (stream && option_on(fd, SOL_SOCKET, SO_REUSEADDR) < 0))
		return close_with(fd, errno);
	four.sin_port = six.sin6_port = htons((uint16_t)port);
	bound = family == 4 ? bind(fd, (struct sockaddr *)&four, sizeof four)
	                    : bind(fd, (struct sockaddr *)&six, sizeof six);
	if (bound < 0 || (stream && listen(fd, BACKLOG) < 0))
		return close_with(fd, errno);
	return fd;
}

int cv_bind_to_device(int fd, const char *device)
{
	size_t size = strlen(device);

	if (size == 0 || size >= IFNAMSIZ)
		return -ENODEV;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)size) < 0 ? -errno : 0;
}

/* For the relay, in the namespace of its own process: the kernel chooses the port. */
int cv_udp_socket(int family, const char *device)
{
	struct sockaddr_storage any = {.ss_family = family == 6 ? AF_INET6 : AF_INET};
	socklen_t size = family == 6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int fd = open_socket(any.ss_family, SOCK_DGRAM, 0);
	int result = fd < 0 || !device ? 0 : cv_bind_to_device(fd, device);

	if (fd < 0)
		return -errno;
	if (result < 0)
		return close_with(fd, -result);
	if ((family == 6 && option_on(fd, SOL_IPV6, IPV6_V6ONLY) < 0) || bind(fd, (struct sockaddr *)&any, size) < 0)
		return close_with(fd, errno);
	return fd;
}

/* To be connected by Node, which makes its own in the same way. */
int cv_tcp_socket(int family, const char *device)
{
	int fd = open_socket(family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	int result = fd < 0 || !device ? 0 : cv_bind_to_device(fd, device);

	if (fd < 0)
		return -errno;
	return result < 0 ? close_with(fd, -result) : fd;
}
