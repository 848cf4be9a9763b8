/*
 * What Node has decided a moment ago: apps connect to one destination many times in a row.
 *
 * *Does*: remember for a listener and a destination how the last flow was dialled, for as long as Node said with it.
 * *Must not*: outlive the listener, be prolonged by its use, or answer for anything but the very same destination.
 *
 * Each entry has one place, given by a hash; another one that belongs there takes it over. Losing an entry costs one
 * question.
 */
#include <string.h>

#include "pump.h"

#define ROUTES 256

struct remembered {
	uint32_t listener; /* 0: none; listeners count from 1 */
	struct cv_addr destination;
	int64_t until_ms;
	struct route route;
};

static pthread_mutex_t routes_lock = PTHREAD_MUTEX_INITIALIZER;
static struct remembered routes[ROUTES];

/* FNV-1a over the destination, with the listener mixed in. */
static struct remembered *place_of(const struct flow *flow)
{
	uint32_t hash = 2166136261u ^ flow->listener;

	for (size_t i = 0; i < sizeof flow->destination.ip; i++)
		hash = (hash ^ flow->destination.ip[i]) * 16777619u;
	for (size_t i = 0; i < sizeof flow->destination.port; i++)
		hash = (hash ^ flow->destination.port[i]) * 16777619u;
	return &routes[(hash ^ hash >> 16) % ROUTES];
}

static bool is_for(const struct remembered *one, const struct flow *flow)
{
	return one->listener == flow->listener &&
	       memcmp(&one->destination, &flow->destination, sizeof one->destination) == 0;
}

/* With a time of 0 also an older decision is over. */
void cv_route_remember(const struct flow *flow, const struct route *route, uint32_t again_ms)
{
	struct remembered *one = place_of(flow);

	pthread_mutex_lock(&routes_lock);
	if (again_ms > 0)
		*one = (struct remembered){
			.listener = flow->listener,
			.destination = flow->destination,
			.until_ms = cv_monotonic_ms() + again_ms,
			.route = *route,
		};
	else if (is_for(one, flow))
		explicit_bzero(one, sizeof *one);
	pthread_mutex_unlock(&routes_lock);
}

/* Whether there is a decision for a flow that was just accepted. */
bool cv_route_find(const struct flow *flow, int64_t now_ms, struct route *out)
{
	struct remembered *one = place_of(flow);
	bool found;

	pthread_mutex_lock(&routes_lock);
	found = is_for(one, flow) && now_ms < one->until_ms;
	if (found)
		*out = one->route;
	pthread_mutex_unlock(&routes_lock);
	return found;
}

/* What it held may be a password. */
void cv_route_forget(uint32_t listener)
{
	pthread_mutex_lock(&routes_lock);
	for (int i = 0; i < ROUTES; i++)
		if (routes[i].listener == listener)
			explicit_bzero(&routes[i], sizeof routes[i]);
	pthread_mutex_unlock(&routes_lock);
}
