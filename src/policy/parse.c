// SPDX-License-Identifier: GPL-2.0-only
/* From the text of a policy file to the policy. */
#include "policy/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/check.h"
#include "policy/diagnostics.h"
#include "policy/handlers.h"
#include "policy/model.h"
#include "util/cleanup.h"

static void draft_clear(struct draft *d)
{
	policy_clear(&d->policy);
	scheduler_clear(&d->top_scheduler);
	scheduler_clear(&d->rule_scheduler);
	for (size_t i = 0; i < d->nr_modes; i++)
		scheduler_clear(&d->modes[i].scheduler);
}

/* The nearest scheduler wins as a whole: its knobs are never mixed with those of another. */
static int resolve_schedulers(struct draft *d)
{
	const struct policy_scheduler *nearest;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < d->policy.nr_rules; i++) {
		struct policy_scheduler *own = &d->policy.rules[i].scheduler;

		nearest = draft_rule_scheduler(d, &d->policy.rules[i]);
		if (nearest != own)
			rc = scheduler_copy(own, nearest);
	}
	return rc < 0 ? rc : scheduler_copy(&d->policy.scheduler, draft_default_scheduler(d));
}

static int keep_modes(struct draft *d)
{
	struct policy *policy = &d->policy;

	policy->modes = calloc(d->nr_modes, sizeof(*policy->modes));
	if (!policy->modes)
		return -ENOMEM;
	for (; policy->nr_modes < d->nr_modes; policy->nr_modes++)
		policy->modes[policy->nr_modes] = d->modes[policy->nr_modes].mode;
	return 0;
}

static void cleanup_node(struct node *n)
{
	node_clear(n);
}

static void cleanup_draft(struct parse *p)
{
	draft_clear(&p->draft);
}

/* Leaves what was wrong in `d`; *out is set only when nothing was. */
static int parse_text(const char *file, const char *text, size_t size, struct policy **out,
		      struct policy_diagnostics *d)
{
	_cleanup_(cleanup_node) struct node root = { 0 };
	_cleanup_(cleanup_draft) struct parse p = { .diagnostics = d };
	_cleanup_free_ struct policy *policy = NULL;
	int rc;

	rc = node_read(text, size, &root, d);
	if (rc < 0)
		return rc;
	modes_init(&p.draft);
	parse_object(&p, "the policy", &grammar_root, &root, &p.draft);
	modes_imply_schedulers(&p);
	refer(&p);
	check_combinations(&p, &root);
	if (p.no_memory)
		return -ENOMEM;
	if (d->total > 0)
		return -EINVAL;
	policy = malloc(sizeof(*policy));
	p.draft.policy.file = strdup(file);
	if (!policy || !p.draft.policy.file || resolve_schedulers(&p.draft) < 0 ||
	    keep_modes(&p.draft) < 0)
		return -ENOMEM;
	*policy = p.draft.policy;
	memset(&p.draft.policy, 0, sizeof(p.draft.policy));
	*out = TAKE_PTR(policy);
	return 0;
}

int policy_parse(const char *file, const char *text, size_t size, struct policy **out,
		 struct policy_diagnostics *diagnostics)
{
	int rc;

	memset(diagnostics, 0, sizeof(*diagnostics));
	/* libyaml would count a byte order mark as a character of the first line. */
	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		size -= 3;
	}
	rc = parse_text(file, text, size, out, diagnostics);
	if (rc == -EINVAL && diagnostics_attach_source(diagnostics, text, size) < 0)
		return -ENOMEM;
	return rc;
}

/* Reads up to one byte more than a policy may have, so that the parser sees what is too large. */
static int read_all(int fd, char **out, size_t *size)
{
	_cleanup_free_ char *text = malloc(NODE_FILE_BYTES_MAX + 2);
	size_t nr = 0;

	if (!text)
		return -ENOMEM;
	while (nr <= NODE_FILE_BYTES_MAX) {
		ssize_t n = read(fd, text + nr, NODE_FILE_BYTES_MAX + 1 - nr);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		nr += (size_t)n;
	}
	text[nr] = '\0';
	*out = TAKE_PTR(text);
	*size = nr;
	return 0;
}

static int load_hint(struct error *e, const char *file, int code)
{
	if (code == -EISDIR)
		error_hint(e, "name a policy file in it");
	else if (code == -EACCES)
		error_hint(e, "make it readable: chmod a+r %s", file);
	else if (code == -ENOENT)
		error_hint(e, "policies to start from are in the policies directory");
	return code;
}

int policy_read(const char *file, char **text, size_t *size, struct error *e)
{
	_cleanup_close_ int opened = -1;
	int fd = STDIN_FILENO, rc;

	if (strcmp(file, "-") != 0) {
		fd = opened = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (opened < 0) {
			rc = -errno;
			error_set(e, rc, "cannot open policy %s: %s", file, strerror(-rc));
			return load_hint(e, file, rc);
		}
	}
	rc = read_all(fd, text, size);
	if (rc < 0) {
		error_set(e, rc, "cannot read policy %s: %s", file, strerror(-rc));
		return load_hint(e, file, rc);
	}
	return 0;
}

int policy_take(const char *file, const char *text, size_t size, struct policy **out,
		struct policy_diagnostics *diagnostics, struct error *e)
{
	int rc = policy_parse(file, text, size, out, diagnostics);

	if (rc == -EINVAL)
		error_set(e, rc, "%s: %zu error%s", file, diagnostics->total,
			  diagnostics->total == 1 ? "" : "s");
	else if (rc < 0)
		error_set(e, rc, "cannot read policy %s: %s", file, strerror(-rc));
	return rc;
}

int policy_load(const char *file, struct policy **out, struct policy_diagnostics *diagnostics,
		struct error *e)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int rc;

	memset(diagnostics, 0, sizeof(*diagnostics));
	rc = policy_read(file, &text, &size, e);
	return rc < 0 ? rc : policy_take(file, text, size, out, diagnostics, e);
}
