/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong with a policy file, for people and for programs. */
#ifndef CLI_DIAGNOSE_H
#define CLI_DIAGNOSE_H

#include "cli/cli.h"
#include "policy/policy.h"

/* Every mistake; when there is none the file could not be read, and `e` says why. */
void diagnose_print(struct cli *c, const char *file, const struct policy_diagnostics *d,
		    const struct error *e);
/* {"file", "ok", "error"?, "errors": [...]}; `e` NULL: the file is right. */
void diagnose_json(struct json *j, const char *file, const struct policy_diagnostics *d,
		   const struct error *e);

/* The same, left open for what is known of a file that is right. */
void diagnose_json_open(struct json *j, const char *file, const struct policy_diagnostics *d,
			const struct error *e);

/* Loads a policy and reports all that is wrong with it. *status is the exit status on failure. */
int diagnose_load(struct cli *c, const char *file, struct policy **out, int *status);
/* The same, and its text for the caller to free; *text is NULL on failure. */
int diagnose_load_text(struct cli *c, const char *file, struct policy **out, char **text,
		       int *status);

#endif
