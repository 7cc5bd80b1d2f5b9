// SPDX-License-Identifier: GPL-2.0-only
/* sched list|load|unload|show: BPF packet schedulers, without a policy. */
#include "cli/cli.h"
#include "cli/knob_args.h"
#include "cli/views.h"
#include "util/caps.h"
#include "util/cleanup.h"

#include <errno.h>
#include <string.h>

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static struct option_list sets;
static const char *module_path;
static bool force;

static const struct option_def load_options[] = {
	{ "set", 0, OPTION_LIST, "KNOB=V[,V...]", "set a knob of the scheduler; repeatable",
	  &sets },
	{ "module", 0, OPTION_VALUE, "PATH", "load this mptcp_bpf.ko instead of the installed one",
	  &module_path },
};

static const struct option_def unload_options[] = {
	{ "force", 0, OPTION_SWITCH, NULL, "also when it was loaded by someone else", &force },
};

/* Loaded schedulers; with `only` just that one, -ENOENT if there is none of that name. */
static int read_rows(const char *only, struct sched_row **out, size_t *nr, struct error *e)
{
	_cleanup_free_ struct loader_sched *list = NULL;
	int err = loader_sched_list(NULL, &list, nr, e);

	if (err < 0)
		return err;
	for (size_t i = 0; only && i < *nr; i++) {
		if (strcmp(list[i].name, only) != 0)
			continue;
		list[0] = list[i];
		*nr = 1;
		only = NULL;
	}
	if (only) {
		error_set(e, -ENOENT, "scheduler %s is not loaded", only);
		return error_hint(e, "mptcp-pmctl sched list");
	}
	*out = view_sched_rows(list, *nr);
	return *out ? 0 : error_set(e, -ENOMEM, "out of memory");
}

static int run_list(struct cli *c, int nr, char **words)
{
	_cleanup_free_ struct sched_row *rows = NULL;
	struct error e = { 0 };
	size_t nr_rows = 0;
	struct table t;
	struct json j;

	(void)nr;
	(void)words;
	if (read_rows(NULL, &rows, &nr_rows, &e) < 0)
		return cli_fail(c, &e);
	t = view_scheds(rows, nr_rows);
	if (c->json) {
		json_init(&j, c->out, c->pretty);
		table_json(&t, &j);
		json_end(&j);
		return EXIT_STATUS_OK;
	}
	table_print(&t, c->out, c->color);
	if (nr_rows == 0)
		cli_note(c, "no BPF schedulers loaded\n");
	return EXIT_STATUS_OK;
}

static int run_show(struct cli *c, int nr, char **words)
{
	_cleanup_free_ struct sched_row *rows = NULL;
	struct error e = { 0 };
	size_t nr_rows = 0;
	struct table t;
	struct json j;

	(void)nr;
	if (read_rows(words[0], &rows, &nr_rows, &e) < 0)
		return cli_fail(c, &e);
	t = view_scheds_in_full(rows, nr_rows);
	if (c->json) {
		json_init(&j, c->out, c->pretty);
		table_json_row(&t, 0, &j);
		json_end(&j);
	} else {
		table_print_row(&t, 0, c->out);
	}
	return EXIT_STATUS_OK;
}

/* {"scheduler": NAME, "outcome": WORD} or a sentence. */
static void tell(struct cli *c, const char *name, const char *outcome)
{
	struct json j;

	if (!c->json) {
		cli_note(c, "scheduler %s: %s\n", name, outcome);
		return;
	}
	json_init(&j, c->out, c->pretty);
	json_object_open(&j);
	json_key_string(&j, "scheduler", name);
	json_key_string(&j, "outcome", outcome);
	json_object_close(&j);
	json_end(&j);
}

static int run_load(struct cli *c, int nr, char **words)
{
	struct loader_config config = { .module_path = module_path };
	_cleanup_free_ struct knob_args *k = malloc(sizeof(*k));
	unsigned int caps = CAP_BIT_BPF | CAP_BIT_NET_ADMIN | CAP_BIT_SYS_ADMIN;
	char name[LOADER_NAME_BYTES];
	enum loader_outcome outcome;
	struct error e = { 0 };

	(void)nr;
	if (!k)
		return EXIT_STATUS_FAILED;
	if (knob_args_parse(&sets, k, &e) < 0)
		return cli_usage(c, &e);
	if (!loader_module_loaded())
		caps |= CAP_BIT_SYS_MODULE;
	if (caps_need(caps, "load a scheduler", &e) < 0 ||
	    loader_sched_load(&config, words[0], k->knobs, k->nr, false, name, &outcome, &e) < 0)
		return cli_fail(c, &e);
	tell(c, name, cli_outcome_text(outcome));
	return EXIT_STATUS_OK;
}

static int run_unload(struct cli *c, int nr, char **words)
{
	struct error e = { 0 };

	(void)nr;
	if (caps_need(CAP_BIT_BPF | CAP_BIT_SYS_ADMIN, "unload a scheduler", &e) < 0 ||
	    loader_sched_unload(NULL, words[0], force, &e) < 0)
		return cli_fail(c, &e);
	tell(c, words[0], "unloaded");
	return EXIT_STATUS_OK;
}

const struct verb verb_sched_list = {
	.name = "sched",
	.sub = "list",
	.summary = "list loaded BPF schedulers with their counters",
	.run = run_list,
};

const struct verb verb_sched_load = {
	.name = "sched",
	.sub = "load",
	.words = "NAME|FILE",
	.summary = "load a BPF scheduler, or replace it live",
	.options = { load_options, NR(load_options) },
	.min = 1,
	.max = 1,
	.run = run_load,
};

const struct verb verb_sched_unload = {
	.name = "sched",
	.sub = "unload",
	.words = "NAME",
	.summary = "unload a BPF scheduler; its connections get the built-in one",
	.options = { unload_options, NR(unload_options) },
	.min = 1,
	.max = 1,
	.run = run_unload,
};

const struct verb verb_sched_show = {
	.name = "sched",
	.sub = "show",
	.words = "NAME",
	.summary = "show one loaded BPF scheduler",
	.min = 1,
	.max = 1,
	.run = run_show,
};
