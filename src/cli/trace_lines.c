// SPDX-License-Identifier: GPL-2.0-only
/* Trace lines to decisions; see trace_lines.h. */
#include "cli/trace_lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/json.h"

#define DECISION ": mptcp_bpf_decision: "
#define PATH	 ": mptcp_bpf_path: "
/* A decision has its paths by then: they are written in one go. */
#define SETTLED_US 50000

/* The value of KEY=VALUE among words, up to the next blank; "" when there is none. */
static const char *value(const char *words, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);

	out[0] = '\0';
	for (const char *w = words; w; w = strchr(w, ' ')) {
		w += strspn(w, " ");
		if (strncmp(w, key, n) != 0 || w[n] != '=')
			continue;
		snprintf(out, size, "%.*s", (int)strcspn(w + n + 1, " \n"), w + n + 1);
		break;
	}
	return out;
}

static uint64_t number(const char *words, const char *key)
{
	char text[32];

	return strtoull(value(words, key, text, sizeof(text)), NULL, 10);
}

static uint32_t number32(const char *words, const char *key)
{
	return (uint32_t)number(words, key);
}

static uint32_t token(const char *words)
{
	char text[32];

	return (uint32_t)strtoul(value(words, "token", text, sizeof(text)), NULL, 16);
}

/* "  COMM-PID [CPU] FLAGS SECONDS.MICROS", where COMM may hold anything. */
static bool parse_head(char *head, unsigned int *cpu, uint64_t *time_us)
{
	char *stamp = strrchr(head, ' '), *open = NULL;
	unsigned int seconds, micros;

	for (char *p = strstr(head, " ["); p; p = strstr(p + 1, " ["))
		open = p;
	if (!stamp || !open || sscanf(open, " [%u]", cpu) != 1 || *cpu >= TRACE_CPUS_MAX)
		return false;
	if (sscanf(stamp, " %u.%u", &seconds, &micros) != 2)
		return false;
	*time_us = (uint64_t)seconds * 1000000 + micros;
	return true;
}

static void write_flags_json(struct json *j, const char *flags)
{
	char name[64];

	json_key(j, "flags");
	json_array_open(j);
	while (*flags) {
		size_t n = strcspn(flags, "|");

		snprintf(name, sizeof(name), "%.*s", (int)n, flags);
		json_string(j, name);
		flags += n + (flags[n] == '|');
	}
	json_array_close(j);
}

static void write_path_json(struct json *j, const struct trace_path *p)
{
	json_object_open(j);
	json_key_uint(j, "id", p->id);
	write_flags_json(j, p->flags);
	json_key_uint(j, "srtt_us", p->srtt_us);
	json_key_uint(j, "rttvar_us", p->rttvar_us);
	json_key_uint(j, "cwnd", p->cwnd);
	json_key_uint(j, "in_flight", p->in_flight);
	json_key_uint(j, "queued_bytes", p->queued_bytes);
	json_key_uint(j, "stuck_us", p->stuck_us);
	json_key_uint(j, "timeouts", p->timeouts);
	json_key_uint(j, "lost", p->lost);
	json_key_uint(j, "pacing_bytes_per_s", p->pacing_bytes_per_s);
	json_key_uint(j, "min_rtt_us", p->min_rtt_us);
	json_key_uint(j, "last_rtt_us", p->last_rtt_us);
	json_key_uint(j, "delivery_bytes_per_s", p->delivery_bytes_per_s);
	json_object_close(j);
}

static void write_json(FILE *out, const struct trace_decision *d)
{
	char text[16];
	struct json j;

	json_init(&j, out, false);
	json_object_open(&j);
	json_key_uint(&j, "time_us", d->time_us);
	snprintf(text, sizeof(text), "%08x", d->token);
	json_key_string(&j, "token", text);
	json_key_string(&j, "scheduler", d->scheduler);
	json_key_string(&j, "op", d->op);
	json_key_string(&j, "reason", d->reason);
	json_key(&j, "chosen");
	if (d->chosen)
		json_uint(&j, d->chosen);
	else
		json_string(&j, NULL);
	json_key(&j, "err");
	json_int(&j, d->err);
	json_key_uint(&j, "unsent_bytes", d->unsent_bytes);
	json_key_uint(&j, "unacked_bytes", d->unacked_bytes);
	json_key_uint(&j, "window_bytes", d->window_bytes);
	json_key_uint(&j, "stuck_us", d->stuck_us);
	json_key(&j, "paths");
	json_array_open(&j);
	for (size_t i = 0; i < d->nr_paths; i++)
		write_path_json(&j, &d->paths[i]);
	json_array_close(&j);
	json_object_close(&j);
	json_end(&j);
}

static void write_text(FILE *out, const struct trace_decision *d)
{
	char chosen[16] = "none";

	if (d->chosen)
		snprintf(chosen, sizeof(chosen), "%u", d->chosen);
	fprintf(out,
		"%" PRIu64 ".%06u %08x %s %s %s -> %s  unsent %" PRIu64 " B, unacked %" PRIu64
		" B, window %" PRIu64 " B",
		d->time_us / 1000000, (unsigned int)(d->time_us % 1000000), d->token, d->scheduler,
		d->op, d->reason, chosen, d->unsent_bytes, d->unacked_bytes, d->window_bytes);
	if (d->stuck_us)
		fprintf(out, ", stuck %u us", d->stuck_us);
	if (d->err)
		fprintf(out, ", error %d", d->err);
	fputc('\n', out);
	for (size_t i = 0; i < d->nr_paths; i++) {
		const struct trace_path *p = &d->paths[i];

		fprintf(out,
			"    %c%u  srtt %u us, rttvar %u us, rtt %u us now and %u us at least, "
			"cwnd %u, in flight %u, queued %u B, pacing %" PRIu64
			" B/s, delivery %" PRIu64 " B/s",
			p->id == d->chosen ? '*' : ' ', p->id, p->srtt_us, p->rttvar_us,
			p->last_rtt_us, p->min_rtt_us, p->cwnd, p->in_flight, p->queued_bytes,
			p->pacing_bytes_per_s, p->delivery_bytes_per_s);
		if (p->stuck_us)
			fprintf(out, ", stuck %u us", p->stuck_us);
		if (p->timeouts)
			fprintf(out, ", timeouts %u", p->timeouts);
		if (p->lost)
			fprintf(out, ", lost %u", p->lost);
		fprintf(out, "  %s\n", p->flags[0] ? p->flags : "-");
	}
}

static void finish(struct trace_lines *t, unsigned int cpu)
{
	struct trace_decision *d = t->open[cpu];

	t->open[cpu] = NULL;
	if (d && (!t->want || t->want(t->data, d->token))) {
		(t->json ? write_json : write_text)(t->out, d);
		t->decisions++;
	}
	free(d);
}

/*
 * Writes those that began before `time_us`, the oldest first: a CPU that has no further decision to
 * make would keep its last one back.
 */
static void finish_before(struct trace_lines *t, uint64_t time_us)
{
	int oldest;

	do {
		oldest = -1;
		for (int cpu = 0; cpu < (int)t->cpus; cpu++) {
			if (t->open[cpu] && t->open[cpu]->time_us < time_us &&
			    (oldest < 0 || t->open[cpu]->time_us < t->open[oldest]->time_us))
				oldest = cpu;
		}
		if (oldest >= 0)
			finish(t, oldest);
	} while (oldest >= 0);
}

static int begin(struct trace_lines *t, unsigned int cpu, uint64_t time_us, const char *words)
{
	struct trace_decision *d;

	if (t->open[cpu])
		finish_before(t, t->open[cpu]->time_us + 1);
	finish_before(t, time_us > SETTLED_US ? time_us - SETTLED_US : 0);
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->time_us = time_us;
	d->token = token(words);
	value(words, "scheduler", d->scheduler, sizeof(d->scheduler));
	value(words, "op", d->op, sizeof(d->op));
	value(words, "reason", d->reason, sizeof(d->reason));
	d->chosen = number32(words, "chosen");
	d->err = (int)(int64_t)number(words, "err");
	d->unsent_bytes = number(words, "unsent");
	d->unacked_bytes = number(words, "unacked");
	d->window_bytes = number(words, "window");
	d->stuck_us = number32(words, "stuck_us");
	d->skipped = number32(words, "skipped");
	/* A total that wraps around; CPUs may overtake each other by a few. */
	if (t->skipped_known && (int32_t)(d->skipped - t->skipped) > 0)
		t->limited += d->skipped - t->skipped;
	if (!t->skipped_known || (int32_t)(d->skipped - t->skipped) > 0)
		t->skipped = d->skipped;
	t->skipped_known = true;
	t->open[cpu] = d;
	if (cpu >= t->cpus)
		t->cpus = cpu + 1;
	return 0;
}

static void add_path(struct trace_decision *d, const char *words)
{
	struct trace_path *p;

	if (!d || d->token != token(words) || d->nr_paths == TRACE_PATHS_MAX)
		return;
	p = &d->paths[d->nr_paths++];
	p->id = number32(words, "id");
	p->srtt_us = number32(words, "srtt_us");
	p->rttvar_us = number32(words, "rttvar_us");
	p->cwnd = number32(words, "cwnd");
	p->in_flight = number32(words, "in_flight");
	p->queued_bytes = number32(words, "queued");
	p->stuck_us = number32(words, "stuck_us");
	p->timeouts = number32(words, "timeouts");
	p->lost = number32(words, "lost");
	p->pacing_bytes_per_s = number(words, "pacing");
	p->min_rtt_us = number32(words, "min_rtt_us");
	p->last_rtt_us = number32(words, "last_rtt_us");
	p->delivery_bytes_per_s = number(words, "delivery");
	value(words, "flags", p->flags, sizeof(p->flags));
}

int trace_lines_take(struct trace_lines *t, char *line)
{
	char *decision = strstr(line, DECISION), *path = strstr(line, PATH), *lost;
	char *event = decision ? decision : path;
	unsigned long long nr;
	uint64_t time_us;
	unsigned int cpu;

	if (!event) {
		lost = strstr(line, "[LOST ");
		if (lost && sscanf(lost, "[LOST %llu EVENTS]", &nr) == 1)
			t->lost += nr;
		return 0;
	}
	*event = '\0';
	if (!parse_head(line, &cpu, &time_us))
		return 0;
	if (decision)
		return begin(t, cpu, time_us, decision + strlen(DECISION));
	add_path(t->open[cpu], path + strlen(PATH));
	return 0;
}

void trace_lines_flush(struct trace_lines *t)
{
	finish_before(t, UINT64_MAX);
}

void trace_lines_clear(struct trace_lines *t)
{
	for (unsigned int cpu = 0; cpu < TRACE_CPUS_MAX; cpu++) {
		free(t->open[cpu]);
		t->open[cpu] = NULL;
	}
}
