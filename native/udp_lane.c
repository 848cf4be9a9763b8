/*
 * The lanes of the UDP relay: each brings its sockets of the gateway namespace.
 *
 * Does: copy the sockets that Node gives, so that Node's own may be closed; watch them; end what a lane had.
 * Must not: trust a number or a descriptor of Node's further than it was looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "udp.h"

int udp_socket_option(int fd, int option)
{
	int value;
	socklen_t size = sizeof value;
	return getsockopt(fd, SOL_SOCKET, option, &value, &size) ? -errno : value;
}

int udp_copy_socket(int fd, int type, int *out)
{
	int have = fd == -1 ? type : udp_socket_option(fd, SO_TYPE);
	*out = -1;
	if (have < 0)
		return have;
	if (have != type)
		return -ESOCKTNOSUPPORT;
	if (fd == -1)
		return 0;
	*out = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return *out < 0 ? -errno : 0;
}

static void *close_apart(void *fd)
{
	close((int)(intptr_t)fd);
	return NULL;
}

/*
 * The last close of a packet socket waits until no processor uses it (packet_release, synchronize_net): 10 ms in which
 * neither the datagrams of other lanes should wait nor Node. So a thread of its own does it.
 */
static void close_lane(struct udp_lane *lane)
{
	int packet = udp_frame_detach(lane);

	udp_unwatch(lane->udp);
	udp_unwatch(lane->dns);
	if (lane->raw4 >= 0)
		close(lane->raw4);
	if (lane->raw6 >= 0)
		close(lane->raw6);
	if (packet >= 0 && cv_thread_start("culvert-close", close_apart, (void *)(intptr_t)packet) < 0)
		close(packet);
	lane->is_used = false;
}

static int open_lane(struct udp_lane *lane, uint32_t number, int udp, int dns, int raw4, int raw6)
{
	int result;
	lane->udp = lane->dns = lane->raw4 = lane->raw6 = lane->packet = -1;
	if ((result = udp_copy_socket(udp, SOCK_DGRAM, &lane->udp)) ||
	    (result = udp_copy_socket(dns, SOCK_DGRAM, &lane->dns)) ||
	    (result = udp_copy_socket(raw4, SOCK_RAW, &lane->raw4)) ||
	    (result = udp_copy_socket(raw6, SOCK_RAW, &lane->raw6)))
		return result;
	lane->generation++;
	lane->is_used = true;
	result = udp_watch(lane->udp, UDP_WATCH_LANE, number, lane->generation);
	if (result == 0 && lane->dns >= 0)
		result = udp_watch(lane->dns, UDP_WATCH_DNS, number, lane->generation);
	return result;
}

int cv_udp_lane_add(int udp, int dns, int raw4, int raw6)
{
	int result = -EMFILE;
	if (!udp_engine.is_started)
		return -ENOTCONN;
	if (udp < 0 || raw4 < 0)
		return -EBADF;
	udp_lock();
	for (uint32_t i = 0; i < UDP_LANES; i++) {
		/* The slot of a lane that has just ended is taken last. */
		uint32_t number = (udp_engine.next_lane + i) % UDP_LANES;
		struct udp_lane *lane = &udp_engine.lanes[number];
		if (lane->is_used)
			continue;
		result = open_lane(lane, number, udp, dns, raw4, raw6);
		if (result)
			close_lane(lane);
		else
			result = (int)number;
		udp_engine.next_lane = number + 1;
		break;
	}
	udp_unlock();
	return result;
}

struct udp_lane *udp_lane_at(int lane)
{
	return lane >= 0 && lane < UDP_LANES && udp_engine.lanes[lane].is_used ? &udp_engine.lanes[lane] : NULL;
}

int cv_udp_lane_packet(int lane, int packet)
{
	int result, copy;
	if (packet < 0)
		return -EBADF;
	result = udp_copy_socket(packet, SOCK_RAW, &copy);
	if (result)
		return result;
	udp_lock();
	if (!udp_lane_at(lane))
		result = -ENOENT;
	else if (udp_engine.lanes[lane].packet >= 0)
		result = -EALREADY;
	else
		result = udp_frame_attach(&udp_engine.lanes[lane], copy);
	udp_unlock();
	if (result)
		close(copy);
	return result;
}

int cv_udp_lane_remove(int lane)
{
	int result = -ENOENT;
	udp_lock();
	if (udp_lane_at(lane)) {
		for (uint32_t i = 1; i <= udp_engine.association_fresh; i++) {
			struct udp_association *association = &udp_engine.associations[i];
			if (association->state == UDP_FREE || association->lane != (uint32_t)lane)
				continue;
			if (association->state == UDP_LIVE)
				udp_end(association, false);
			else
				udp_association_free(association);
		}
		udp_flows_of_lane_remove((uint32_t)lane);
		close_lane(&udp_engine.lanes[lane]);
		result = 0;
	}
	udp_unlock();
	return result;
}
