/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every verb gets: how to speak (people or JSON, colors, how much) and where things are. A
 * verb is one file with its option table and a run function; main.c lists the verbs.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/options.h"
#include "loader/loader.h"
#include "util/error.h"
#include "util/json.h"

struct cli {
	bool json, pretty, quiet, color;
	int verbose;
	FILE *out, *err;
};

struct verb {
	const char *name;
	const char *sub; /* "list" of `sched list`, "subflow add" of `conn subflow add`, or NULL */
	const char *words;   /* for help: "FILE..."; NULL: none */
	const char *summary; /* one line */
	struct option_table options;
	int min, max; /* words after the verb; max < 0: any number */
	/* Words after the verb; returns the exit status. */
	int (*run)(struct cli *c, int nr, char **words);
};

/* Prints the error where it belongs ({"error": ...} on standard output in JSON mode) and returns
 * the exit status that goes with its code. */
int cli_fail(struct cli *c, const struct error *e);
/* The same with EXIT_STATUS_USAGE. */
int cli_usage(struct cli *c, const struct error *e);

/* A remark that is not the result; silent with -q and in JSON mode. */
void cli_note(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A word about an outcome ("loaded", "swapped live", "unchanged"). */
const char *cli_outcome_text(enum loader_outcome outcome);

/* Escape sequences, or "" without color. */
const char *cli_red(const struct cli *c);
const char *cli_green(const struct cli *c);
const char *cli_yellow(const struct cli *c);
const char *cli_plain(const struct cli *c);

extern const struct verb verb_check, verb_apply, verb_status, verb_unload, verb_sched_list,
	verb_sched_load, verb_sched_unload, verb_sched_show, verb_endpoint_list, verb_doctor,
	verb_version, verb_conn_list, verb_conn_show, verb_conn_set, verb_sched_trace,
	verb_conn_subflow_add, verb_conn_subflow_del, verb_conn_subflow_backup, verb_conn_announce,
	verb_conn_withdraw, verb_monitor, verb_path_learn_show, verb_path_learn_forget,
	verb_establish_list, verb_establish_watch, verb_daemon, verb_reload, verb_explain,
	verb_path_list, verb_path_down, verb_path_up, verb_path_health, verb_path_watch;

#endif
