/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options from tables. Global options and those of the verb may stand anywhere; "--" ends them. An
 * option that takes a value is written "--name VALUE" or "--name=VALUE", "-x VALUE" or "-xVALUE".
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

#define OPTION_LIST_MAX 16

struct option_list {
	const char *items[OPTION_LIST_MAX];
	size_t nr;
};

enum option_kind {
	OPTION_SWITCH, /* bool */
	OPTION_COUNT,  /* int, one up each time */
	OPTION_VALUE,  /* const char * */
	OPTION_LIST,   /* struct option_list, one more each time */
};

struct option_def {
	const char *name; /* without the dashes */
	char letter;	  /* 0: none */
	enum option_kind kind;
	const char *value; /* what the value is, for help, e.g. "NAME"; NULL: takes none */
	const char *help;
	void *target;
};

struct option_table {
	const struct option_def *defs;
	size_t nr;
};

/*
 * Takes the options out of argv[0..argc), stores them, and packs the words that remain to the
 * front. Returns how many words there are, or -EINVAL with the specific mistake and the nearest
 * option.
 */
int options_parse(int argc, char **argv, const struct option_table *tables, size_t nr_tables,
		  struct error *e);

#endif
