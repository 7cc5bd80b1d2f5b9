/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of a rescued connection (bpf/establish/rescue.bpf.c): its first subflow rides the
 * address of a path that its socket knows nothing of, until there is a proper subflow on that path;
 * then the first one is closed, and the path it was meant for is tried until it works again.
 *
 * pm_rescue_decide() is pure. The rest reads the kernel, decides, and does it; it is meant for an
 * event loop: hand it the events of the kernel's path manager, and call pm_rescue_step() whenever
 * it asks for it.
 */
#ifndef PM_RESCUE_H
#define PM_RESCUE_H

#include "loader/rescue.h"
#include "pm/diag.h"
#include "pm/event.h"
#include "pm/mptcp_pm.h"

#define PM_RESCUE_MAX	    64 /* connections looked after at a time; others wait */
#define PM_RESCUE_QUICK_MS  700
#define PM_RESCUE_QUICK	    10	  /* so many tries of the first path at that pace, */
#define PM_RESCUE_SLOW_MS   60000 /* then each after twice the time, up to this */
#define PM_RESCUE_IDLE_MS   1000
#define PM_RESCUE_BUSY_MS   200
#define PM_RESCUE_FORGET_MS 60000

enum pm_rescue_kind {
	PM_RESCUE_JOIN,	  /* open a subflow on the path that is ridden (userspace path manager) */
	PM_RESCUE_CLOSE,  /* the subflow that rides another path's address */
	PM_RESCUE_RENEW,  /* delete and add the first path's endpoint: the kernel's path manager
			     opens a subflow from it, which it does not do by itself again */
	PM_RESCUE_FORGET, /* the connection is gone; so is what the programs know of it */
};

struct pm_rescue_action {
	enum pm_rescue_kind kind;
	uint32_t token;			/* 0: FORGET */
	struct loader_rescue_flow flow; /* CLOSE, FORGET */
	struct pm_address local;	/* JOIN, RENEW: from where */
	int ifindex;			/* the same */
	struct pm_endpoint endpoint;	/* RENEW */
};

/* A connection that was rescued. */
struct pm_rescue_one {
	uint32_t token;
	struct pm_address first; /* the address its first path has */
	int first_ifindex;
	bool closed; /* its first subflow is */
	uint64_t next_ms;
	unsigned int tries;
};

struct pm_rescue_memory {
	struct pm_rescue_one items[PM_RESCUE_MAX];
	size_t nr;
};

/* All borrowed. */
struct pm_rescue_view {
	const struct loader_rescue_flow *flows;
	size_t nr_flows;
	const struct pm_connections *conns;
	const struct pm_endpoint *endpoints;
	size_t nr_endpoints;
	bool userspace;	 /* path manager */
	uint64_t now_ns; /* CLOCK_MONOTONIC, as the flows' times */
	bool engine;	 /* opens subflows by itself, on the first path too */
};

/*
 * What is to be done now, at most `max`; each action is said once, and again only after its time
 * when it did not help. Other connections are not harmed: an endpoint that one of them uses is not
 * renewed.
 */
size_t pm_rescue_decide(struct pm_rescue_memory *m, const struct pm_rescue_view *v, uint64_t now_ms,
			struct pm_rescue_action *out, size_t max);

/* One line for a person. */
void pm_rescue_describe(const struct pm_rescue_action *a, char *out, size_t size);

struct pm_rescue {
	const struct loader_config *config; /* borrowed */
	uint64_t cookie;		    /* of the network namespace */
	bool engine;			    /* see struct pm_rescue_view; the caller's */
	struct pm_rescue_memory memory;
	struct pm_mptcp mptcp;
	struct pm_netlink diag;
	uint64_t next_ms;
	/* Called with each action done, or tried: then `e` says what went wrong. May be NULL. */
	void (*report)(const struct pm_rescue_action *a, const struct error *e, void *data);
	void *data;
};

/* In the thread's network namespace. What was rescued before is looked after as well. */
int pm_rescue_open(struct pm_rescue *r, const struct loader_config *c, struct error *e);
/* Idempotent. */
void pm_rescue_close(struct pm_rescue *r);

/* Asks for a step at once when the event may concern a rescued connection. */
void pm_rescue_event(struct pm_rescue *r, const struct pm_event *event, uint64_t now_ms);
/* Does nothing before r->next_ms, and sets it anew. Negative: the kernel could not be read; an
 * action that fails is reported and tried again. Times are CLOCK_MONOTONIC. */
int pm_rescue_step(struct pm_rescue *r, uint64_t now_ms, struct error *e);

#endif
