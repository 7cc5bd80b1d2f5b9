// SPDX-License-Identifier: GPL-2.0-only
/* Settings on the command line; see knob_args.h. */
#include "cli/knob_args.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

static bool parse_word(const char *s, uint64_t *out)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(s, words[i]) == 0) {
			*out = i & 1;
			return true;
		}
	}
	return false;
}

static bool parse_value(const char *s, uint64_t *out)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	char *end;

	if (parse_word(s, out))
		return true;
	if (!isdigit((unsigned char)s[0]))
		return false;
	errno = 0;
	*out = strtoull(s, &end, hex ? 16 : 10);
	return errno == 0 && *end == '\0';
}

static int parse_values(char *text, const char *name, uint64_t values[LOADER_KNOB_VALUES_MAX],
			size_t *nr, struct error *e)
{
	char *v;

	*nr = 0;
	while ((v = strsep(&text, ","))) {
		if (*nr == LOADER_KNOB_VALUES_MAX)
			return error_set(e, -EINVAL, "--set %s: more than %d values", name,
					 LOADER_KNOB_VALUES_MAX);
		if (!parse_value(v, &values[(*nr)++]))
			return error_set(e, -EINVAL,
					 "--set %s: \"%s\" is not a whole number of 0 or more",
					 name, v);
	}
	return 0;
}

int knob_args_parse(const struct option_list *list, struct knob_args *out, struct error *e)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < list->nr; i++) {
		_cleanup_free_ char *copy = strdup(list->items[i]);
		struct loader_knob *k = &out->knobs[i];
		char *equals = copy ? strchr(copy, '=') : NULL;
		int err;

		if (!copy)
			return error_set(e, -ENOMEM, "out of memory");
		if (!equals || equals == copy || (size_t)(equals - copy) >= sizeof(out->names[i])) {
			error_set(e, -EINVAL, "--set wants KNOB=VALUE, not \"%s\"", copy);
			return error_hint(e, "--set weights=2,1");
		}
		memcpy(out->names[i], copy, (size_t)(equals - copy));
		err = parse_values(equals + 1, out->names[i], out->values[i], &k->nr_values, e);
		if (err < 0)
			return err;
		k->name = out->names[i];
		k->values = out->values[i];
		out->nr++;
	}
	return 0;
}
