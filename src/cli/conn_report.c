// SPDX-License-Identifier: GPL-2.0-only
/* What was done to a connection; see conn_report.h. */
#include "cli/conn_report.h"

#include <netinet/tcp.h>

#include "cli/conn_views.h"
#include "pm/address.h"
#include "pm/event.h"

void conn_report(struct cli *c, const struct pm_request *r, const struct pm_subflow *s)
{
	char local[PM_ADDRESS_PORT_BYTES], remote[PM_ADDRESS_PORT_BYTES];

	pm_address_text(&r->local.address, local);
	if (r->local.port)
		pm_address_port_text(&r->local.address, r->local.port, local);
	pm_address_port_text(&r->remote.address, r->remote.port, remote);
	cli_note(c, "connection %08x: ", r->token);
	switch (r->kind) {
	case PM_SUBFLOW_ADD:
		cli_note(c, "subflow %s -> %s, id %u, %s\n", local, remote, r->local.id,
			 s->state == TCP_ESTABLISHED ? "established" : "not answered yet");
		break;
	case PM_SUBFLOW_DELETE:
		cli_note(c, "subflow %s -> %s %s%s%s\n", local, remote,
			 r->reset ? "reset: " : "deleted",
			 r->reset ? pm_reset_reason_text(r->reset_reason) : "",
			 r->reset_transient ? ", transient" : "");
		break;
	case PM_SUBFLOW_BACKUP:
		cli_note(c, "subflow %s -> %s: the peer is asked to use it %s\n", local, remote,
			 r->local.flags & PM_FLAG_BACKUP ? "as a backup" : "as any other");
		break;
	case PM_ANNOUNCE:
		cli_note(c, "announced %s, id %u\n", local, r->local.id);
		break;
	case PM_WITHDRAW:
		cli_note(c, "address id %u withdrawn\n", r->local.id);
		break;
	}
}

const char *conn_report_name(enum pm_request_kind kind)
{
	switch (kind) {
	case PM_SUBFLOW_ADD:
		return "subflow add";
	case PM_SUBFLOW_DELETE:
		return "subflow del";
	case PM_SUBFLOW_BACKUP:
		return "subflow backup";
	case PM_ANNOUNCE:
		return "announce";
	case PM_WITHDRAW:
		return "withdraw";
	}
	return NULL;
}

static void json_end_of(struct json *j, const struct pm_endpoint *end, const char *address,
			const char *port)
{
	char text[INET6_ADDRSTRLEN];

	json_key_string(j, address, pm_address_text(&end->address, text));
	if (end->port)
		json_key_uint(j, port, end->port);
}

void conn_report_json(struct cli *c, const struct pm_request *r, const struct pm_subflow *s,
		      const char *dev)
{
	bool subflow = r->kind != PM_ANNOUNCE && r->kind != PM_WITHDRAW;
	char token[12];
	struct json j;

	snprintf(token, sizeof(token), "%08x", r->token);
	json_init(&j, c->out, c->pretty);
	json_object_open(&j);
	json_key_string(&j, "token", token);
	json_key_string(&j, "command", conn_report_name(r->kind));
	if (r->kind != PM_WITHDRAW)
		json_end_of(&j, &r->local, "saddr", "sport");
	if (subflow)
		json_end_of(&j, &r->remote, "daddr", "dport");
	json_key_uint(&j, "locid", r->local.id);
	if (subflow)
		json_key_uint(&j, "remid", r->remote.id);
	if (r->kind == PM_SUBFLOW_ADD || r->kind == PM_SUBFLOW_BACKUP)
		json_key_bool(&j, "backup", r->local.flags & PM_FLAG_BACKUP);
	if (r->reset) {
		json_key_uint(&j, "reset_reason", r->reset_reason);
		json_key_string(&j, "reset_reason_text", pm_reset_reason_text(r->reset_reason));
		json_key_bool(&j, "transient", r->reset_transient);
	}
	if (dev)
		json_key_string(&j, "dev", dev);
	if (r->kind == PM_SUBFLOW_ADD)
		json_key_string(&j, "state", view_state_name(s->state));
	json_object_close(&j);
	json_end(&j);
}
