// SPDX-License-Identifier: GPL-2.0-only
/*
 * The modes: what each is without a policy, and the schedulers that some of them stand for.
 * Thresholds are the published ones of iOS (interactive, handover) and of MultiMob (loss, resent,
 * RTO, averages), see mptcp-pm.policy(5).
 */
#include <stdio.h>
#include <string.h>

#include "policy/check.h"
#include "policy/handlers.h"

#define TARGET_BPS 5000000
#define AVERAGES   .alpha_permille = 500, .period_ms = 500
#define FIGURES                                                        \
	.rto_us = { 1500000, 1000000 }, .loss_permille = { 250, 100 }, \
	.resent_permille = { 500, 250 }, AVERAGES

/* Left at the second timeout. The stall is what two timeouts are to a receiver: 1 s and 2 s. That
 * of QUICK is shorter than any timeout, so that what replaces a path does not wait for one. */
#define PATIENT                             \
	.when_bad = {                       \
		.timeouts = { 2, 0 },       \
		.stall_ms = { 3000, 1000 }, \
		FIGURES,                    \
	}
#define QUICK                                 \
	.when_bad = {                         \
		.rtt_us = { 600000, 400000 }, \
		.timeouts = { 1, 0 },         \
		.stall_ms = { 200, 50 },      \
		FIGURES,                      \
	}
#define NEVER .when_bad = { AVERAGES }

#define MODE(mode, text) .kind = (mode), .name = (text)

static const struct policy_mode builtin[] = {
	[POLICY_MODE_HANDOVER] = { MODE(POLICY_MODE_HANDOVER, "handover"), PATIENT,
				   .hold_ms = 5000 },
	[POLICY_MODE_AGGREGATE] = { MODE(POLICY_MODE_AGGREGATE, "aggregate"), NEVER,
				    .hold_ms = 5000 },
	[POLICY_MODE_ACTIVE_STANDBY] = { MODE(POLICY_MODE_ACTIVE_STANDBY, "active-standby"),
					 PATIENT, .hold_ms = 5000 },
	[POLICY_MODE_INTERACTIVE] = { MODE(POLICY_MODE_INTERACTIVE, "interactive"), QUICK,
				      .hold_ms = 2000 },
	[POLICY_MODE_PURE_HANDOVER] = { MODE(POLICY_MODE_PURE_HANDOVER, "pure-handover"), NEVER,
					.hold_ms = 5000 },
	[POLICY_MODE_SMALLEST_DELAY] = { MODE(POLICY_MODE_SMALLEST_DELAY, "smallest-delay"),
					 PATIENT, .hold_ms = 2000 },
	[POLICY_MODE_LOAD_BALANCE] = { MODE(POLICY_MODE_LOAD_BALANCE, "load-balance"), NEVER,
				       .hold_ms = 5000 },
	[POLICY_MODE_PRIORITY] = { MODE(POLICY_MODE_PRIORITY, "priority"), PATIENT,
				   .hold_ms = 5000 },
	[POLICY_MODE_REDUNDANT] = { MODE(POLICY_MODE_REDUNDANT, "redundant"), NEVER,
				    .hold_ms = 5000 },
	[POLICY_MODE_CHEAPEST] = { MODE(POLICY_MODE_CHEAPEST, "cheapest"), NEVER, .hold_ms = 5000 },
	[POLICY_MODE_TARGET] = { MODE(POLICY_MODE_TARGET, "target"), PATIENT, .hold_ms = 5000,
				 .target_bps = TARGET_BPS },
};
_Static_assert(ARRAY_SIZE(builtin) == MODES_BUILTIN, "a mode has no defaults");

const struct word grammar_kinds[MODES_BUILTIN] = {
	{ "handover", POLICY_MODE_HANDOVER },
	{ "interactive", POLICY_MODE_INTERACTIVE },
	{ "aggregate", POLICY_MODE_AGGREGATE },
	{ "pure-handover", POLICY_MODE_PURE_HANDOVER },
	{ "active-standby", POLICY_MODE_ACTIVE_STANDBY },
	{ "smallest-delay", POLICY_MODE_SMALLEST_DELAY },
	{ "load-balance", POLICY_MODE_LOAD_BALANCE },
	{ "priority", POLICY_MODE_PRIORITY },
	{ "redundant", POLICY_MODE_REDUNDANT },
	{ "cheapest", POLICY_MODE_CHEAPEST },
	{ "target", POLICY_MODE_TARGET },
};

const struct policy_mode *policy_mode_builtin(enum policy_mode_kind kind)
{
	return &builtin[kind];
}

void modes_init(struct draft *d)
{
	for (size_t i = 0; i < MODES_BUILTIN; i++)
		d->modes[i].mode = builtin[i];
	d->nr_modes = MODES_BUILTIN;
}

/* The scheduler that a kind of mode cannot do without; NULL: any will do. */
static const char *implied(enum policy_mode_kind kind)
{
	switch (kind) {
	case POLICY_MODE_REDUNDANT:
		return "redundant";
	case POLICY_MODE_LOAD_BALANCE:
		return "roundrobin";
	case POLICY_MODE_TARGET:
		return "target";
	case POLICY_MODE_HANDOVER:
	case POLICY_MODE_AGGREGATE:
	case POLICY_MODE_ACTIVE_STANDBY:
	case POLICY_MODE_INTERACTIVE:
	case POLICY_MODE_PURE_HANDOVER:
	case POLICY_MODE_SMALLEST_DELAY:
	case POLICY_MODE_PRIORITY:
	case POLICY_MODE_CHEAPEST:
		return NULL;
	}
	return NULL;
}

void modes_imply_schedulers(struct parse *p)
{
	for (size_t i = 0; i < p->draft.nr_modes; i++) {
		const struct policy_mode *mode = &p->draft.modes[i].mode;
		struct policy_scheduler *s = &p->draft.modes[i].scheduler;
		const char *name = implied(mode->kind);

		if (s->name[0] || !name)
			continue;
		snprintf(s->name, sizeof(s->name), "%s", name);
		if (mode->kind != POLICY_MODE_TARGET)
			continue;
		s->knobs[0].values[0] = mode->target_bps / 8;
		s->knobs[0].nr_values = 1;
		s->knobs[0].name = strdup("rate_bytes_per_s");
		s->nr_knobs = s->knobs[0].name ? 1 : 0;
		p->no_memory |= !s->knobs[0].name;
	}
}
