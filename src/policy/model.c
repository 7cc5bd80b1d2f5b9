// SPDX-License-Identifier: GPL-2.0-only
/* Names and lifetime of the policy model. */
#include "policy/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/grammar.h"

static const char *word_name(const struct word *words, size_t nr, unsigned int value)
{
	for (size_t i = 0; i < nr; i++)
		if (words[i].value == value)
			return words[i].name;
	return "unknown";
}

const char *policy_mode_name(enum policy_mode_kind mode)
{
	return word_name(grammar_kinds, MODES_BUILTIN, mode);
}

const char *policy_link_type_name(enum policy_link_type type)
{
	return word_name(grammar_link_types, grammar_nr_link_types, type);
}

void scheduler_clear(struct policy_scheduler *s)
{
	for (size_t i = 0; i < s->nr_knobs; i++)
		free(s->knobs[i].name);
	s->nr_knobs = 0;
	s->name[0] = '\0';
}

int scheduler_copy(struct policy_scheduler *to, const struct policy_scheduler *from)
{
	struct policy_scheduler s = *from;

	for (s.nr_knobs = 0; s.nr_knobs < from->nr_knobs; s.nr_knobs++) {
		s.knobs[s.nr_knobs].name = strdup(from->knobs[s.nr_knobs].name);
		if (s.knobs[s.nr_knobs].name)
			continue;
		scheduler_clear(&s);
		return -ENOMEM;
	}
	*to = s;
	return 0;
}

static bool has_knob(const struct policy_scheduler *s, const struct policy_knob *knob)
{
	for (size_t i = 0; i < s->nr_knobs; i++)
		if (strcmp(s->knobs[i].name, knob->name) == 0)
			return s->knobs[i].nr_values == knob->nr_values &&
			       memcmp(s->knobs[i].values, knob->values,
				      knob->nr_values * sizeof(knob->values[0])) == 0;
	return false;
}

bool scheduler_equal(const struct policy_scheduler *a, const struct policy_scheduler *b)
{
	if (strcmp(a->name, b->name) != 0 || a->nr_knobs != b->nr_knobs)
		return false;
	for (size_t i = 0; i < a->nr_knobs; i++)
		if (!has_knob(b, &a->knobs[i]))
			return false;
	return true;
}

size_t policy_nr_marking(const struct policy *policy)
{
	size_t n = policy->nr_rules;

	while (n > 0 && policy->rules[n - 1].mark == policy->rule_mark)
		n--;
	return n;
}

size_t policy_rule_weight(const struct policy_rule *rule)
{
	return (rule->port.nr ? rule->port.nr : 1) *
	       (rule->local_port.nr ? rule->local_port.nr : 1);
}

void rule_clear(struct policy_rule *r)
{
	free(r->cgroup);
	free(r->user);
	free(r->executable);
	r->cgroup = r->user = r->executable = NULL;
	scheduler_clear(&r->scheduler);
}

void policy_clear(struct policy *p)
{
	for (size_t i = 0; i < p->nr_rules; i++)
		rule_clear(&p->rules[i]);
	free(p->rules);
	p->rules = NULL;
	p->nr_rules = 0;
	for (size_t i = 0; i < p->nr_programs; i++) {
		free(p->programs[i].cgroup);
		free(p->programs[i].user);
		free(p->programs[i].executable);
	}
	free(p->programs);
	p->programs = NULL;
	p->nr_programs = 0;
	for (size_t i = 0; i < p->nr_paths; i++)
		free(p->paths[i].interface);
	free(p->paths);
	p->paths = NULL;
	p->nr_paths = 0;
	free(p->caps);
	p->caps = NULL;
	p->nr_caps = 0;
	free(p->modes);
	p->modes = NULL;
	p->nr_modes = 0;
	free(p->file);
	p->file = NULL;
	scheduler_clear(&p->scheduler);
}

void policy_free(struct policy **p)
{
	if (!*p)
		return;
	policy_clear(*p);
	free(*p);
	*p = NULL;
}
