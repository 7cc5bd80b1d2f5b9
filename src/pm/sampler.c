// SPDX-License-Identifier: GPL-2.0-only
/* Averages by local address; see sampler.h. */
#include "pm/sampler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pm/address.h"

#define ESTABLISHED   1 /* of include/net/tcp_states.h */
#define PERMILLE      1000
#define BITS_PER_BYTE 8
#define KEY_BYTES     36
#define US_PER_MS     1000

/* A subflow as it was in the sample before. */
struct seen {
	uint8_t key[KEY_BYTES]; /* addresses and ports */
	uint32_t sent_segments, retransmits;
	uint64_t acked_bytes, received_bytes;
	uint64_t waiting_ms; /* since when something is outstanding; 0: nothing is */
};

/* What this sample says of an address, and the averages that go on. */
struct path {
	struct pm_health health; /* of the samples so far */
	bool known_rtt, known_loss, known_resent;
	uint64_t rtt_sum, rto_sum;
	uint32_t nr, nr_alive;
	uint32_t sent, resent, lost, outstanding;
	uint32_t rto_waiting_us, stall_ms;
	uint16_t timeouts;
	uint64_t bytes;
};

struct pm_sampler {
	struct seen *seen; /* ordered */
	size_t nr_seen;
	struct path paths[PM_SOURCES_MAX];
	size_t nr_paths;
	uint64_t last_ms;
};

struct pm_sampler *pm_sampler_new(void)
{
	return calloc(1, sizeof(struct pm_sampler));
}

void pm_sampler_free(struct pm_sampler **s)
{
	if (*s)
		free((*s)->seen);
	free(*s);
	*s = NULL;
}

static int by_pair(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return memcmp(x->key, y->key, KEY_BYTES);
}

static size_t put(uint8_t *key, size_t at, const void *from, size_t size)
{
	memcpy(key + at, from, size);
	return at + size;
}

static struct seen see(const struct pm_subflow *f)
{
	const struct pm_address local = pm_address_unmapped(&f->at.local),
				remote = pm_address_unmapped(&f->at.remote);
	bool four = local.family == AF_INET;
	size_t size = four ? sizeof(local.v4) : sizeof(local.v6);
	struct seen s = {
		.sent_segments = f->sent_segments,
		.retransmits = f->retransmits,
		.acked_bytes = f->acked_bytes,
		.received_bytes = f->received_bytes,
	};
	size_t at = put(s.key, 0, &f->at.local_port, sizeof(f->at.local_port));

	at = put(s.key, at, &f->at.remote_port, sizeof(f->at.remote_port));
	at = put(s.key, at, four ? (const void *)&local.v4 : &local.v6, size);
	put(s.key, at, four ? (const void *)&remote.v4 : &remote.v6, size);
	return s;
}

static int ifindex_of(const struct pm_address *a, const struct pm_interface *interfaces, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		for (size_t n = 0; n < interfaces[i].nr_addresses; n++)
			if (pm_address_equal(a, &interfaces[i].addresses[n]))
				return interfaces[i].ifindex;
	return 0;
}

static struct path *find_path(struct pm_sampler *s, const struct pm_address *local,
			      const struct pm_interface *interfaces, size_t nr_interfaces)
{
	struct path *p;
	int ifindex;

	for (size_t i = 0; i < s->nr_paths; i++)
		if (pm_address_equal(&s->paths[i].health.local, local))
			return &s->paths[i];
	ifindex = ifindex_of(local, interfaces, nr_interfaces);
	if (!ifindex || s->nr_paths == PM_SOURCES_MAX)
		return NULL;
	p = &s->paths[s->nr_paths++];
	*p = (struct path){ .health = { .ifindex = ifindex, .local = *local } };
	return p;
}

static void begin(struct path *p)
{
	*p = (struct path){ .health = p->health,
			    .known_rtt = p->known_rtt,
			    .known_loss = p->known_loss,
			    .known_resent = p->known_resent };
}

/* Those that no interface has any more make room. */
static void forget(struct pm_sampler *s, const struct pm_interface *interfaces, size_t nr)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->nr_paths; i++) {
		if (ifindex_of(&s->paths[i].health.local, interfaces, nr) !=
		    s->paths[i].health.ifindex)
			continue;
		s->paths[kept] = s->paths[i];
		begin(&s->paths[kept++]);
	}
	s->nr_paths = kept;
}

/* The last ack may be from before a pause, so a subflow stalls at most since it waits; and not
 * before its path would have had the time to answer. */
static uint32_t stall_of(const struct pm_subflow *f, const struct seen *now, uint64_t now_ms)
{
	uint64_t waits = now_ms - now->waiting_ms;

	if (!now->waiting_ms)
		return 0;
	if (waits > f->since_ack_ms)
		waits = f->since_ack_ms;
	return waits * US_PER_MS >= f->rto_us ? (uint32_t)waits : 0;
}

static void add(struct path *p, const struct pm_subflow *f, const struct seen *before,
		const struct seen *now, uint64_t now_ms)
{
	uint32_t stall = stall_of(f, now, now_ms);

	p->nr++;
	if (before) {
		p->sent += f->sent_segments - before->sent_segments;
		p->resent += f->retransmits - before->retransmits;
		p->bytes += f->acked_bytes - before->acked_bytes + f->received_bytes -
			    before->received_bytes;
	}
	/* The RTT of one that does not get acks is that of better times. */
	if (f->srtt_us && !f->timeouts) {
		p->rtt_sum += f->srtt_us;
		p->rto_sum += f->rto_us;
		p->nr_alive++;
	}
	if (f->outstanding && f->rto_us > p->rto_waiting_us)
		p->rto_waiting_us = f->rto_us;
	p->lost += f->lost;
	p->outstanding += f->outstanding;
	if (f->timeouts > p->timeouts)
		p->timeouts = f->timeouts;
	if (stall > p->stall_ms)
		p->stall_ms = stall;
}

static uint64_t average(uint64_t before, uint64_t now, bool known, uint32_t alpha)
{
	if (!known)
		return now;
	return (before * (PERMILLE - alpha) + now * alpha + PERMILLE / 2) / PERMILLE;
}

static uint16_t permille(uint32_t part, uint32_t whole)
{
	return part >= whole ? PERMILLE : (uint16_t)((uint64_t)part * PERMILLE / whole);
}

static void conclude(struct path *p, uint32_t alpha, uint64_t elapsed_ms)
{
	struct pm_health *h = &p->health;
	uint32_t rto;

	if (p->nr_alive) {
		rto = (uint32_t)(p->rto_sum / p->nr_alive);
		h->srtt_us = (uint32_t)average(h->srtt_us, p->rtt_sum / p->nr_alive, p->known_rtt,
					       alpha);
		h->rto_us = (uint32_t)average(h->rto_us, rto, p->known_rtt, alpha);
		p->known_rtt = true;
	}
	/* A timeout that was doubled is news at once. */
	if (p->rto_waiting_us > h->rto_us)
		h->rto_us = p->rto_waiting_us;
	if (p->outstanding) {
		h->loss_permille = (uint16_t)average(
			h->loss_permille, permille(p->lost, p->outstanding), p->known_loss, alpha);
		p->known_loss = true;
	}
	if (p->sent || p->resent) {
		h->resent_permille = (uint16_t)average(
			h->resent_permille, permille(p->resent, p->sent), p->known_resent, alpha);
		p->known_resent = true;
	}
	h->timeouts = p->timeouts;
	h->stall_ms = p->stall_ms;
	h->rate_bps = elapsed_ms ? p->bytes * BITS_PER_BYTE * PERMILLE / elapsed_ms : 0;
}

static void finish(struct pm_sampler *s, uint32_t alpha, uint64_t now_ms, struct pm_sample *out)
{
	out->nr = 0;
	out->idle = true;
	for (size_t i = 0; i < s->nr_paths; i++) {
		struct path *p = &s->paths[i];

		if (!p->nr)
			continue;
		conclude(p, alpha, s->last_ms ? now_ms - s->last_ms : 0);
		out->paths[out->nr++] = p->health;
		out->idle = out->idle && !p->bytes && !p->sent && !p->outstanding;
	}
	s->last_ms = now_ms;
}

int pm_sampler_take(struct pm_sampler *s, const struct pm_connections *all,
		    const struct pm_interface *interfaces, size_t nr_interfaces,
		    uint32_t alpha_permille, uint64_t now_ms, struct pm_sample *out)
{
	struct seen *seen = calloc(all->nr_subflows + 1, sizeof(*seen));
	size_t nr = 0;

	if (!seen)
		return -ENOMEM;
	forget(s, interfaces, nr_interfaces);
	for (size_t i = 0; i < all->nr_subflows; i++) {
		const struct pm_subflow *f = &all->subflows[i];
		const struct pm_address local = pm_address_unmapped(&f->at.local);
		struct seen now = see(f), *before;
		struct path *p;

		if (f->state != ESTABLISHED || !f->token)
			continue;
		p = find_path(s, &local, interfaces, nr_interfaces);
		if (!p)
			continue;
		before = s->nr_seen ? bsearch(&now, s->seen, s->nr_seen, sizeof(*seen), by_pair)
				    : NULL;
		if (f->outstanding)
			now.waiting_ms = before && before->waiting_ms ? before->waiting_ms : now_ms;
		add(p, f, before, &now, now_ms);
		seen[nr++] = now;
	}
	if (nr)
		qsort(seen, nr, sizeof(*seen), by_pair);
	free(s->seen);
	s->seen = seen;
	s->nr_seen = nr;
	finish(s, alpha_permille, now_ms, out);
	return 0;
}
