/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of initial path selection: what a network namespace, told by its cookie
 * (SO_NETNS_COOKIE), offers, and what was learned in it.
 */
#ifndef LOADER_LEARN_H
#define LOADER_LEARN_H

#include <linux/types.h>

#include "loader/loader.h"
#include "mptcp_learn.h"

#define LOADER_LEARN_ADDRESSES_MAX 64

struct loader_learn_address {
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	struct mptcp_learn_owner owner;
};

struct loader_learn_route {
	uint8_t destination[16];
	uint32_t bits;
};

struct loader_learn_space {
	bool on;
	struct mptcp_learn_config config;
	struct mptcp_learn_path paths[MPTCP_LEARN_PATHS_MAX];
	size_t nr_paths;
	struct loader_learn_address addresses[LOADER_LEARN_ADDRESSES_MAX]; /* ascending */
	size_t nr_addresses;
	struct loader_learn_route routes[MPTCP_LEARN_ROUTES_MAX]; /* ascending */
	size_t nr_routes;
};

struct loader_learn_row {
	struct mptcp_learn_key key;
	struct mptcp_learn_stat stat;
};

bool loader_learn_same(const struct loader_learn_space *a, const struct loader_learn_space *b);

/* For sorting. */
int loader_learn_address_compare(const void *a, const void *b);
int loader_learn_route_compare(const void *a, const void *b);

/* Milliseconds on the clock of the rows. */
uint64_t loader_learn_now_ms(void);

/* Not `on` when the namespace does not take part or there are no tables. */
int loader_learn_read(const struct loader_config *c, uint64_t cookie,
		      struct loader_learn_space *out, struct error *e);

/*
 * Makes the tables say this of the namespace. It takes part, by one change, last; or stops to,
 * first. Killed in between it takes part with the former paths or not at all. -ENOENT when the
 * programs are not loaded and the namespace is to take part.
 */
int loader_learn_write(const struct loader_config *c, uint64_t cookie,
		       const struct loader_learn_space *space, struct error *e);

/* What was learned, by interface, network and prefix; none when there are no tables. The caller
 * frees *out. */
int loader_learn_rows(const struct loader_config *c, uint64_t cookie, struct loader_learn_row **out,
		      size_t *nr, struct error *e);
int loader_learn_put(const struct loader_config *c, const struct loader_learn_row *rows, size_t nr,
		     struct error *e);
/* Rows that are gone already are no failure. */
int loader_learn_delete(const struct loader_config *c, const struct loader_learn_row *rows,
			size_t nr, struct error *e);

#endif
