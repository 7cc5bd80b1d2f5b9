// SPDX-License-Identifier: GPL-2.0-only
/* Arguments about subflows; see conn_args.h. */
#include "cli/conn_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pm/address.h"

#define ID_MAX	   255
#define WORD_BYTES 16

int conn_arg_number(const char *what, const char *text, unsigned int min, unsigned int max,
		    unsigned int *out, struct error *e)
{
	size_t n = strspn(text, "0123456789");
	unsigned long number = n && n < 9 && !text[n] ? strtoul(text, NULL, 10) : ~0UL;

	if (number < min || number > max)
		return error_set(e, -EINVAL, "%s is a number from %u to %u, not \"%s\"", what, min,
				 max, text);
	*out = (unsigned int)number;
	return 0;
}

int conn_arg_end(const char *what, const char *text, bool with_port, struct pm_endpoint *out,
		 struct error *e)
{
	if (!text)
		return 0;
	if (with_port && pm_address_port_parse(text, &out->address, &out->port) == 0)
		return 0;
	if (!with_port && pm_address_parse(text, &out->address) == 0)
		return 0;
	error_set(e, -EINVAL, "%s: \"%s\" is not an address", what, text);
	return with_port ? error_hint(e, "10.0.0.1, 10.0.0.1:443, fd00::1 or [fd00::1]:443")
			 : error_hint(e, "10.0.0.1 or fd00::1");
}

int conn_arg_subflow_id(const char *text, struct pm_request *r, struct error *e)
{
	size_t n = strcspn(text, ":");
	char first[WORD_BYTES];
	unsigned int id = 0, peer = 0;

	snprintf(first, sizeof(first), "%.*s", (int)n, text);
	if (n >= sizeof(first) || conn_arg_number("a local id", first, 0, ID_MAX, &id, e) < 0 ||
	    (text[n] && conn_arg_number("a remote id", text + n + 1, 0, ID_MAX, &peer, e) < 0)) {
		error_set(e, -EINVAL, "\"%s\" does not say which subflow: LOCID or LOCID:REMID",
			  text);
		return error_hint(e, "mptcp-pmctl conn show TOKEN");
	}
	r->local.id = (uint8_t)id;
	r->has_local_id = true;
	r->remote.id = (uint8_t)peer;
	r->has_remote_id = text[n];
	return 0;
}
