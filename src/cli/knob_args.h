/* SPDX-License-Identifier: GPL-2.0-only */
/* "--set KNOB=V[,V...]" into what the loader takes. */
#ifndef CLI_KNOB_ARGS_H
#define CLI_KNOB_ARGS_H

#include "cli/options.h"
#include "loader/loader.h"

struct knob_args {
	struct loader_knob knobs[OPTION_LIST_MAX];
	size_t nr;
	char names[OPTION_LIST_MAX][64];
	uint64_t values[OPTION_LIST_MAX][LOADER_KNOB_VALUES_MAX];
};

/* `knobs` points into *out, which must not move. -EINVAL. Numbers are decimal or 0x..., and "true",
 * "false", "yes", "no", "on", "off" are 1 and 0. */
int knob_args_parse(const struct option_list *list, struct knob_args *out, struct error *e);

#endif
