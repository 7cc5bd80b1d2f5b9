/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the paths of this network namespace do, from the health oracle. Its records are of
 * destinations; here they are one a source, as the engine wants them: loss, retransmissions and
 * times weighed by volume, and a destination that is silent while another one is heard over the
 * same source is that destination's trouble, not the path's.
 */
#ifndef PM_ORACLE_H
#define PM_ORACLE_H

#include <stdint.h>

#include "loader/oracle.h"
#include "pm/engine.h"

#define PM_ORACLE_FRESH_MS 10000 /* what was not heard for longer is not known */

struct pm_oracle;

/* A threshold that a path crossed; names are as in `switch` of a policy. */
struct pm_oracle_event {
	unsigned int mode; /* in policy.modes: the first one with these thresholds */
	enum oracle_trigger trigger;
	bool bad; /* false: good again */
	uint32_t value;
	int ifindex;
	struct pm_address local, remote; /* remote: the prefix */
	uint8_t remote_bits;
	uint64_t at_ms; /* CLOCK_MONOTONIC */
};

typedef void pm_oracle_event_fn(const struct pm_oracle_event *event, void *data);

/*
 * Loads the oracle if need be and watches the namespace of the calling thread, with the thresholds
 * of the modes that the policy's rules use. -EOPNOTSUPP: this kernel cannot, sample sock_diag
 * instead; -EBUSY: another process watches it.
 */
int pm_oracle_open(const struct loader_config *c, const struct policy *policy,
		   struct pm_oracle **out, struct error *e);
/* The same with thresholds that are no policy's; `mode` of an event is then 0. */
int pm_oracle_open_config(const struct loader_config *c, const struct oracle_config *config,
			  struct pm_oracle **out, struct error *e);
int pm_oracle_policy(struct pm_oracle *o, const struct policy *policy, struct error *e);
/* Readable when a threshold was crossed: pm_oracle_events(), then pm_oracle_read(). */
int pm_oracle_fd(const struct pm_oracle *o);
int pm_oracle_events(struct pm_oracle *o, pm_oracle_event_fn *call, void *data);
/* What PM_INPUT_HEALTH takes; the caller frees *out. */
int pm_oracle_read(struct pm_oracle *o, struct pm_health **out, size_t *nr, struct error *e);
/* Idempotent. The oracle stays loaded. */
void pm_oracle_close(struct pm_oracle **o);

/* The pieces. From a policy: sets[N] are the thresholds of modes[N]; more than ORACLE_SETS_MAX
 * different ones become one in the last set, which is crossed when the first of them is. */
void pm_oracle_config(const struct policy *policy, struct oracle_config *out,
		      unsigned int modes[ORACLE_SETS_MAX]);
/* One entry a source. `at_ns` as in the records. -ENOMEM. */
int pm_oracle_merge(const struct loader_oracle_path *paths, size_t nr, uint64_t at_ns,
		    struct pm_health **out, size_t *nr_out);
/* From 16 bytes with IPv4 mapped. */
struct pm_address pm_oracle_address(const uint8_t mapped[16]);

extern const char *const pm_oracle_trigger_names[ORACLE_TRIGGERS];

#endif
