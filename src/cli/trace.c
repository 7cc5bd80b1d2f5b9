// SPDX-License-Identifier: GPL-2.0-only
/* sched trace: decisions as they are made, with what they were based on. */
#include "cli/cli.h"
#include "cli/follow.h"
#include "cli/trace_lines.h"
#include "loader/trace.h"
#include "pm/diag.h"
#include "util/caps.h"
#include "util/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#define NR(a)		(sizeof(a) / sizeof((a)[0]))
#define READ_BYTES	65536
#define TOKENS_AGE_MS	50
#define PER_SECOND_TEXT "2000" /* of kmod/decide.c */

static const char *token_text, *seconds_text, *netns;

static const struct option_def options[] = {
	{ "token", 0, OPTION_VALUE, "T", "only of this connection", &token_text },
	{ "seconds", 0, OPTION_VALUE, "N", "stop after so many seconds; otherwise with Ctrl-C",
	  &seconds_text },
	{ "netns", 0, OPTION_VALUE, "NAME", "only of connections of this network namespace",
	  &netns },
};

/* The connections of the namespace; an event does not say which one it is of. */
struct tokens {
	struct loader_conn *items;
	size_t nr;
	uint64_t read_at_ms;
};

static bool has_token(const struct tokens *t, uint32_t token)
{
	for (size_t i = 0; i < t->nr; i++) {
		if (t->items[i].token == token)
			return true;
	}
	return false;
}

static bool want(void *data, uint32_t token)
{
	struct tokens *t = data;
	bool known;

	if (has_token(t, token))
		return true;
	if (follow_now_ms() - t->read_at_ms < TOKENS_AGE_MS)
		return false;
	free(t->items);
	t->items = NULL;
	t->nr = 0;
	loader_conn_list(&t->items, &t->nr, &known, NULL);
	t->read_at_ms = follow_now_ms();
	return has_token(t, token);
}

struct input {
	char text[READ_BYTES];
	size_t size;
};

/* What is there to read, line by line. */
static int drain(const struct trace *trace, struct input *in, struct trace_lines *lines)
{
	for (;;) {
		ssize_t n = read(trace->pipe, in->text + in->size, sizeof(in->text) - 1 - in->size);
		char *line = in->text, *end;

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (n == 0)
			return 0;
		in->size += (size_t)n;
		in->text[in->size] = '\0';
		for (; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			if (trace_lines_take(lines, line) < 0)
				return -ENOMEM;
		}
		in->size -= (size_t)(line - in->text);
		/* No event is as long as the buffer. */
		if (in->size == sizeof(in->text) - 1)
			in->size = 0;
		memmove(in->text, line, in->size);
		if (follow_stopped())
			return 0;
	}
}

static int follow(struct cli *c, const struct trace *trace, uint64_t seconds,
		  struct trace_lines *lines, struct error *e)
{
	_cleanup_free_ struct input *in = calloc(1, sizeof(*in));
	uint64_t end = follow_end_ms(seconds);
	struct pollfd p = { .fd = trace->pipe, .events = POLLIN };
	int err = in ? 0 : -ENOMEM;

	while (err == 0 && !follow_stopped() && follow_now_ms() < end) {
		bool idle = poll(&p, 1, FOLLOW_WAIT_MS) == 0;

		err = drain(trace, in, lines);
		/* Nothing follows, so the last decision is whole. */
		if (idle)
			trace_lines_flush(lines);
		fflush(c->out);
		if (ferror(c->out))
			return error_set(e, -EPIPE, "cannot write what was traced");
	}
	trace_lines_flush(lines);
	return err < 0 ? error_set(e, err, "cannot read the trace: %s", strerror(-err)) : 0;
}

static void tell_losses(struct cli *c, const struct trace_lines *lines)
{
	if (lines->limited)
		fprintf(c->err,
			"mptcp-pmctl: %" PRIu64
			" decisions are missing: the module traces at most " PER_SECOND_TEXT
			" a second\n",
			lines->limited);
	if (lines->lost)
		fprintf(c->err,
			"mptcp-pmctl: %" PRIu64 " events are missing: they came faster than they "
			"were read\n",
			lines->lost);
	if (!lines->decisions && !c->quiet)
		fprintf(c->err,
			"mptcp-pmctl: no decisions: only connections with a BPF scheduler make some "
			"(mptcp-pmctl conn list)\n");
}

static int parse_options(uint32_t *token, uint64_t *seconds, struct error *e)
{
	if (token_text && pm_token_parse(token_text, token, e) < 0)
		return e->code;
	return follow_parse_number("--seconds", seconds_text, FOLLOW_SECONDS_MAX, seconds, e);
}

static int trace_to(struct cli *c, const uint32_t *token, uint64_t seconds,
		    struct trace_lines *lines, struct error *e)
{
	_cleanup_(trace_close) struct trace trace = { .pipe = -1 };
	int err;

	err = caps_need(CAP_BIT_SYS_ADMIN, "trace decisions", e);
	if (err == 0)
		err = pm_netns_enter(netns, e);
	if (err == 0) {
		follow_catch_signals();
		err = trace_open(&trace, token, e);
	}
	return err < 0 ? err : follow(c, &trace, seconds, lines, e);
}

static int run(struct cli *c, int nr, char **words)
{
	_cleanup_free_ struct trace_lines *lines = calloc(1, sizeof(*lines));
	struct tokens tokens = { 0 };
	struct error e = { 0 };
	uint64_t seconds = 0;
	uint32_t token = 0;
	int err;

	(void)nr;
	(void)words;
	if (!lines)
		return EXIT_STATUS_FAILED;
	if (parse_options(&token, &seconds, &e) < 0)
		return cli_usage(c, &e);
	lines->out = c->out;
	lines->json = c->json;
	if (netns) {
		lines->want = want;
		lines->data = &tokens;
	}
	err = trace_to(c, token_text ? &token : NULL, seconds, lines, &e);
	if (err == 0)
		tell_losses(c, lines);
	trace_lines_clear(lines);
	free(tokens.items);
	return err < 0 ? cli_fail(c, &e) : EXIT_STATUS_OK;
}

const struct verb verb_sched_trace = {
	.name = "sched",
	.sub = "trace",
	.summary = "print decisions of BPF schedulers as they are made, and why",
	.options = { options, NR(options) },
	.run = run,
};
