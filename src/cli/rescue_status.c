// SPDX-License-Identifier: GPL-2.0-only
/* SYN rescue in a few lines; see rescue_status.h. */
#include "cli/rescue_status.h"

#include <inttypes.h>
#include <string.h>

#include "cli/establish_views.h"
#include "pm/netns.h"
#include "util/cleanup.h"

const char *rescue_status_robe(const struct rescue_config *settings)
{
	return !settings->on ? "off" : settings->race ? "sim" : "timer";
}

void rescue_status_read(struct rescue_status *s)
{
	_cleanup_free_ struct loader_rescue_flow *flows = NULL;
	struct pm_netns ns = { 0 };
	size_t nr = 0;

	memset(s, 0, sizeof(*s));
	if (pm_netns_identify(&ns, NULL) < 0 ||
	    loader_rescue_settings(NULL, ns.cookie, &s->settings, NULL) < 0 ||
	    loader_rescue_counts(NULL, ns.cookie, s->counts, NULL) < 0 ||
	    loader_rescue_flows(NULL, ns.cookie, &flows, &nr, NULL) < 0)
		return;
	s->loaded = true;
	for (size_t i = 0; i < nr; i++)
		s->riding += loader_rescue_rides(&flows[i].flow);
}

void rescue_status_print(struct cli *c, const struct rescue_status *s)
{
	struct rescue_count_row rows[RESCUE_COUNTS];
	size_t nr = view_rescue_counts(s->counts, rows);

	/* Only data in SYNs is looked at. */
	if (!s->loaded || (!s->settings.on && rescue_looks_at_data(&s->settings) && !s->riding))
		return;
	fprintf(c->out, "rescue     %s; asked %" PRIu64 ", rescued %" PRIu64 ", riding %zu\n",
		rescue_status_robe(&s->settings), s->counts[RESCUE_ASKED],
		s->counts[RESCUE_RESCUED], s->riding);
	for (size_t i = 0; i < nr; i++) {
		if (strncmp(rows[i].name, "not_", 4) == 0)
			fprintf(c->out, "           %" PRIu64 " times %s\n", rows[i].value,
				rows[i].text);
	}
}

void rescue_status_json(const struct rescue_status *s, struct json *j)
{
	if (!s->loaded) {
		json_string(j, NULL);
		return;
	}
	json_object_open(j);
	json_key_string(j, "robe", rescue_status_robe(&s->settings));
	json_key_uint(j, "riding", s->riding);
	for (size_t i = 0; i < RESCUE_COUNTS; i++)
		json_key_uint(j, view_rescue_count_name(i), s->counts[i]);
	json_object_close(j);
}
