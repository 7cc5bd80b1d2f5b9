// SPDX-License-Identifier: GPL-2.0-only
/* check: is a policy right? Reads files, never the kernel. */
#include "cli/cli.h"
#include "cli/diagnose.h"
#include "pm/engine_choose.h"

#include <errno.h>

static bool schema;

static const struct option_def options[] = {
	{ "schema", 0, OPTION_SWITCH, NULL, "print the JSON schema of the policy language",
	  &schema },
};

static void print_engine(struct cli *c, const char *file, const struct policy *p)
{
	char why[PM_REASON_BYTES], what[PM_REASON_BYTES];
	enum policy_engine engine = pm_engine_choose(p, why);

	cli_note(c, "%s: ok; engine %s: %s\n", file, pm_engine_name(engine), why);
	if (pm_engine_needs_daemon(p, what))
		cli_note(c, "  needs `mptcp-pmctl daemon`: %s\n", what);
}

static void engine_json(struct json *j, const struct policy *p)
{
	char why[PM_REASON_BYTES], what[PM_REASON_BYTES];
	bool daemon;

	json_key_string(j, "engine", pm_engine_name(pm_engine_choose(p, why)));
	json_key_string(j, "engine_reason", why);
	daemon = pm_engine_needs_daemon(p, what);
	json_key_bool(j, "needs_daemon", daemon);
	if (daemon)
		json_key_string(j, "daemon_reason", what);
}

static bool check_one(struct cli *c, struct json *j, const char *file)
{
	struct policy_diagnostics d = { 0 };
	struct policy *p = NULL;
	struct error e = { 0 };
	int err = policy_load(file, &p, &d, &e);

	if (err == 0)
		err = pm_engine_check(p, &e);
	if (c->json) {
		diagnose_json_open(j, file, &d, err < 0 ? &e : NULL);
		if (err == 0)
			engine_json(j, p);
		json_object_close(j);
	} else if (err < 0) {
		diagnose_print(c, file, &d, &e);
	} else {
		print_engine(c, file, p);
	}
	policy_diagnostics_clear(&d);
	policy_free(&p);
	return err == 0;
}

static int run(struct cli *c, int nr, char **words)
{
	struct error e = { 0 };
	struct json j;
	bool ok = true;

	if (schema) {
		policy_schema_print(c->out);
		return EXIT_STATUS_OK;
	}
	if (nr == 0) {
		error_set(&e, -EINVAL, "check needs a policy file");
		error_hint(&e, "mptcp-pmctl check FILE...");
		return cli_usage(c, &e);
	}
	json_init(&j, c->out, c->pretty);
	if (c->json)
		json_array_open(&j);
	for (int i = 0; i < nr; i++)
		ok = check_one(c, &j, words[i]) && ok;
	if (c->json) {
		json_array_close(&j);
		json_end(&j);
	}
	return ok ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

const struct verb verb_check = {
	.name = "check",
	.words = "FILE...",
	.summary = "look for mistakes in policies; touches nothing",
	.options = { options, sizeof(options) / sizeof(options[0]) },
	.max = -1,
	.run = run,
};
