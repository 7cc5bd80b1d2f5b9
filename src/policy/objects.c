// SPDX-License-Identifier: GPL-2.0-only
/* Storing the values that make up more than one field: paths, schedulers, limits. */
#include "policy/handlers.h"

#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/diagnostics.h"

static void *at_offset(void *object, const struct key *key)
{
	return (char *)object + key->offset;
}

bool parse_has_control(const char *s)
{
	for (; *s; s++)
		if (iscntrl((unsigned char)*s))
			return true;
	return false;
}

void handle_glob(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	char **slot = at_offset(object, key);

	if (!parse_is_text(p, key->name, key->value, n))
		return;
	if (parse_has_control(n->text)) {
		parse_report_type(p, key->name, n, key->value->expected, NULL);
		return;
	}
	if (!strpbrk(n->text, "*?[\\") && strlen(n->text) >= IF_NAMESIZE) {
		parse_report(p, n, "interface names have at most 15 characters",
			     "no interface can be called \"%s\"", n->text);
		return;
	}
	if (strchr(n->text, '[') && !strchr(strchr(n->text, '['), ']')) {
		parse_report(p, n, "close the bracket", "\"%s\" has \"[\" without \"]\"", n->text);
		return;
	}
	*slot = strdup(n->text);
	if (!*slot)
		p->no_memory = true;
}

static void read_knob(struct parse *p, const struct value *element, const struct node *name,
		      const struct node *n, struct policy_knob *knob)
{
	if (n->kind != NODE_LIST) {
		if (parse_integer(p, name->text, element, n, &knob->values[0]))
			knob->nr_values = 1;
		return;
	}
	if (!parse_is_list(p, name->text, n))
		return;
	if (n->nr > POLICY_KNOB_VALUES_MAX) {
		parse_report(p, &n->items[POLICY_KNOB_VALUES_MAX], NULL,
			     "\"%s\" has more than %d values", name->text, POLICY_KNOB_VALUES_MAX);
		return;
	}
	for (size_t i = 0; i < n->nr; i++)
		if (n->items[i].kind != NODE_BROKEN &&
		    parse_integer(p, name->text, element, &n->items[i],
				  &knob->values[knob->nr_values]))
			knob->nr_values++;
}

void handle_knobs(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_scheduler *s = at_offset(object, key);

	if (!parse_is_map(p, key->name, n))
		return;
	for (size_t i = 0; i + 1 < n->nr; i += 2) {
		const struct node *name = &n->items[i], *value = &n->items[i + 1];
		struct policy_knob *knob;

		if (!parse_is_new_key(p, n, i) ||
		    !parse_is_text(p, "a knob's name", key->value, name) ||
		    value->kind == NODE_BROKEN)
			continue;
		if (s->nr_knobs == POLICY_KNOBS_MAX) {
			parse_report(p, name, NULL, "\"%s\" has more than %d entries", key->name,
				     POLICY_KNOBS_MAX);
			return;
		}
		knob = &s->knobs[s->nr_knobs];
		knob->name = strdup(name->text);
		if (!knob->name) {
			p->no_memory = true;
			return;
		}
		s->nr_knobs++;
		read_knob(p, key->value->element, name, value, knob);
	}
}

void handle_scheduler(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	const struct key name_only = {
		.name = key->name,
		.value = key->value->element,
		.offset = offsetof(struct policy_scheduler, name),
	};

	if (n->kind == NODE_MAP)
		parse_object(p, key->name, key->value, n, at_offset(object, key));
	else
		handle_name(p, &name_only, n, at_offset(object, key));
}

size_t parse_list_length(struct parse *p, const struct key *key, const struct node *n)
{
	size_t max = key->value->max;

	if (!parse_is_list(p, key->name, n))
		return 0;
	if (n->nr <= max)
		return n->nr;
	if (key->value->excess)
		parse_report(p, &n->items[max], NULL, "%s", key->value->excess);
	else
		parse_report(p, &n->items[max], NULL, "\"%s\" has more than %zu entries", key->name,
			     max);
	return max;
}

void handle_paths(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct draft *draft = object;
	struct policy *policy = &draft->policy;
	size_t nr = parse_list_length(p, key, n);

	if (nr == 0)
		return;
	policy->paths = calloc(nr, sizeof(*policy->paths));
	if (!policy->paths) {
		p->no_memory = true;
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		struct policy_path *path = &policy->paths[policy->nr_paths];
		size_t before = p->diagnostics->total;

		if (n->items[i].kind == NODE_BROKEN)
			continue;
		path->cost = 1;
		path->use = POLICY_ENDPOINT_SUBFLOW;
		path->line = n->items[i].line;
		parse_object(p, "a path", key->value->element, &n->items[i], path);
		draft->path_nodes[policy->nr_paths] = &n->items[i];
		draft->path_broken[policy->nr_paths++] = p->diagnostics->total != before;
	}
}

void handle_limits(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_limits *limits = at_offset(object, key);

	/* What the kernel starts with, for the one that is left out. */
	*limits = (struct policy_limits){ .set = true, .subflows = 2 };
	parse_object(p, key->name, key->value, n, limits);
}
