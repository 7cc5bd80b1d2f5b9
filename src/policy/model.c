// SPDX-License-Identifier: GPL-2.0-only
/* Names and lifetime of the policy model. */
#include "policy/model.h"

#include <stdlib.h>

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
	return word_name(grammar_modes, grammar_nr_modes, mode);
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

void policy_clear(struct policy *p)
{
	for (size_t i = 0; i < p->nr_paths; i++)
		free(p->paths[i].interface);
	free(p->paths);
	p->paths = NULL;
	p->nr_paths = 0;
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
