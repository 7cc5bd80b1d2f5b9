// SPDX-License-Identifier: GPL-2.0-only
/* version */
#include "cli/cli.h"

#include <bpf/libbpf.h>

static int run(struct cli *c, int nr, char **words)
{
	struct json j;

	(void)nr;
	(void)words;
	if (!c->json) {
		fprintf(c->out, "mptcp-pmctl %s (%s)\n", PMCTL_VERSION, libbpf_version_string());
		return EXIT_STATUS_OK;
	}
	json_init(&j, c->out, c->pretty);
	json_object_open(&j);
	json_key_string(&j, "version", PMCTL_VERSION);
	json_key_string(&j, "libbpf", libbpf_version_string());
	json_object_close(&j);
	json_end(&j);
	return EXIT_STATUS_OK;
}

const struct verb verb_version = {
	.name = "version",
	.summary = "print the version",
	.run = run,
};
