/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a client of traffic.c measured, and how it is told.
 */
#ifndef TESTS_TOOLS_TRAFFIC_RESULT_H
#define TESTS_TOOLS_TRAFFIC_RESULT_H

#include <inttypes.h>

#include "traffic.h"

struct result {
	uint64_t bytes, duration_us, gap_us, cpu_us;
	uint64_t late_us; /* how much later than it was due a request left, while none was waited
			     for */
	uint64_t *rtt_us; /* one a request */
	size_t nr_rtt;
	FILE *samples; /* if any: when each request left, and its round trip */
	uint64_t sum;
	bool ok;
	int subflows; /* beside the first, -1: plain TCP */
};

static void note_gap(struct result *r, uint64_t *last)
{
	uint64_t t = now_us();

	if (t - *last > r->gap_us)
		r->gap_us = t - *last;
	*last = t;
}

/* Written at once: who watches the file knows how far the exchange is. */
static int note_sample(struct result *r, uint64_t sent_us, uint64_t back_us)
{
	r->rtt_us[r->nr_rtt++] = back_us - sent_us;
	if (!r->samples)
		return 0;
	fprintf(r->samples, "%" PRIu64 " %" PRIu64 "\n", sent_us, back_us - sent_us);
	return fflush(r->samples) ? -errno : 0;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double percentile_ms(const struct result *r, unsigned int percent)
{
	size_t i = (r->nr_rtt * percent + 99) / 100;

	return r->nr_rtt ? (double)r->rtt_us[i ? i - 1 : 0] / 1e3 : 0;
}

static int report(struct result *r, int rc)
{
	double s = (double)r->duration_us / 1e6, mb = (double)r->bytes / 1e6;
	double rate = s > 0 ? mb * 8 / s : 0, cpu = mb > 0 ? (double)r->cpu_us / 1e3 / mb : 0;
	const char *error = rc ? strerror(-rc) : r->ok ? "" : "the bytes are not the ones sent";

	if (r->nr_rtt)
		qsort(r->rtt_us, r->nr_rtt, sizeof(*r->rtt_us), by_value);
	printf(opt.json
		       ? "{\"bytes\":%" PRIu64 ",\"seconds\":%.6f,\"mbit_s\":%.3f,"
			 "\"gap_ms\":%.3f,\"late_ms\":%.3f,\"cpu_ms_per_mb\":%.4f,\"requests\":%zu,"
			 "\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,"
			 "\"sum\":\"%016" PRIx64 "\",\"ok\":%s,\"mptcp\":%s,"
			 "\"subflows\":%d,\"error\":\"%s\"}\n"
		       : "%" PRIu64
			 " bytes in %.3f s, %.2f Mbit/s, longest gap %.1f ms, late %.1f ms, "
			 "cpu %.3f ms/MB; %zu requests, p50 %.1f p95 %.1f p99 %.1f ms; "
			 "sum %016" PRIx64 ", right: %s, mptcp: %s, %d subflows %s\n",
	       r->bytes, s, rate, (double)r->gap_us / 1e3, (double)r->late_us / 1e3, cpu, r->nr_rtt,
	       percentile_ms(r, 50), percentile_ms(r, 95), percentile_ms(r, 99), r->sum,
	       r->ok ? "true" : "false", r->subflows >= 0 ? "true" : "false", r->subflows + 1,
	       error);
	return rc || !r->ok;
}

#endif
