/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One function a kind of value: checks a node, reports what is wrong with it and stores the result.
 * Everything they need to know is in the key; see grammar.h.
 */
#ifndef POLICY_HANDLERS_H
#define POLICY_HANDLERS_H

#include "policy/grammar.h"

void parse_report(struct parse *p, const struct node *n, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* "WHAT" must be EXPECTED, not VALUE. */
void parse_report_type(struct parse *p, const char *what, const struct node *n,
		       const char *expected, const char *hint);

/* "did you mean "X"?", or "LABEL: all of them" when none is near. */
void parse_suggest(const char *word, const char *const *candidates, size_t nr, const char *label,
		   char *out, size_t size);

/* Whether the node is usable as what the name says; what is not is reported. */
bool parse_is_map(struct parse *p, const char *what, const struct node *n);
bool parse_is_list(struct parse *p, const char *what, const struct node *n);
bool parse_is_text(struct parse *p, const char *what, const struct value *value,
		   const struct node *n);
bool parse_integer(struct parse *p, const char *what, const struct value *value,
		   const struct node *n, uint64_t *out);
bool parse_quantity(struct parse *p, const char *what, const struct value *value,
		    const struct node *n, uint64_t *out);
/* The key at items[at] of the map is a word and new there. */
bool parse_is_new_key(struct parse *p, const struct node *map, size_t at);

/* Walks a mapping along value->keys. `what` names it in messages. */
void parse_object(struct parse *p, const char *what, const struct value *value,
		  const struct node *n, void *object);

key_handler handle_word;	/* unsigned int or enum */
key_handler handle_flags;	/* unsigned int */
key_handler handle_switches;	/* unsigned int, 0 for "off" */
key_handler handle_bool;	/* bool */
key_handler handle_tristate;	/* enum policy_tristate */
key_handler handle_integer;	/* uint32_t */
key_handler handle_quantity;	/* uint64_t */
key_handler handle_quantity32;	/* uint32_t */
key_handler handle_name;	/* char[], long enough for what the pattern allows */
key_handler handle_object;	/* the object at the offset */
key_handler handle_version;	/* uint32_t */
key_handler handle_paths;	/* struct draft */
key_handler handle_connections; /* struct draft */
key_handler handle_modes;	/* struct draft */
key_handler handle_caps;	/* struct draft */
key_handler handle_when;	/* struct policy_when */
key_handler handle_reference;	/* nothing: refer.c finds out what is meant */
key_handler handle_references;	/* the same, of a list */
key_handler handle_limits;	/* struct policy_limits */
key_handler handle_establish;	/* struct policy_establish */
key_handler handle_idempotent;	/* struct policy_establish */
key_handler handle_scheduler;	/* struct policy_scheduler */
key_handler handle_knobs;	/* struct policy_scheduler */
key_handler handle_glob;	/* char * */
key_handler handle_cgroup;	/* char * */
key_handler handle_user;	/* char * */
key_handler handle_ports;	/* struct policy_ports */
key_handler handle_prefix;	/* struct policy_prefix */
key_handler handle_guard;	/* struct policy_guard */
key_handler handle_nat64;	/* struct policy_nat64 */
key_handler handle_tfo;		/* struct policy_tfo */
key_handler handle_tfo_to;	/* struct policy_tfo */
key_handler handle_action;	/* struct policy_guard: the action and what goes with it */
key_handler handle_addresses;	/* struct policy_guard */
key_handler handle_reset;	/* struct policy_reset */

/* Whether the list is one and not too long; what is beyond its end is reported once. */
size_t parse_list_length(struct parse *p, const struct key *key, const struct node *n);
/* For a list of grammar_destinations: appends to out[*nr_out], which has room for as many. */
void parse_destinations(struct parse *p, const struct key *key, const struct node *n,
			struct policy_destination *out, size_t *nr_out);
bool parse_has_control(const char *s);

#endif
