/* SPDX-License-Identifier: GPL-2.0-only */
/* Help texts made from the verbs' own tables. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/cli.h"

void help_program(FILE *out, const struct verb *const *verbs, size_t nr,
		  const struct option_table *globals);
/* All verbs of that first word. */
void help_verb(FILE *out, const struct verb *v);

#endif
