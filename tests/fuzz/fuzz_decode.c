// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes to the daemon from outside, as any bytes: messages of the kernel, router
 * advertisements and DNS answers, requests at the control socket, its own files. The first byte
 * says which; the rest is in memory of exactly its size, so that reading beyond it is seen.
 */
#include <errno.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pm/diag.h"
#include "pm/event.h"
#include "pm/learned.h"
#include "pm/mptcp_pm.h"
#include "pm/nat64.h"
#include "pm/owner.h"
#include "pm/state.h"
#include "util/flat.h"

#define NR(a)	(sizeof(a) / sizeof((a)[0]))
#define MUST(c) ((c) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *sink(void)
{
	static FILE *f;

	if (!f)
		f = fopen("/dev/null", "w");
	MUST(f);
	return f;
}

/* As they come from the kernel: whole words. */
static struct nlmsghdr *message(const uint8_t *data, size_t size, uint16_t type)
{
	size_t whole = size / NLMSG_ALIGNTO * NLMSG_ALIGNTO;
	struct nlmsghdr *m = malloc(NLMSG_HDRLEN + whole);

	MUST(m);
	*m = (struct nlmsghdr){ .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + whole), .nlmsg_type = type };
	memcpy(m + 1, data, whole);
	return m;
}

static void event(const uint8_t *data, size_t size)
{
	struct nlmsghdr *m = message(data, size, 0x21);
	struct pm_event e;
	int rc = pm_decode_event(m, &e);

	MUST(rc == 0 || rc == -EBADMSG);
	free(m);
}

static void connection(const uint8_t *data, size_t size)
{
	struct nlmsghdr *m = message(data, size, SOCK_DIAG_BY_FAMILY);
	struct pm_connection c;
	int rc = pm_decode_connection(m, &c);

	MUST(rc == 0 || rc == -EBADMSG);
	free(m);
}

static void subflow(const uint8_t *data, size_t size)
{
	struct nlmsghdr *m = message(data, size, SOCK_DIAG_BY_FAMILY);
	struct pm_subflow s;
	int rc = pm_decode_subflow(m, &s);

	MUST(rc == 0 || rc == 1 || rc == -EBADMSG);
	free(m);
}

static void owner(const uint8_t *data, size_t size)
{
	struct nlmsghdr *m = message(data, size, SOCK_DIAG_BY_FAMILY);
	struct pm_owner o;
	int rc = pm_decode_owner(m, &o);

	MUST(rc == 0 || rc == -EBADMSG);
	free(m);
}

static void endpoint(const uint8_t *data, size_t size)
{
	struct nlmsghdr *m = message(data, size, 0x21);
	struct pm_endpoint ep;
	int rc = pm_decode_endpoint(m, &ep);

	MUST(rc == 0 || rc == -EBADMSG);
	free(m);
}

static void *copy(const uint8_t *data, size_t size, size_t more)
{
	uint8_t *c = calloc(1, size + more + !(size + more));

	MUST(c);
	if (size)
		memcpy(c, data, size);
	return c;
}

static void advert(const uint8_t *data, size_t size)
{
	uint8_t *c = copy(data, size, 0);
	struct pm_nat64_advert a;
	int rc = pm_nat64_advert_parse(c, size, &a);

	MUST(rc == 0 || rc == -EBADMSG);
	MUST(rc || a.nr_resolvers <= NR(a.resolvers));
	free(c);
}

static void answer(const uint8_t *data, size_t size)
{
	uint8_t *c = copy(data, size, 0);
	struct policy_prefix prefix;
	uint32_t ttl_s;
	int rc = pm_nat64_answer_parse(c, size, 0x4711, &prefix, &ttl_s);

	MUST(rc == 0 || rc == -EBADMSG || rc == -ENOENT);
	free(c);
}

static void request(const uint8_t *data, size_t size)
{
	char *text = copy(data, size, 1);
	const char *why = NULL;
	struct flat f;
	int rc = flat_parse(text, &f, &why);
	struct json j;

	MUST(rc == 0 || ((rc == -EBADMSG || rc == -E2BIG) && why));
	if (rc == 0) {
		MUST(f.nr <= NR(f.items));
		json_init(&j, sink(), false);
		json_object_open(&j);
		flat_write(&f, &j);
		json_object_close(&j);
		json_end(&j);
		for (size_t i = 0; i < f.nr; i++) {
			MUST(flat_has(&f, f.items[i].key));
			flat_uint(&f, f.items[i].key);
		}
	}
	free(text);
}

static void state(const uint8_t *data, size_t size)
{
	char *text = copy(data, size, 1);
	struct pm_state s = { 0 };
	int rc = pm_state_decode(text, &s);

	MUST(rc == 0 || rc == -EBADMSG || rc == -ENOMEM);
	if (rc == 0)
		pm_state_encode(sink(), &s);
	pm_state_clear(&s);
	free(text);
}

static unsigned int number(const char *name)
{
	return name[0] == 'w' ? 7 : 0;
}

static const char *name_of(unsigned int number, char *buffer)
{
	(void)number;
	return strcpy(buffer, "wlan0");
}

static void learned(const uint8_t *data, size_t size)
{
	static const struct pm_learned_origin origin = { "boot", 1 };
	const struct pm_learned_facts facts = {
		.origin = &origin,
		.cookie = 1,
		.number = number,
		.name = name_of,
	};
	char *text = copy(data, size, 1);
	struct loader_learn_row *rows = NULL;
	size_t nr = 0;
	int rc = pm_learned_decode(text, &facts, &rows, &nr);

	MUST(rc == 0 || rc == -EBADMSG || rc == -ESTALE || rc == -ENOMEM);
	if (rc == 0)
		pm_learned_encode(sink(), &facts, rows, nr);
	free(rows);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const decoders[])(const uint8_t *data, size_t size) = {
		event,	connection, subflow, owner, endpoint,
		advert, answer,	    request, state, learned,
	};

	if (size)
		decoders[data[0] % NR(decoders)](data + 1, size - 1);
	return 0;
}
