// SPDX-License-Identifier: GPL-2.0-only
/*
 * sim [-f TABLE] [-k] [-s SEED] [-n REPEATS] [-vt] SCHEDULER... [-- ROW[:SIZE]...]
 *
 * Replays the rows of tests/bench/scenarios.tsv (or another TABLE like it) and prints, for each
 * scheduler, the time (or the p50/p95/p99) in ratio to TCP on the better path. "default" is the
 * kernel's own scheduler. -v  bytes by path; -t every decision with what it was based on -k  as
 * kernels before 7.0: one get_retrans a timer
 */
#include "sim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WARM_BYTES 20000u
#define SECOND	   1000000ull

#define ROWS_MAX  32
#define SIZES_MAX 3

enum kind { GET, MESSAGES, BLACKHOLE, HEAL };

struct row {
	char name[12];
	enum kind kind;
	double rate[2]; /* Mbit/s */
	double rtt[2];	/* ms */
	uint32_t queue[2];
	double loss[2]; /* % */
	uint32_t size[SIZES_MAX];
};

static struct row rows[ROWS_MAX];
static size_t nr_rows;

static bool walks = true, verbose;
static uint32_t first_seed = 1;
static int repeats = 10;

/* "256k,2M": 1000 and 1000000. */
static void read_sizes(struct row *row, const char *text)
{
	for (int i = 0; i < SIZES_MAX && *text; i++) {
		char *end;
		double n = strtod(text, &end);

		n *= *end == 'k' ? 1e3 : *end == 'M' ? 1e6 : 1;
		row->size[i] = (uint32_t)n;
		end += *end == 'k' || *end == 'M';
		text = *end == ',' ? end + 1 : "";
	}
}

/* Whether the line is a row that can be simulated. */
static bool read_row(struct row *row, const char *line)
{
	char kind[12], event[12], sizes[32];
	struct row r = { 0 };

	if (*line == '#' ||
	    sscanf(line, "%11s %11s %11s %lf %lf %u %lf %lf %lf %u %lf %31s", r.name, kind, event,
		   &r.rate[0], &r.rtt[0], &r.queue[0], &r.loss[0], &r.rate[1], &r.rtt[1],
		   &r.queue[1], &r.loss[1], sizes) != 12)
		return false;
	if (!strcmp(kind, "get"))
		r.kind = GET;
	else if (!strcmp(kind, "rr"))
		r.kind = MESSAGES;
	else if (!strcmp(event, "blackhole"))
		r.kind = BLACKHOLE;
	else if (!strcmp(event, "heal"))
		r.kind = HEAL;
	else
		return false;
	read_sizes(&r, sizes);
	*row = r;
	return true;
}

static int read_rows(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[512];

	if (!f) {
		perror(path);
		return 1;
	}
	while (nr_rows < ROWS_MAX && fgets(line, sizeof(line), f))
		nr_rows += read_row(&rows[nr_rows], line);
	fclose(f);
	return 0;
}

struct run {
	struct conn conn;
	struct link link[2];
	uint64_t end;
	/* messages */
	uint32_t size, nr, got;
	uint64_t sent_at[512], latency[512], due[512], arrived[512];
	uint64_t healed_at, healed_bytes, returned_us;
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
		l->queue =
			row->queue[i] + (uint32_t)(row->rate[i] * row->rtt[i] * 1000 / 2 / 12000);
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

/* The path that carries the messages stops, or all work again. */
static void kill_path(void *who, uint64_t dead)
{
	struct run *r = who;

	r->link[0].dead = r->link[1].dead = false;
	if (dead)
		r->link[r->conn.flow[1].sent_at > r->conn.flow[0].sent_at].dead = true;
	else
		r->healed_at = sim_now();
	r->healed_bytes = r->conn.flow[0].received_bytes;
}

/* How long after healing the first path carries messages again; looked at with each message. */
static void look_healed(struct run *r)
{
	if (r->healed_at && !r->returned_us &&
	    r->conn.flow[0].received_bytes > r->healed_bytes + 400)
		r->returned_us = sim_now() - r->healed_at;
}

static void got_message(struct conn *c)
{
	struct run *r = c->user;

	while (r->got < r->nr && c->in_order >= r->due[r->got]) {
		r->latency[r->got] = sim_now() - r->sent_at[r->got];
		r->arrived[r->got++] = sim_now();
	}
	look_healed(r);
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

static bool all_there(void *arg)
{
	const struct run *r = arg;

	return r->got == 200;
}

/* p50, p95, p99 of the time a message takes one way, plus half the better path's RTT; of an event:
 * the longest gap, and after healing the time until the path is used again, in ms. */
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
	if (row->kind >= BLACKHOLE && only < 0) {
		sim_at(t0 + 5 * SECOND + 95000, kill_path, &r, true);
		sim_at(t0 + 9 * SECOND + 95000, kill_path, &r, false);
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
	out[2] = sorted[198];
	if (row->kind >= BLACKHOLE) {
		out[1] = r.returned_us ? (double)r.returned_us / 1000 : INFINITY;
		out[2] = gap;
	}
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
			if (row->kind != GET) {
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

	for (int w = 0; w < (row->kind == GET ? 1 : 3); w++)
		best[w] = tcp_best(row, size, w);
	printf("%-3s %7u  tcp %7.0f", row->name, size, best[0]);
	for (int k = 0; k < nr; k++) {
		copies = 0;
		for (int i = 0; i < repeats; i++) {
			sim_reset(first_seed + (uint32_t)i);
			if (row->kind != GET)
				messages_ms(row, size, scheds[k], -1, out, &again);
			else
				out[0] = transfer_ms(row, size, scheds[k], -1, &again);
			copies += again / repeats;
			for (int w = 0; w < 3; w++)
				v[w][i] = out[w];
		}
		if (row->kind >= BLACKHOLE)
			printf("  %s gap %.0f ms, back after %.0f ms (%.1f%%)", scheds[k],
			       median(v[2], repeats), median(v[1], repeats), copies * 100);
		else if (row->kind != GET)
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

	snprintf(both, sizeof(both), "%.11s:%u", row->name, row->size[size]);
	for (int i = 0; i < nr; i++)
		if (!strcmp(list[i], row->name) || !strcmp(list[i], both))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const char *table = "tests/bench/scenarios.tsv";
	char *scheds[8];
	int nr = 0, opt;

	while ((opt = getopt(argc, argv, "+f:ks:n:vt")) != -1) {
		switch (opt) {
		case 'f':
			table = optarg;
			break;
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
	if (!nr || read_rows(table))
		return 2;
	for (size_t i = 0; i < nr_rows; i++)
		for (int k = 0; k < SIZES_MAX && rows[i].size[k]; k++)
			if (optind >= argc || wanted(argv + optind, argc - optind, &rows[i], k))
				show(&rows[i], rows[i].size[k], scheds, nr);
	return 0;
}
