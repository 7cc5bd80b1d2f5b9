// SPDX-License-Identifier: GPL-2.0-only
/*
 * sim [-k] [-s SEED] [-n REPEATS] [-vt] SCHEDULER... [-- ROW[:SIZE]...]
 *
 * Replays the rows of tests/bench/scenarios.tsv and prints, for each scheduler, the time (or the
 * p50/p95/p99) in ratio to TCP on the better path. "default" is the kernel's own scheduler.
 *   -v  bytes by path; -t every decision with what it was based on
 *   -k  as kernels before 7.0: one get_retrans a timer
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WARM_BYTES 20000u
#define SECOND	   1000000ull

struct row {
	const char *name;
	double rate[2]; /* Mbit/s */
	double rtt[2];	/* ms */
	int queue[2];
	double loss[2]; /* % */
	uint32_t size[3];
	bool messages, blackhole;
};

static const struct row rows[] = {
	{ "S1", { 10, 10 }, { 20, 20 }, { 60, 60 }, { 0 }, { 256000, 2000000, 6000000 }, 0, 0 },
	{ "S2", { 10, 3 }, { 2, 50 }, { 40, 30 }, { 0 }, { 256000, 2000000, 6000000 }, 0, 0 },
	{ "S3", { 10, 3 }, { 50, 2 }, { 50, 30 }, { 0 }, { 256000, 2000000, 6000000 }, 0, 0 },
	{ "S4", { 0.3, 8.6 }, { 40, 100 }, { 24, 100 }, { 0 }, { 256000, 2000000, 6000000 }, 0, 0 },
	{ "S5", { 1, 10 }, { 40, 100 }, { 50, 100 }, { 0 }, { 256000, 2000000, 6000000 }, 0, 0 },
	{ "S6",
	  { 25, 5 },
	  { 25, 65 },
	  { 100, 3750 },
	  { 1, 0 },
	  { 256000, 2000000, 6000000 },
	  0,
	  0 },
	{ "S7", { 50, 2 }, { 40, 200 }, { 150, 50 }, { 0 }, { 256000, 2000000, 6000000 }, 0, 0 },
	{ "S8", { 20, 10 }, { 40, 600 }, { 100, 400 }, { 0 }, { 256000, 2000000, 6000000 }, 0, 0 },
	{ "S9", { 10, 10 }, { 40, 40 }, { 60, 60 }, { 0, 2 }, { 256000, 2000000, 6000000 }, 0, 0 },
	{ "R1", { 2, 50 }, { 200, 40 }, { 50, 150 }, { 0 }, { 1400 }, 1, 0 },
	{ "R2", { 2, 50 }, { 200, 40 }, { 50, 150 }, { 0 }, { 20000 }, 1, 0 },
	{ "R3", { 10, 10 }, { 40, 40 }, { 60, 60 }, { 2, 0 }, { 1400 }, 1, 0 },
	{ "R4", { 10, 10 }, { 40, 40 }, { 60, 60 }, { 2, 0 }, { 20000 }, 1, 0 },
	{ "R5", { 50, 2 }, { 40, 200 }, { 150, 50 }, { 0 }, { 1400, 20000 }, 1, 0 },
	{ "BH", { 10, 10 }, { 40, 40 }, { 60, 60 }, { 0 }, { 200 }, 1, 1 },
};

static bool walks = true, verbose;
static uint32_t first_seed = 1;
static int repeats = 10;

struct run {
	struct conn conn;
	struct link link[2];
	uint64_t end;
	/* messages */
	uint32_t size, nr, got;
	uint64_t sent_at[512], latency[512], due[512], arrived[512];
};

static bool finished(void *arg)
{
	const struct run *r = arg;

	return r->conn.in_order >= r->end;
}

static bool settled(void *arg)
{
	const struct run *r = arg;

	return r->conn.una >= r->end;
}

static void setup(struct run *r, const struct row *row, const char *sched, int only,
		  struct fake_sched **s)
{
	memset(r, 0, sizeof(*r));
	*s = strcmp(sched, "default") && only < 0 ? fake_sched_open(sched) : NULL;
	conn_init(&r->conn, *s, walks);
	for (int i = 0; i < 2; i++) {
		struct link *l = &r->link[i];

		l->bytes_per_us = row->rate[i] / 8;
		l->delay_us = (uint64_t)(row->rtt[i] * 500);
		l->queue = (uint32_t)row->queue[i] +
			   (uint32_t)(row->rate[i] * row->rtt[i] * 1000 / 2 / 12000);
		l->loss_ppm = (uint32_t)(row->loss[i] * 10000);
		if (only < 0 || only == i)
			conn_add(&r->conn, l);
	}
	r->end = WARM_BYTES;
	conn_write(&r->conn, WARM_BYTES);
	sim_run(settled, r, 60 * SECOND);
}

static void teardown(struct run *r, struct fake_sched *s)
{
	conn_free(&r->conn);
	if (s)
		fake_sched_close(s);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double transfer_ms(const struct row *row, uint32_t size, const char *sched, int only,
			  double *again)
{
	struct fake_sched *s;
	struct run r;
	uint64_t t0;
	double ms;

	setup(&r, row, sched, only, &s);
	t0 = sim_now();
	r.end += size;
	conn_write(&r.conn, size);
	sim_run(finished, &r, t0 + 200 * SECOND);
	ms = (double)(sim_now() - t0) / 1000;
	*again = (double)r.conn.again_bytes / (double)r.conn.sent_bytes;
	if (verbose)
		printf("   %s %u by %s: %.0f ms, by path %llu %llu\n", row->name, size,
		       only < 0 ? sched
		       : only	? "tcp2"
				: "tcp1",
		       ms, (unsigned long long)r.conn.flow[0].received_bytes,
		       (unsigned long long)r.conn.flow[1].received_bytes);
	teardown(&r, s);
	return ms;
}

static void got_message(struct conn *c)
{
	struct run *r = c->user;

	while (r->got < r->nr && c->in_order >= r->due[r->got]) {
		r->latency[r->got] = sim_now() - r->sent_at[r->got];
		r->arrived[r->got++] = sim_now();
	}
}

static void send_message(void *who, uint64_t i)
{
	struct run *r = who;

	r->sent_at[i] = sim_now();
	r->nr++;
	r->end += r->size;
	r->due[i] = r->end;
	conn_write(&r->conn, r->size);
}

/* The path that carries the messages stops, or all work again. */
static void kill_path(void *who, uint64_t dead)
{
	struct run *r = who;

	r->link[0].dead = r->link[1].dead = false;
	if (dead)
		r->link[r->conn.flow[1].sent_at > r->conn.flow[0].sent_at].dead = true;
}

static bool all_there(void *arg)
{
	const struct run *r = arg;

	return r->got == 200;
}

/* p50, p95, p99 of the time a message takes one way, plus half the better path's RTT; of a
 * blackhole: the longest gap in place of p99. */
static void messages_ms(const struct row *row, uint32_t size, const char *sched, int only,
			double out[3], double *again)
{
	double sorted[200], gap = 0, extra = row->rtt[row->rtt[1] < row->rtt[0]] / 2;
	struct fake_sched *s;
	struct run r;
	uint64_t t0;

	if (only >= 0)
		extra = row->rtt[only] / 2;
	setup(&r, row, sched, only, &s);
	r.conn.user = &r;
	r.conn.delivered = got_message;
	r.size = size;
	t0 = sim_now();
	for (uint64_t i = 0; i < 200; i++)
		sim_at(t0 + (i + 1) * SECOND / 10, send_message, &r, i);
	if (row->blackhole && only < 0) {
		sim_at(t0 + 5 * SECOND + 95000, kill_path, &r, true);
		sim_at(t0 + 10 * SECOND, kill_path, &r, false);
	}
	sim_run(all_there, &r, t0 + 100 * SECOND);
	for (int i = 0; i < 200; i++) {
		sorted[i] = (double)r.latency[i] / 1000 + extra;
		if (i && (double)(r.arrived[i] - r.arrived[i - 1]) / 1000 > gap)
			gap = (double)(r.arrived[i] - r.arrived[i - 1]) / 1000;
	}

	qsort(sorted, 200, sizeof(double), by_value);
	out[0] = sorted[100];
	out[1] = sorted[190];
	out[2] = row->blackhole ? gap : sorted[198];
	*again = (double)r.conn.again_bytes / (double)r.conn.sent_bytes;
	if (verbose)
		printf("   %s %s by path %llu %llu\n", row->name, only < 0 ? sched : "tcp",
		       (unsigned long long)r.conn.flow[0].received_bytes,
		       (unsigned long long)r.conn.flow[1].received_bytes);
	teardown(&r, s);
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return v[n / 2];
}

static double tcp_best(const struct row *row, uint32_t size, int what)
{
	double best = 1e300, v[64], out[3], again;

	for (int path = 0; path < 2; path++) {
		for (int i = 0; i < repeats; i++) {
			sim_reset(first_seed + (uint32_t)i);
			if (row->messages) {
				messages_ms(row, size, "tcp", path, out, &again);
				v[i] = out[what];
			} else {
				v[i] = transfer_ms(row, size, "tcp", path, &again);
			}
		}
		if (median(v, repeats) < best)
			best = median(v, repeats);
	}
	return best;
}

static void show(const struct row *row, uint32_t size, char **scheds, int nr)
{
	double best[3], v[3][64], out[3], again, copies;

	for (int w = 0; w < (row->messages ? 3 : 1); w++)
		best[w] = tcp_best(row, size, w);
	printf("%-3s %7u  tcp %7.0f", row->name, size, best[0]);
	for (int k = 0; k < nr; k++) {
		copies = 0;
		for (int i = 0; i < repeats; i++) {
			sim_reset(first_seed + (uint32_t)i);
			if (row->messages)
				messages_ms(row, size, scheds[k], -1, out, &again);
			else
				out[0] = transfer_ms(row, size, scheds[k], -1, &again);
			copies += again / repeats;
			for (int w = 0; w < 3; w++)
				v[w][i] = out[w];
		}
		if (row->blackhole)
			printf("  %s gap %.0f ms (%.1f%%)", scheds[k], median(v[2], repeats),
			       copies * 100);
		else if (row->messages)
			printf("  %s %.2f/%.2f/%.2f (%.1f%%)", scheds[k],
			       median(v[0], repeats) / best[0], median(v[1], repeats) / best[1],
			       median(v[2], repeats) / best[2], copies * 100);
		else
			printf("  %s %.3f (%.1f%%)", scheds[k], median(v[0], repeats) / best[0],
			       copies * 100);
	}
	printf("\n");
	fflush(stdout);
}

/* ROW or ROW:SIZE */
static bool wanted(char **list, int nr, const struct row *row, int size)
{
	char both[32];

	snprintf(both, sizeof(both), "%s:%u", row->name, row->size[size]);
	for (int i = 0; i < nr; i++)
		if (!strcmp(list[i], row->name) || !strcmp(list[i], both))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	char *scheds[8];
	int nr = 0, opt;

	while ((opt = getopt(argc, argv, "+ks:n:vt")) != -1) {
		switch (opt) {
		case 'k':
			walks = false;
			break;
		case 's':
			first_seed = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			repeats = atoi(optarg);
			if (repeats < 1 || repeats > 64)
				return 2;
			break;
		case 'v':
			verbose = true;
			break;
		case 't':
			sim_trace = true;
			break;
		default:
			return 2;
		}
	}
	for (; optind < argc && strcmp(argv[optind], "--") && nr < 8; optind++)
		scheds[nr++] = argv[optind];
	if (optind < argc)
		optind++;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int k = 0; k < 3 && rows[i].size[k]; k++)
			if (optind >= argc || wanted(argv + optind, argc - optind, &rows[i], k))
				show(&rows[i], rows[i].size[k], scheds, nr);
	}
	return 0;
}
