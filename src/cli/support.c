// SPDX-License-Identifier: GPL-2.0-only
/* What a policy needs and what there is; see support.h. */
#include "cli/support.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pm/fastopen.h"
#include "pm/rescue_settings.h"
#include "pm/sysctl.h"

void left_out_add(struct left_out *l, const char *fmt, ...)
{
	size_t n = strlen(l->text);
	va_list ap;

	if (n > 0 && n + 2 < sizeof(l->text))
		n += (size_t)snprintf(l->text + n, sizeof(l->text) - n, "; ");
	va_start(ap, fmt);
	vsnprintf(l->text + n, sizeof(l->text) - n, fmt, ap);
	va_end(ap);
}

bool support_needs_module(const struct policy *p)
{
	return p->scheduler.name[0] && strcmp(p->scheduler.name, "default") != 0;
}

static const struct loader_feature *first_missing(const struct loader_support *s, int level)
{
	for (int i = 0; i < FEATURE_NR; i++) {
		if (!s->features[i].present && s->features[i].level <= level)
			return &s->features[i];
	}
	return NULL;
}

/* Refuses `what`, or notes that it is left out. 1: the caller takes it out of the policy. */
static int without(const struct policy *p, const char *what, const struct loader_feature *f,
		   struct left_out *l, struct error *e)
{
	if (p->fallback == POLICY_FALLBACK_DENY) {
		error_set(e, -EOPNOTSUPP, "%s needs %s, which this machine lacks: %s", what,
			  f->name, f->detail);
		return error_hint(e, "%s", f->fix);
	}
	left_out_add(l, "%s: %s (%s)", what, f->detail, f->fix);
	return 1;
}

static int check_wire(struct policy *p, const struct loader_support *s, struct left_out *l,
		      struct error *e)
{
	static const enum loader_feature_id needed[] = { FEATURE_BTF, FEATURE_TCX, FEATURE_BPFFS };
	const struct loader_feature *f = NULL;
	int r;

	for (size_t i = 0; !f && i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!s->features[needed[i]].present)
			f = &s->features[needed[i]];
	}
	if (!f)
		return 0;
	r = p->guard.set ? without(p, "guard", f, l, e) : 0;
	if (r > 0)
		memset(&p->guard, 0, sizeof(p->guard));
	if (r < 0 || !p->reset.emits)
		return r < 0 ? r : 0;
	r = without(p, "reset.emit", f, l, e);
	if (r > 0) {
		p->reset.emits = false;
		memset(p->reset.emit, 0, sizeof(p->reset.emit));
	}
	return r < 0 ? r : 0;
}

static int check_establish(struct policy *p, const struct loader_support *s, struct left_out *l,
			   struct error *e)
{
	const struct loader_feature *f = first_missing(s, 1);
	int r;

	if (!f || !p->establish.robe)
		return 0;
	r = without(p, "establish.robe", f, l, e);
	if (r > 0)
		p->establish.robe = 0;
	return r < 0 ? r : 0;
}

/* The sysctl alone needs nothing but a kernel. */
static int check_tfo(struct policy *p, const struct loader_support *s, struct left_out *l,
		     struct error *e)
{
	const struct loader_feature *f = first_missing(s, 1);
	int r, bits;

	pm_sysctl_fastopen(&bits);
	if (pm_fastopen_wanted(p) && bits < 0)
		return error_set(e, -EOPNOTSUPP,
				 "tfo: this kernel has no sysctl net.ipv4.tcp_fastopen");
	if (!f || !pm_rescue_looks_at_data(p))
		return 0;
	r = without(p,
		    p->tfo.nr_to ? "tfo.to (and tfo.client)"
				 : "tfo.blackhole (default 1h; 0s does without)",
		    f, l, e);
	if (r <= 0)
		return r;
	/* Nobody gets data rather than others than those listed. */
	if (p->tfo.nr_to) {
		p->tfo.client = POLICY_NO;
		p->tfo.no_cookie &= ~(unsigned int)POLICY_TFO_NO_COOKIE_CLIENT;
		p->tfo.nr_to = 0;
	}
	p->tfo.blackhole_ms = 0;
	return 0;
}

static int check_syn_retries(struct policy *p, struct left_out *l, struct error *e)
{
	struct error missing = { 0 };
	char value[16];

	if (!p->establish.has_syn_retries ||
	    pm_sysctl_read(PM_SYSCTL_SYN_RETRIES, value, sizeof(value), &missing) == 0)
		return 0;
	if (p->fallback == POLICY_FALLBACK_DENY || missing.code != -EOPNOTSUPP) {
		error_set(e, missing.code, "establish.fallback-syn-retries: %s", missing.text);
		return error_hint(e, "%s", missing.hint);
	}
	left_out_add(l, "establish.fallback-syn-retries: %s", missing.text);
	p->establish.has_syn_retries = false;
	return 0;
}

static int check_scheduler(struct policy *p, const struct loader_support *s, struct left_out *l,
			   struct error *e)
{
	const struct loader_feature *f = support_needs_module(p) ? first_missing(s, 2) : NULL;
	char what[80];
	int r;

	if (!f)
		return 0;
	snprintf(what, sizeof(what), "scheduler %s%s", p->scheduler.name,
		 p->nr_rules && p->fallback == POLICY_FALLBACK_ALLOW
			 ? " and the schedulers of the rules"
			 : "");
	r = without(p, what, f, l, e);
	if (r > 0)
		memset(&p->scheduler, 0, sizeof(p->scheduler));
	return r < 0 ? r : 0;
}

int support_check(struct policy *p, const struct loader_config *c, struct left_out *l,
		  struct error *e)
{
	const struct loader_feature *f;
	struct loader_support s;
	int err;

	loader_probe(c, &s);
	f = first_missing(&s, 0);
	if (f) {
		error_set(e, -EOPNOTSUPP, "this machine lacks %s: %s", f->name, f->detail);
		return error_hint(e, "%s", f->fix);
	}
	err = check_wire(p, &s, l, e);
	if (err == 0)
		err = check_establish(p, &s, l, e);
	if (err == 0)
		err = check_tfo(p, &s, l, e);
	if (err == 0)
		err = check_syn_retries(p, l, e);
	return err < 0 ? err : check_scheduler(p, &s, l, e);
}
