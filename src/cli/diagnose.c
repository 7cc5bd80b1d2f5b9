// SPDX-License-Identifier: GPL-2.0-only
/* Mistakes in policy files; see diagnose.h. */
#include "cli/diagnose.h"

#include <stdlib.h>

void diagnose_print(struct cli *c, const char *file, const struct policy_diagnostics *d,
		    const struct error *e)
{
	fflush(c->out);
	if (d->total == 0) {
		cli_fail(c, e);
		return;
	}
	policy_diagnostics_print(c->err, file, d, c->color);
}

void diagnose_json_open(struct json *j, const char *file, const struct policy_diagnostics *d,
			const struct error *e)
{
	json_object_open(j);
	json_key_string(j, "file", file);
	json_key_bool(j, "ok", !e);
	if (e)
		json_key_string(j, "error", e->text);
	json_key(j, "errors");
	json_array_open(j);
	for (size_t i = 0; i < d->nr; i++) {
		json_object_open(j);
		json_key_uint(j, "line", d->items[i].line);
		json_key_uint(j, "column", d->items[i].column);
		json_key_string(j, "text", d->items[i].text);
		if (d->items[i].hint[0])
			json_key_string(j, "hint", d->items[i].hint);
		json_object_close(j);
	}
	json_array_close(j);
}

void diagnose_json(struct json *j, const char *file, const struct policy_diagnostics *d,
		   const struct error *e)
{
	diagnose_json_open(j, file, d, e);
	json_object_close(j);
}

int diagnose_load_text(struct cli *c, const char *file, struct policy **out, char **text,
		       int *status)
{
	struct policy_diagnostics d = { 0 };
	struct error e = { 0 };
	struct json j;
	size_t size = 0;
	int err;

	*text = NULL;
	err = policy_read(file, text, &size, &e);
	if (err == 0)
		err = policy_take(file, *text, size, out, &d, &e);
	if (err < 0 && c->json && d.total) {
		json_init(&j, c->out, c->pretty);
		diagnose_json(&j, file, &d, &e);
		json_end(&j);
	} else if (err < 0 && c->json) {
		cli_fail(c, &e);
	} else if (err < 0) {
		diagnose_print(c, file, &d, &e);
	}
	if (err < 0) {
		*status = d.total ? EXIT_STATUS_FAILED : error_exit_status(err);
		free(*text);
		*text = NULL;
	}
	policy_diagnostics_clear(&d);
	return err;
}

int diagnose_load(struct cli *c, const char *file, struct policy **out, int *status)
{
	char *text;
	int err = diagnose_load_text(c, file, out, &text, status);

	free(text);
	return err;
}
