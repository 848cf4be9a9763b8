/* What the parts of the load tool share: the clock, samples of durations, and sockets to the counterpart. */
#ifndef CULVERT_BENCH_LOAD_H
#define CULVERT_BENCH_LOAD_H

#include <netinet/in.h>
#include <stddef.h>

/* Durations in microseconds, growing as they come; one owner, no lock. */
struct samples {
	double *values;
	size_t count;
	size_t room;
};

struct load_target {
	struct sockaddr_in server;
	/* Where UDP goes by SOCKS5, when the tool speaks it itself; port 0 when it does not. */
	struct sockaddr_in proxy;
};

double load_now(void);
void load_die(const char *what);
void load_add(struct samples *samples, double microseconds);
void load_merge(struct samples *into, struct samples *from);
/* The value below which `share` of the samples lie; sorts them. 0 without samples. */
double load_percentile(struct samples *samples, double share);
/* A connected stream that has said its kind, or -1 with errno. */
int load_connect(const struct load_target *to, char kind);

/* The modes in datagrams.c; argv starts with the mode's own arguments. */
int load_udp(const struct load_target *to, int argc, char **argv);
int load_udp_idle(const struct load_target *to, int argc, char **argv);
int load_dns(const struct load_target *to, int argc, char **argv);
/* Tells the caller that everything is set up and holds it until standard input ends or says a line. */
void load_pause(const char *what);

#endif
