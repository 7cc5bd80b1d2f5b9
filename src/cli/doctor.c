// SPDX-License-Identifier: GPL-2.0-only
/* doctor: what this machine supports, and what brings the rest. */
#include "cli/cli.h"
#include "cli/views.h"

static const char *module_path;

static const struct option_def options[] = {
	{ "module", 0, OPTION_VALUE, "PATH", "take this mptcp_bpf.ko as installed", &module_path },
};

static const char *level_text(int level)
{
	switch (level) {
	case 0:
		return "endpoints, limits, built-in schedulers";
	case 1:
		return "and BPF programs on the paths";
	case 2:
		return "and BPF packet schedulers";
	default:
		return "nothing works here yet";
	}
}

static int run(struct cli *c, int nr, char **words)
{
	struct loader_config config = { .module_path = module_path };
	struct loader_support s;
	struct table t;
	struct json j;

	(void)nr;
	(void)words;
	loader_probe(&config, &s);
	t = view_features(&s);
	if (c->json) {
		json_init(&j, c->out, c->pretty);
		json_object_open(&j);
		json_key(&j, "level");
		json_int(&j, s.level);
		json_key(&j, "features");
		table_json(&t, &j);
		json_object_close(&j);
		json_end(&j);
	} else {
		if (!c->quiet)
			table_print(&t, c->out, c->color);
		fprintf(c->out, "level %d: %s\n", s.level, level_text(s.level));
	}
	return s.level >= 0 ? EXIT_STATUS_OK : EXIT_STATUS_UNSUPPORTED;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.summary = "say what this machine supports and how to get the rest",
	.options = { options, sizeof(options) / sizeof(options[0]) },
	.run = run,
};
