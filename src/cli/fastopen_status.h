/* SPDX-License-Identifier: GPL-2.0-only */
/* Data in SYNs for `status`: who may, and how it goes. */
#ifndef CLI_FASTOPEN_STATUS_H
#define CLI_FASTOPEN_STATUS_H

#include "cli/cli.h"
#include "loader/rescue.h"
#include "util/json.h"

#define FASTOPEN_COUNTERS 6
#define FASTOPEN_HELD_MAX 8

struct fastopen_status {
	int bits; /* net.ipv4.tcp_fastopen; -1: there is none */
	uint64_t counters[FASTOPEN_COUNTERS];
	/* What the programs of SYN rescue do about it. */
	bool loaded;
	struct rescue_config settings;
	uint64_t now_ns;
	struct loader_rescue_lost held[FASTOPEN_HELD_MAX];
	size_t nr_held; /* may be more than there is room for */
};

/* Of the thread's network namespace; what cannot be looked at is as if it were not loaded. */
void fastopen_status_read(struct fastopen_status *s);
void fastopen_status_print(struct cli *c, const struct fastopen_status *s);
void fastopen_status_json(const struct fastopen_status *s, struct json *j);

#endif
