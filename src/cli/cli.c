// SPDX-License-Identifier: GPL-2.0-only
/* How verbs speak; see cli.h. */
#include "cli/cli.h"

#include <stdarg.h>

static int report(struct cli *c, const struct error *e, int status)
{
	struct json j;

	if (c->json) {
		json_init(&j, c->out, c->pretty);
		json_object_open(&j);
		json_key_string(&j, "error", e->text);
		if (e->hint[0])
			json_key_string(&j, "hint", e->hint);
		json_object_close(&j);
		json_end(&j);
		return status;
	}
	fflush(c->out);
	if (c->verbose)
		fputs(loader_log(), c->err);
	fprintf(c->err, "mptcp-pmctl: %s\n", e->text);
	if (e->hint[0])
		fprintf(c->err, "  hint: %s\n", e->hint);
	return status;
}

int cli_fail(struct cli *c, const struct error *e)
{
	int status = error_exit_status(e->code);

	return report(c, e, status == EXIT_STATUS_OK ? EXIT_STATUS_FAILED : status);
}

int cli_usage(struct cli *c, const struct error *e)
{
	return report(c, e, EXIT_STATUS_USAGE);
}

void cli_note(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	if (c->quiet || c->json)
		return;
	va_start(ap, fmt);
	vfprintf(c->out, fmt, ap);
	va_end(ap);
}

const char *cli_outcome_text(enum loader_outcome outcome)
{
	switch (outcome) {
	case LOADER_LOADED:
		return "loaded";
	case LOADER_SWAPPED:
		return "swapped";
	case LOADER_UNCHANGED:
		return "unchanged";
	}
	return "";
}

const char *cli_red(const struct cli *c)
{
	return c->color ? "\033[31m" : "";
}

const char *cli_green(const struct cli *c)
{
	return c->color ? "\033[32m" : "";
}

const char *cli_yellow(const struct cli *c)
{
	return c->color ? "\033[33m" : "";
}

const char *cli_plain(const struct cli *c)
{
	return c->color ? "\033[0m" : "";
}
