/* SPDX-License-Identifier: GPL-2.0-only */
/* For the files that hold tables of the language. */
#ifndef POLICY_GRAMMAR_TABLES_H
#define POLICY_GRAMMAR_TABLES_H

#include "policy/grammar.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS(table)  .words = (table), .nr_words = ARRAY_SIZE(table)
#define KEYS(table)   .keys = (table), .nr_keys = ARRAY_SIZE(table)

extern const struct value grammar_ports;  /* for handle_ports */
extern const struct value grammar_prefix; /* for handle_prefix */

#endif
