// SPDX-License-Identifier: GPL-2.0-only
/* Schedulers nobody needs any more; see changes.h. */
#include "cli/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/rules.h"
#include "util/cleanup.h"

static bool is_kept(const struct loader_sched *s, char *const *in_use, const char *keep1,
		    const char *keep2)
{
	if (!s->pinned || s->connections)
		return true;
	if ((keep1 && strcmp(s->name, keep1) == 0) || (keep2 && strcmp(s->name, keep2) == 0))
		return true;
	if (loader_rules_name(NULL, s->name))
		return true;
	for (; in_use && *in_use; in_use++) {
		if (strcmp(s->name, *in_use) == 0)
			return true;
	}
	return false;
}

static int forget_rules(uint64_t cookie, struct error *e)
{
	return loader_rules_write(NULL, cookie, NULL, 0, e);
}

static int forget_dead_namespaces(struct error *e)
{
	int err = pm_state_forget_dead(forget_rules, e);

	return err < 0 ? err : loader_selector_unload_unused(NULL, e);
}

int unload_unused(const char *keep1, const char *keep2, char (**out)[LOADER_NAME_BYTES], size_t *nr,
		  struct error *e)
{
	_cleanup_free_ struct loader_sched *list = NULL;
	_cleanup_free_ char(*names)[LOADER_NAME_BYTES] = NULL;
	_cleanup_free_ char **in_use = NULL;
	size_t nr_list = 0, n = 0;
	int first = 0, err;

	err = forget_dead_namespaces(e);
	if (err == 0)
		err = loader_sched_list(NULL, &list, &nr_list, e);
	if (err == 0)
		err = pm_state_schedulers(&in_use, e);
	if (err < 0)
		return err;
	names = calloc(nr_list + 1, sizeof(*names));
	if (!names)
		return error_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < nr_list; i++) {
		if (is_kept(&list[i], in_use, keep1, keep2))
			continue;
		err = loader_sched_unload(NULL, list[i].name, false, first ? NULL : e);
		if (err == 0)
			memcpy(names[n++], list[i].name, LOADER_NAME_BYTES);
		else if (!first)
			first = err;
	}
	*out = TAKE_PTR(names);
	*nr = n;
	return first;
}
