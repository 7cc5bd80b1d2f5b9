/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of YAML a policy may use, as a tree that remembers where everything stood: scalars,
 * lists and mappings. Aliases, tags and further documents are refused here, as is everything that
 * would make a small file expensive to read.
 */
#ifndef POLICY_NODE_H
#define POLICY_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

#define NODE_FILE_BYTES_MAX (1024 * 1024)
#define NODE_DEPTH_MAX	    16
#define NODE_COUNT_MAX	    10000

enum node_kind {
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAP,
	NODE_BROKEN, /* reported already; to be skipped */
};

struct node {
	enum node_kind kind;
	unsigned int line, column; /* 1-based */
	bool plain;		   /* a scalar without quotes */
	char *text;		   /* of a scalar */
	struct node *items;	   /* of a map: key, value, key, value... */
	size_t nr, capacity;
};

/*
 * Reads one document; a byte order mark is not expected. Returns 0, with diagnostics when something
 * in the tree is broken but the rest can be checked; -EINVAL with diagnostics when the tree is of
 * no use; or -ENOMEM. *out is to be cleared in every case.
 */
int node_read(const char *text, size_t size, struct node *out, struct policy_diagnostics *d);
void node_clear(struct node *n);

/* The value of a key of a map, NULL if there is none or `n` is not a map. */
const struct node *node_get(const struct node *n, const char *key);

/* A plain scalar that YAML reads as null. */
bool node_is_null(const struct node *n);

#endif
