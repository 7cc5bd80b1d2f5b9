// SPDX-License-Identifier: GPL-2.0-only
/* Help; see help.h. */
#include "cli/help.h"

#define COLUMN_WIDTH 30

static void print_usage(FILE *out, const struct verb *v)
{
	fprintf(out, "%s%s%s%s%s", v->name, v->sub ? " " : "", v->sub ? v->sub : "",
		v->words ? " " : "", v->words ? v->words : "");
}

static void print_options(FILE *out, const struct option_table *t)
{
	for (size_t i = 0; i < t->nr; i++) {
		const struct option_def *d = &t->defs[i];
		char left[64];

		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", d->letter ? "-" : " ",
			 d->letter ? d->letter : ' ', d->letter ? ", " : "  ", d->name,
			 d->value ? " " : "", d->value ? d->value : "");
		fprintf(out, "  %-*s %s\n", COLUMN_WIDTH, left, d->help);
	}
}

void help_program(FILE *out, const struct verb *const *verbs, size_t nr,
		  const struct option_table *globals)
{
	fputs("Usage: mptcp-pmctl [OPTIONS] [VERB] [ARGUMENTS]\n"
	      "Makes Multipath TCP on this machine do what a policy says.\n\nVerbs:\n",
	      out);
	for (size_t i = 0; i < nr; i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s%s%s%s%s", verbs[i]->name, verbs[i]->sub ? " " : "",
			 verbs[i]->sub ? verbs[i]->sub : "", verbs[i]->words ? " " : "",
			 verbs[i]->words ? verbs[i]->words : "");
		fprintf(out, "  %-*s %s\n", COLUMN_WIDTH, left, verbs[i]->summary);
	}
	fputs("\nOptions:\n", out);
	print_options(out, globals);
	fputs("\n\"mptcp-pmctl VERB --help\" lists the options of a verb; mptcp-pmctl(8) explains "
	      "them.\nExit status: 0 ok, 1 failed, 2 usage, 3 not supported by this machine, 4 no "
	      "permission.\n",
	      out);
}

void help_verb(FILE *out, const struct verb *v)
{
	fputs("Usage: mptcp-pmctl ", out);
	print_usage(out, v);
	fprintf(out, "%s\n  %s\n", v->options.nr ? " [OPTIONS]" : "", v->summary);
	if (v->options.nr)
		fputs("\nOptions:\n", out);
	print_options(out, &v->options);
}
