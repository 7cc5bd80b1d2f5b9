/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables the language is made of. The parser walks them along the YAML tree and the schema
 * printer writes them out, so a key exists in both or in neither.
 */
#ifndef POLICY_GRAMMAR_H
#define POLICY_GRAMMAR_H

#include "policy/node.h"
#include "policy/policy.h"
#include "policy/quantity.h"

enum value_kind {
	VALUE_WORD,	 /* one of `words` */
	VALUE_FLAGS,	 /* a list of `words` */
	VALUE_SWITCHES,	 /* the same, or "off" */
	VALUE_BOOL,	 /* true, false, yes, no, on, off */
	VALUE_INTEGER,	 /* min..max */
	VALUE_QUANTITY,	 /* min..max of `quantity`, in its smallest unit */
	VALUE_TEXT,	 /* a string that matches `pattern` */
	VALUE_MODE,	 /* one of `words`, or a string that matches `pattern` */
	VALUE_THRESHOLD, /* `element`, a mapping of `keys`, or "off" */
	VALUE_MODES,	 /* a mapping of `words` or names like `pattern` to `element` */
	VALUE_TEXTS,	 /* a string that matches `pattern`, or a list of at most `max` */
	VALUE_OBJECT,	 /* a mapping of `keys` */
	VALUE_LIST,	 /* of `element`, at most `max` */
	VALUE_SCHEDULER, /* `element` (the name alone) or a mapping of `keys` */
	VALUE_ACTION,	 /* `element` (the action alone) or a mapping of `keys` */
	VALUE_USER,	 /* `element` or a string that matches `pattern` */
	VALUE_PORTS,	 /* the same, or a list of at most `max` of them */
	VALUE_KNOBS,	 /* a mapping of names like `pattern` to `element` or lists of it */
};

struct word {
	const char *name;
	unsigned int value;
};

struct value {
	enum value_kind kind;
	enum quantity quantity;
	const struct word *words;
	size_t nr_words;
	const struct key *keys;
	size_t nr_keys;
	const struct value *element;
	uint64_t min, max;
	const char *pattern;  /* a regular expression both POSIX and JSON schema understand */
	const char *expected; /* the pattern in words */
	const char *excess;   /* said when a list is longer than `max`; may be NULL */
};

#define MODES_BUILTIN (POLICY_MODE_TARGET + 1)

struct draft_mode {
	struct policy_mode mode;
	struct policy_scheduler scheduler; /* no name: that of the top */
};

/* What was read so far. The policy's own fields are filled as they are read; what has to be
 * resolved against something else waits beside it. */
struct draft {
	struct policy policy;
	uint32_t version;
	struct policy_scheduler top_scheduler, rule_scheduler; /* the latter of the default rule */
	struct draft_mode modes[POLICY_MODES_MAX];	       /* the built-in ones first */
	size_t nr_modes;
	const struct node *path_nodes[POLICY_PATHS_MAX];
	bool path_broken[POLICY_PATHS_MAX]; /* has mistakes; not to be compared with others */
	const struct node *rule_nodes[POLICY_RULES_MAX];
	bool rule_broken[POLICY_RULES_MAX];
	const struct node *cap_nodes[POLICY_CAPS_MAX];
	bool cap_broken[POLICY_CAPS_MAX];
	const struct node *default_node; /* of the default rule; NULL: it is not written */
	bool establish_broken, tfo_broken;
};

struct parse {
	struct policy_diagnostics *diagnostics;
	struct draft draft;
	bool no_memory;
};

/* Checks `n` against key->value and stores the result at key->offset in `object`. */
typedef void key_handler(struct parse *p, const struct key *key, const struct node *n,
			 void *object);

struct key {
	const char *name;
	const struct value *value;
	key_handler *handle;
	size_t offset;
	const char *help;
	const char *fallback; /* the default in words, NULL when there is none */
	bool required;
	const char *refused; /* a known word that is an error here, and why */
};

/* For tables. */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS(table)  .words = (table), .nr_words = ARRAY_SIZE(table)
#define KEYS(table)   .keys = (table), .nr_keys = ARRAY_SIZE(table)

extern const struct value grammar_root, grammar_establish, grammar_modes, grammar_mode_ref;
extern const struct value grammar_caps, grammar_when;
extern const struct value grammar_scheduler, grammar_ports, grammar_prefix;

extern const struct value grammar_guard, grammar_reset, grammar_nat64, grammar_tfo;
extern const struct value grammar_destinations;

extern const struct word grammar_kinds[MODES_BUILTIN]; /* of modes */
extern const struct word grammar_link_types[];
extern const size_t grammar_nr_link_types;

#endif
