// SPDX-License-Identifier: GPL-2.0-only
/* The daemon's memory of resets; see conn_resets.h. */
#include "cli/conn_resets.h"

#include <stdio.h>
#include <string.h>

#include "daemon/client.h"
#include "pm/address.h"
#include "util/cleanup.h"

struct resets {
	struct reset_row *rows;
	size_t nr;
};

static void take_end(const struct flat *line, const char *v4, const char *v6, const char *port,
		     char out[PM_ADDRESS_PORT_BYTES])
{
	const char *text = flat_string(line, v4) ? flat_string(line, v4) : flat_string(line, v6);
	struct pm_address a = { 0 };

	if (text && pm_address_parse(text, &a) == 0)
		pm_address_port_text(&a, (uint16_t)flat_uint(line, port), out);
}

static void take_text(const struct flat *line, const char *key, char *out, size_t size)
{
	const char *text = flat_string(line, key);

	snprintf(out, size, "%s", text ? text : "");
}

static int take(const struct flat *line, void *data)
{
	const char *kind = flat_string(line, "kind");
	struct resets *all = data;
	struct reset_row *r;

	if (!kind || strcmp(kind, "reset") != 0 || all->nr == PM_RESETS_MAX)
		return 0;
	r = &all->rows[all->nr++];
	*r = (struct reset_row){ .ago_ms = flat_uint(line, "ago_ms"),
				 .reason = (uint32_t)flat_uint(line, "reset_reason"),
				 .transient = flat_true(line, "transient") };
	take_end(line, "saddr4", "saddr6", "sport", r->local);
	take_end(line, "daddr4", "daddr6", "dport", r->remote);
	take_text(line, "path", r->path, sizeof(r->path));
	take_text(line, "reset_reason_text", r->text, sizeof(r->text));
	take_text(line, "reaction", r->reaction, sizeof(r->reaction));
	return 0;
}

void conn_resets_read(uint32_t token, struct reset_row out[PM_RESETS_MAX], size_t *nr)
{
	_cleanup_(control_close) struct control_link l = { .fd = -1 };
	struct control_ask ask = { 0 };
	struct resets all = { .rows = out };
	struct error e = { 0 };
	char text[12];

	*nr = 0;
	snprintf(text, sizeof(text), "%08x", token);
	if (control_connect(&l, &e) < 0)
		return;
	control_ask(&ask, "explain");
	if (ask.out)
		json_key_string(&ask.j, "token", text);
	if (control_answer(&l, &ask, take, &all, &e) == 0)
		*nr = all.nr;
}

#define RESET(key, title, kind, member, optional)                              \
	{                                                                      \
		key, title, kind, offsetof(struct reset_row, member), optional \
	}

static const struct column columns[] = {
	RESET("ago_ms", "RESET MS AGO", COLUMN_U64, ago_ms, false),
	RESET("local", "LOCAL", COLUMN_TEXT, local, false),
	RESET("remote", "REMOTE", COLUMN_TEXT, remote, false),
	RESET("path", "PATH", COLUMN_TEXT, path, true),
	RESET("reset_reason", "REASON", COLUMN_U32, reason, false),
	RESET("reset_reason_text", "IN WORDS", COLUMN_TEXT, text, true),
	RESET("transient", "FLAGS", COLUMN_FLAG, transient, false),
	RESET("reaction", "REACTION", COLUMN_TEXT, reaction, false),
};

struct table view_resets(const struct reset_row *rows, size_t nr)
{
	return (struct table){ columns, sizeof(columns) / sizeof(columns[0]), rows, sizeof(*rows),
			       nr };
}
