// SPDX-License-Identifier: GPL-2.0-only
/* The option parser; see options.h. */
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/nearest.h"

#define NAMES_MAX  64
#define WORD_BYTES 64

struct parser {
	char **argv;
	int argc, at, words; /* at: next argument; words: kept so far */
	const struct option_table *tables;
	size_t nr_tables;
	struct error *e;
};

static const struct option_def *find(const struct parser *p, const char *name, char letter)
{
	for (size_t i = 0; i < p->nr_tables; i++) {
		for (size_t k = 0; k < p->tables[i].nr; k++) {
			const struct option_def *d = &p->tables[i].defs[k];

			if (name ? strcmp(d->name, name) == 0 : d->letter == letter)
				return d;
		}
	}
	return NULL;
}

static int unknown(const struct parser *p, const char *name)
{
	const char *names[NAMES_MAX], *near;
	size_t n = 0;

	for (size_t i = 0; i < p->nr_tables; i++) {
		for (size_t k = 0; k < p->tables[i].nr && n < NAMES_MAX; k++)
			names[n++] = p->tables[i].defs[k].name;
	}
	error_set(p->e, -EINVAL, "unknown option --%s", name);
	near = nearest_word(name, names, n);
	return near ? error_hint(p->e, "did you mean --%s?", near) : -EINVAL;
}

static int store(const struct parser *p, const struct option_def *d, const char *value)
{
	struct option_list *list;

	switch (d->kind) {
	case OPTION_SWITCH:
		*(bool *)d->target = true;
		break;
	case OPTION_COUNT:
		++*(int *)d->target;
		break;
	case OPTION_VALUE:
		*(const char **)d->target = value;
		break;
	case OPTION_LIST:
		list = d->target;
		if (list->nr == OPTION_LIST_MAX)
			return error_set(p->e, -EINVAL, "--%s can be given %d times at most",
					 d->name, OPTION_LIST_MAX);
		list->items[list->nr++] = value;
		break;
	}
	return 0;
}

/* `attached` is what stands in the same argument, NULL if nothing does. */
static int take(struct parser *p, const struct option_def *d, const char *attached)
{
	if (!d->value)
		return store(p, d, NULL);
	if (!attached) {
		if (p->at == p->argc)
			return error_set(p->e, -EINVAL, "option --%s needs a value: --%s %s",
					 d->name, d->name, d->value);
		attached = p->argv[p->at++];
	}
	return store(p, d, attached);
}

static int take_long(struct parser *p, const char *arg)
{
	const char *equals = strchr(arg, '=');
	const struct option_def *d;
	char name[WORD_BYTES];

	snprintf(name, sizeof(name), "%.*s", (int)(equals ? equals - arg : (long)strlen(arg)), arg);
	d = find(p, name, 0);
	if (!d)
		return unknown(p, name);
	if (equals && !d->value)
		return error_set(p->e, -EINVAL, "option --%s takes no value", name);
	return take(p, d, equals ? equals + 1 : NULL);
}

static int take_letters(struct parser *p, const char *arg)
{
	for (; *arg; arg++) {
		const struct option_def *d = find(p, NULL, *arg);
		int err;

		if (!d)
			return error_set(p->e, -EINVAL, "unknown option -%c", *arg);
		if (d->value)
			return take(p, d, arg[1] ? arg + 1 : NULL);
		err = take(p, d, NULL);
		if (err < 0)
			return err;
	}
	return 0;
}

int options_parse(int argc, char **argv, const struct option_table *tables, size_t nr_tables,
		  struct error *e)
{
	struct parser p = {
		.argv = argv, .argc = argc, .tables = tables, .nr_tables = nr_tables, .e = e
	};
	bool ended = false;

	while (p.at < argc) {
		char *arg = argv[p.at++];
		int err = 0;

		if (ended || arg[0] != '-' || arg[1] == '\0')
			argv[p.words++] = arg;
		else if (strcmp(arg, "--") == 0)
			ended = true;
		else if (arg[1] == '-')
			err = take_long(&p, arg + 2);
		else
			err = take_letters(&p, arg + 1);
		if (err < 0)
			return err;
	}
	return p.words;
}
