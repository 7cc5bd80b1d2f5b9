// SPDX-License-Identifier: GPL-2.0-only
/* Addresses through a NAT64, and how its prefix is told: the tables of the RFCs, and what is wrong.
 */
#include "pm/nat64.h"

#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pm/engine_choose.h"
#include "util/cleanup.h"

#define RANDOM_ROUNDS 200000
#define ANSWER_BYTES  1024

static struct policy_prefix prefix(const char *text)
{
	struct policy_prefix p = { 0 };
	char address[64];
	int bits = 0;

	CU_ASSERT_EQUAL_FATAL(sscanf(text, "%63[^/]/%d", address, &bits), 2);
	CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, address, p.address), 1);
	p.bits = (uint8_t)bits;
	return p;
}

static struct in_addr v4(const char *text)
{
	struct in_addr a;

	CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET, text, &a), 1);
	return a;
}

static struct in6_addr v6(const char *text)
{
	struct in6_addr a;

	CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

/* RFC 6052 section 2.4, and a row for each length with other bytes. */
static const struct {
	const char *prefix, *v4, *v6;
} pairs[] = {
	{ "2001:db8::/32", "192.0.2.33", "2001:db8:c000:221::" },
	{ "2001:db8:100::/40", "192.0.2.33", "2001:db8:1c0:2:21::" },
	{ "2001:db8:122::/48", "192.0.2.33", "2001:db8:122:c000:2:2100::" },
	{ "2001:db8:122:300::/56", "192.0.2.33", "2001:db8:122:3c0:0:221::" },
	{ "2001:db8:122:344::/64", "192.0.2.33", "2001:db8:122:344:c0:2:2100::" },
	{ "2001:db8:122:344::/96", "192.0.2.33", "2001:db8:122:344::192.0.2.33" },
	{ "64:ff9b::/96", "192.0.2.33", "64:ff9b::192.0.2.33" },
	{ "2001:db8::/32", "8.9.10.11", "2001:db8:809:a0b::" },
	{ "2001:db8:ff00::/40", "8.9.10.11", "2001:db8:ff08:90a:b::" },
	{ "2001:db8:ffff::/48", "8.9.10.11", "2001:db8:ffff:809:a:b00::" },
	{ "2001:db8:ffff:ff00::/56", "8.9.10.11", "2001:db8:ffff:ff08:9:a0b::" },
	{ "2001:db8:ffff:ffff::/64", "8.9.10.11", "2001:db8:ffff:ffff:8:90a:b00::" },
	{ "2001:db8:ffff:ffff:ff:ffff::/96", "10.9.10.11", "2001:db8:ffff:ffff:ff:ffff:a09:a0b" },
	{ "64:ff9b:1::/48", "10.9.10.11", "64:ff9b:1:a09:a:b00::" },
};

static void test_pairs(void)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct policy_prefix p = prefix(pairs[i].prefix);
		struct in6_addr want = v6(pairs[i].v6), got = { 0 };
		struct in_addr back = { 0 };
		char text[PM_NAT64_PREFIX_BYTES];

		CU_ASSERT_EQUAL(pm_nat64_synthesise(&p, v4(pairs[i].v4), &got), 0);
		CU_ASSERT_EQUAL(memcmp(&got, &want, sizeof(got)), 0);
		CU_ASSERT_EQUAL(pm_nat64_extract(&p, &want, &back), 0);
		CU_ASSERT_EQUAL(back.s_addr, v4(pairs[i].v4).s_addr);
		CU_ASSERT_STRING_EQUAL(pm_nat64_prefix_text(&p, text), pairs[i].prefix);
	}
}

static void test_no_prefix(void)
{
	static const char *const wrong[] = {
		"2001:db8::/31", "2001:db8::/33",  "2001:db8::/0",	    "2001:db8::/128",
		"2001:db8::/95", "2001:db8::/104", "2001:db8:0:0:100::/96", "::ffff:0:0/96",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct policy_prefix p = prefix(wrong[i]);
		struct in6_addr out = v6("::7"), before = out;
		struct in_addr untouched = v4("1.2.3.4");

		CU_ASSERT_FALSE(policy_nat64_valid(&p));
		CU_ASSERT_EQUAL(pm_nat64_synthesise(&p, v4("192.0.2.33"), &out), -EINVAL);
		CU_ASSERT_EQUAL(memcmp(&out, &before, sizeof(out)), 0);
		CU_ASSERT_EQUAL(pm_nat64_extract(&p, &before, &untouched), -ENOENT);
		CU_ASSERT_EQUAL(untouched.s_addr, v4("1.2.3.4").s_addr);
	}
}

static void test_not_global(void)
{
	static const struct {
		const char *v4;
		int err;
	} rows[] = {
		{ "10.0.0.1", -EADDRNOTAVAIL },
		{ "11.0.0.0", 0 },
		{ "9.255.255.255", 0 },
		{ "172.16.0.1", -EADDRNOTAVAIL },
		{ "172.31.255.255", -EADDRNOTAVAIL },
		{ "172.32.0.0", 0 },
		{ "192.168.3.4", -EADDRNOTAVAIL },
		{ "192.169.0.0", 0 },
		{ "127.0.0.1", -EADDRNOTAVAIL },
		{ "169.254.9.9", -EADDRNOTAVAIL },
		{ "100.64.0.1", -EADDRNOTAVAIL },
		{ "100.128.0.0", 0 },
		{ "0.0.0.0", -EADDRNOTAVAIL },
		{ "224.0.0.1", -EADDRNOTAVAIL },
		{ "255.255.255.255", -EADDRNOTAVAIL },
		{ "198.19.255.255", -EADDRNOTAVAIL },
		{ "198.20.0.0", 0 },
		{ "192.0.0.170", -EADDRNOTAVAIL },
		{ "8.8.8.8", 0 },
	};
	struct policy_prefix known = prefix("64:ff9b::/96"), own = prefix("2001:db8::/96");
	struct in6_addr out;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CU_ASSERT_EQUAL(pm_nat64_synthesise(&known, v4(rows[i].v4), &out), rows[i].err);
		CU_ASSERT_EQUAL(pm_nat64_synthesise(&own, v4(rows[i].v4), &out), 0);
	}
}

static void test_extract(void)
{
	struct policy_prefix p = prefix("2001:db8:122:344::/64"), whole = prefix("2001:db8::/96");
	struct in6_addr other = v6("2001:db8:122:345:c0:2:2100::");
	struct in6_addr octet = v6("2001:db8:122:344:1c0:2:2100::");
	struct in6_addr suffix = v6("2001:db8:122:344:c0:2:2100:7");
	struct in6_addr native = v6("2001:db8::100:0:c000:221");
	struct in_addr out;

	CU_ASSERT_EQUAL(pm_nat64_extract(&p, &other, &out), -ENOENT);
	CU_ASSERT_EQUAL(pm_nat64_extract(&p, &octet, &out), -ENOENT);
	CU_ASSERT_EQUAL(pm_nat64_extract(&whole, &native, &out), -ENOENT);
	CU_ASSERT_EQUAL(pm_nat64_extract(&p, &suffix, &out), 0);
	CU_ASSERT_EQUAL(out.s_addr, v4("192.0.2.33").s_addr);
}

/* A router advertisement: its head, then options; "p" is PREF64 as scaled lifetime and prefix. */
struct advert {
	uint8_t bytes[512];
	size_t size;
};

static struct advert advert(void)
{
	return (struct advert){ .bytes = { 134 }, .size = 16 };
}

static void add_pref64(struct advert *a, uint16_t scaled, const char *address)
{
	uint8_t *at = a->bytes + a->size;
	struct in6_addr x = v6(address);

	at[0] = 38;
	at[1] = 2;
	at[2] = (uint8_t)(scaled >> 8);
	at[3] = (uint8_t)scaled;
	memcpy(at + 4, &x, 12);
	a->size += 16;
}

static void add_rdnss(struct advert *a, uint8_t lifetime_s, size_t nr)
{
	uint8_t *at = a->bytes + a->size;

	memset(at, 0, 8 + 16 * nr);
	at[0] = 25;
	at[1] = (uint8_t)(1 + 2 * nr);
	at[7] = lifetime_s;
	for (size_t i = 0; i < nr; i++)
		at[8 + 16 * i + 15] = (uint8_t)(0x50 + i);
	a->size += 8 + 16 * nr;
}

static void test_pref64(void)
{
	static const struct {
		const char *address, *want; /* NULL: ignored */
		uint32_t lifetime_s;
		uint16_t scaled;
	} rows[] = {
		{ "64:ff9b::", "64:ff9b::/96", 600, 600 | 0 },
		{ "2001:db8:1:2::", "2001:db8:1:2::/64", 8, 8 | 1 },
		{ "2001:db8:1:200::", "2001:db8:1:200::/56", 65528, 65528 | 2 },
		{ "2001:db8:1::", "2001:db8:1::/48", 1800, 1800 | 3 },
		{ "2001:db8:100::", "2001:db8:100::/40", 1800, 1800 | 4 },
		{ "2001:db8::", "2001:db8::/32", 1800, 1800 | 5 },
		{ "64:ff9b::", "64:ff9b::/96", 0, 0 },
		/* What is beyond the prefix is not looked at. */
		{ "2001:db8:ffff:ffff:ffff:ffff::", "2001:db8::/32", 1800, 1800 | 5 },
		{ "64:ff9b::", NULL, 0, 600 | 6 },
		{ "64:ff9b::", NULL, 0, 600 | 7 },
		{ "2001:db8:0:0:100::", NULL, 0, 600 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct advert a = advert();
		struct pm_nat64_advert out;
		char text[PM_NAT64_PREFIX_BYTES];

		add_pref64(&a, rows[i].scaled, rows[i].address);
		CU_ASSERT_EQUAL(pm_nat64_advert_parse(a.bytes, a.size, &out), 0);
		CU_ASSERT_EQUAL(out.lifetime_s, rows[i].lifetime_s);
		CU_ASSERT_EQUAL(!!out.prefix.bits, !!rows[i].want);
		if (rows[i].want)
			CU_ASSERT_STRING_EQUAL(pm_nat64_prefix_text(&out.prefix, text),
					       rows[i].want);
	}
}

static void test_advert(void)
{
	struct advert a = advert();
	struct pm_nat64_advert out = { 0 };
	char text[PM_NAT64_PREFIX_BYTES];
	size_t before;

	/* The first that lasts; resolvers of all options, those taken back left out. */
	add_pref64(&a, 0, "2001:db8:1::");
	add_rdnss(&a, 200, 1);
	add_pref64(&a, 80, "2001:db8:2::");
	add_pref64(&a, 160, "2001:db8:3::");
	add_rdnss(&a, 0, 1);
	add_rdnss(&a, 100, 4);
	before = a.size;
	CU_ASSERT_EQUAL(pm_nat64_advert_parse(a.bytes, a.size, &out), 0);
	CU_ASSERT_STRING_EQUAL(pm_nat64_prefix_text(&out.prefix, text), "2001:db8:2::/96");
	CU_ASSERT_EQUAL(out.lifetime_s, 80);
	CU_ASSERT_EQUAL(out.nr_resolvers, PM_NAT64_RESOLVERS);
	CU_ASSERT_EQUAL(out.resolver_lifetime_s, 100);
	CU_ASSERT_EQUAL(out.resolvers[2].s6_addr[15], 0x51);

	/* Broken, and untouched then. */
	out.lifetime_s = 7;
	for (size_t size = 0; size < 16; size++)
		CU_ASSERT_EQUAL(pm_nat64_advert_parse(a.bytes, size, &out), -EBADMSG);
	CU_ASSERT_EQUAL(pm_nat64_advert_parse(a.bytes, before - 1, &out), -EBADMSG);
	a.bytes[17] = 0;
	CU_ASSERT_EQUAL(pm_nat64_advert_parse(a.bytes, a.size, &out), -EBADMSG);
	a.bytes[0] = 133;
	CU_ASSERT_EQUAL(pm_nat64_advert_parse(a.bytes, a.size, &out), -EBADMSG);
	CU_ASSERT_EQUAL(out.lifetime_s, 7);
	CU_ASSERT_EQUAL(pm_nat64_advert_parse((uint8_t[16]){ 134 }, 16, &out), 0);
	CU_ASSERT_EQUAL(out.prefix.bits, 0);
}

struct answer {
	uint8_t bytes[ANSWER_BYTES];
	size_t size;
};

static struct answer answer(uint16_t id)
{
	struct answer a = { .size = PM_NAT64_QUERY_BYTES };

	pm_nat64_query(id, a.bytes);
	a.bytes[2] |= 0x80;
	return a;
}

static void add_record(struct answer *a, uint8_t type, uint8_t ttl_s, const void *data,
		       uint8_t size)
{
	const uint8_t head[] = { 0xc0, 12, 0, type, 0, 1, 0, 0, 0, ttl_s, 0, size };

	memcpy(a->bytes + a->size, head, sizeof(head));
	memcpy(a->bytes + a->size + sizeof(head), data, size);
	a->size += sizeof(head) + size;
	a->bytes[7]++;
}

static void add_aaaa(struct answer *a, uint8_t ttl_s, const char *address)
{
	struct in6_addr x = v6(address);

	add_record(a, 28, ttl_s, &x, sizeof(x));
}

static const struct {
	const char *addresses[3], *want; /* NULL: cannot be told */
} answers[] = {
	{ { "64:ff9b::192.0.0.170" }, "64:ff9b::/96" },
	{ { "64:ff9b::192.0.0.171", "64:ff9b::192.0.0.170" }, "64:ff9b::/96" },
	{ { "2001:db8:c000:aa::" }, "2001:db8::/32" },
	{ { "2001:db8:1c0:0:aa::" }, "2001:db8:100::/40" },
	{ { "2001:db8:122:c000:0:aa00::" }, "2001:db8:122::/48" },
	{ { "2001:db8:122:3c0:0:aa::" }, "2001:db8:122:300::/56" },
	{ { "2001:db8:122:344:c0:0:ab00::" }, "2001:db8:122:344::/64" },
	{ { "2001:db8:122:344::192.0.0.171" }, "2001:db8:122:344::/96" },
	/* Nothing inside, or at no place that counts. */
	{ { "2001:db8::1" }, NULL },
	{ { "2001:db8::192.0.0.172" }, NULL },
	{ { "2001:db8:122:344:1c0:0:aa00::" }, NULL },
	{ { "::ffff:192.0.0.170" }, NULL },
	{ { "2001:db8::1", "64:ff9b::192.0.0.170" }, "64:ff9b::/96" },
	/* Two places: the other address tells which one is meant. */
	{ { "2001:db8:c000:aa::192.0.0.170" }, NULL },
	{ { "2001:db8:c000:aa::192.0.0.170", "2001:db8:c000:aa::192.0.0.171" },
	  "2001:db8:c000:aa::/96" },
	{ { "2001:db8:c000:aa::192.0.0.170", "2001:db8:c000:ab::192.0.0.170" }, "2001:db8::/32" },
};

static void test_answers(void)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct answer a = answer(0x1234);
		struct policy_prefix out = { 0 };
		char text[PM_NAT64_PREFIX_BYTES];
		uint32_t ttl_s = 0;
		int err;

		add_record(&a, 5, 1, "\x01x", 3);
		for (size_t n = 0; n < 3 && answers[i].addresses[n]; n++)
			add_aaaa(&a, (uint8_t)(60 - n), answers[i].addresses[n]);
		err = pm_nat64_answer_parse(a.bytes, a.size, 0x1234, &out, &ttl_s);
		CU_ASSERT_EQUAL(err, answers[i].want ? 0 : -ENOENT);
		if (!answers[i].want || err)
			continue;
		CU_ASSERT_STRING_EQUAL(pm_nat64_prefix_text(&out, text), answers[i].want);
		CU_ASSERT_EQUAL(ttl_s, answers[i].addresses[1] ? 59 : 60);
	}
}

static void test_answer_broken(void)
{
	struct answer good = answer(7), a;
	struct policy_prefix out;
	uint32_t ttl_s;

	add_aaaa(&good, 9, "64:ff9b::192.0.0.170");
	CU_ASSERT_EQUAL(pm_nat64_answer_parse(good.bytes, good.size, 7, &out, &ttl_s), 0);
	CU_ASSERT_EQUAL(pm_nat64_answer_parse(good.bytes, good.size, 8, &out, &ttl_s), -EBADMSG);
	for (size_t size = 0; size < good.size; size++)
		CU_ASSERT_EQUAL(pm_nat64_answer_parse(good.bytes, size, 7, &out, &ttl_s), -EBADMSG);
	a = good;
	a.bytes[13] = 'I'; /* as some resolvers give it back */
	CU_ASSERT_EQUAL(pm_nat64_answer_parse(a.bytes, a.size, 7, &out, &ttl_s), 0);
	a.bytes[13] = 'j';
	CU_ASSERT_EQUAL(pm_nat64_answer_parse(a.bytes, a.size, 7, &out, &ttl_s), -EBADMSG);
	a = good;
	a.bytes[2] &= 0x7f; /* a query */
	CU_ASSERT_EQUAL(pm_nat64_answer_parse(a.bytes, a.size, 7, &out, &ttl_s), -EBADMSG);
	a = good;
	a.bytes[2] |= 2; /* cut */
	CU_ASSERT_EQUAL(pm_nat64_answer_parse(a.bytes, a.size, 7, &out, &ttl_s), -EBADMSG);
	a = good;
	a.bytes[3] |= 3; /* NXDOMAIN */
	CU_ASSERT_EQUAL(pm_nat64_answer_parse(a.bytes, a.size, 7, &out, &ttl_s), -ENOENT);
	a = good;
	a.bytes[7] = 0; /* no records: no NAT64 */
	CU_ASSERT_EQUAL(pm_nat64_answer_parse(a.bytes, a.size, 7, &out, &ttl_s), -ENOENT);
}

/* Each in memory of its own size, so that valgrind and the sanitizers see a byte beyond. */
static void test_random(void)
{
	struct answer good = answer(7);
	struct advert ra = advert();

	add_aaaa(&good, 9, "64:ff9b::192.0.0.170");
	add_aaaa(&good, 9, "64:ff9b::192.0.0.171");
	add_pref64(&ra, 600, "64:ff9b::");
	add_rdnss(&ra, 10, 2);
	srandom(1);
	for (int i = 0; i < RANDOM_ROUNDS; i++) {
		bool dns = i & 1;
		const uint8_t *from = dns ? good.bytes : ra.bytes;
		size_t whole = dns ? good.size : ra.size, size = (size_t)random() % (whole + 1);
		_cleanup_free_ uint8_t *copy = malloc(size ? size : 1);
		struct policy_prefix p = { 0 };
		struct pm_nat64_advert out;
		uint32_t ttl_s;

		CU_ASSERT_PTR_NOT_NULL(copy);
		if (!copy)
			return;
		memcpy(copy, from, size);
		for (int n = (int)(random() % 4); n && size; n--)
			copy[(size_t)random() % size] = (uint8_t)random();
		if (dns && pm_nat64_answer_parse(copy, size, 7, &p, &ttl_s) == 0)
			CU_ASSERT(policy_nat64_valid(&p));
		if (!dns && pm_nat64_advert_parse(copy, size, &out) == 0)
			CU_ASSERT(!out.prefix.bits || policy_nat64_valid(&out.prefix));
	}
}

#define HEAD "version: 1\nname: t\npaths: [{ name: a, match: { interface: a* } }]\n"

static void test_policy(void)
{
	static const struct {
		const char *yaml, *error, *prefix;
		unsigned int discover;
	} rows[] = {
		{ HEAD "nat64: { prefix: '64:ff9b::/96' }\n", NULL, "64:ff9b::/96", 0 },
		{ HEAD "nat64: { discover: [ra, dns] }\n", NULL, NULL,
		  POLICY_NAT64_RA | POLICY_NAT64_DNS },
		{ HEAD "nat64: { discover: [dns], prefix: '2001:db8::/32' }\n", NULL,
		  "2001:db8::/32", POLICY_NAT64_DNS },
		{ HEAD "nat64: {}\n", "4:8: \"nat64\" is empty", NULL, 0 },
		{ HEAD "nat64: { discover: [] }\n", "4:20: \"discover\" is empty", NULL, 0 },
		{ HEAD "nat64: { prefix: '2001:db8::/33' }\n",
		  "4:18: \"2001:db8::/33\" is no prefix of a NAT64", NULL, 0 },
		{ HEAD "nat64: { prefix: '10.0.0.0/8' }\n",
		  "4:18: \"10.0.0.0/8\" is no prefix of a NAT64", NULL, 0 },
		{ HEAD "nat64: { prefix: '2001:db8:0:0:100::/96' }\n",
		  "4:18: \"2001:db8:0:0:100::/96\" is no prefix of a NAT64", NULL, 0 },
		{ HEAD "nat64: { prefix: '2001:db8::1/96' }\n",
		  "4:18: \"2001:db8::1/96\" has bits set beyond its prefix", NULL, 0 },
		{ HEAD "nat64: { discover: [mdns] }\n", "4:21: \"discover\" cannot be \"mdns\"",
		  NULL, 0 },
		{ HEAD "nat64: { discover: [ra, ra] }\n",
		  "4:25: \"ra\" stands twice in \"discover\"", NULL, 0 },
		{ "version: 1\nname: t\nnat64: { discover: [ra] }\n",
		  "3:8: \"nat64\" has nothing to use: there are no paths", NULL, 0 },
		{ HEAD "nat64: { prefixes: x }\n", "4:10: unknown key \"prefixes\"", NULL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(policy_free) struct policy *p = NULL;
		char text[PM_NAT64_PREFIX_BYTES], got[320] = "";
		struct policy_diagnostics d = { 0 };
		int err = policy_parse("t", rows[i].yaml, strlen(rows[i].yaml), &p, &d);

		CU_ASSERT_EQUAL(err, rows[i].error ? -EINVAL : 0);
		if (d.nr)
			snprintf(got, sizeof(got), "%u:%u: %s", d.items[0].line, d.items[0].column,
				 d.items[0].text);
		if (strcmp(got, rows[i].error ? rows[i].error : "") != 0)
			printf("\n    got \"%s\", want \"%s\"\n", got,
			       rows[i].error ? rows[i].error : "");
		CU_ASSERT_STRING_EQUAL(got, rows[i].error ? rows[i].error : "");
		policy_diagnostics_clear(&d);
		if (!p)
			continue;
		CU_ASSERT_EQUAL(p->nat64.set, true);
		CU_ASSERT_EQUAL(p->nat64.discover, rows[i].discover);
		CU_ASSERT_EQUAL(!!p->nat64.prefix.bits, !!rows[i].prefix);
		if (rows[i].prefix)
			CU_ASSERT_STRING_EQUAL(pm_nat64_prefix_text(&p->nat64.prefix, text),
					       rows[i].prefix);
	}
}

static void test_engine(void)
{
	static const char yaml[] = HEAD "engine: kernel\nnat64: { discover: [ra] }\n";
	_cleanup_(policy_free) struct policy *p = NULL;
	struct policy_diagnostics d = { 0 };
	char reason[PM_REASON_BYTES];
	struct error e = { 0 };

	CU_ASSERT_EQUAL_FATAL(policy_parse("t", yaml, strlen(yaml), &p, &d), 0);
	CU_ASSERT_EQUAL(pm_engine_check(p, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "nat64 joins addresses"));
	p->engine = POLICY_ENGINE_AUTO;
	CU_ASSERT_EQUAL(pm_engine_choose(p, reason), POLICY_ENGINE_USERSPACE);
	CU_ASSERT_STRING_EQUAL(reason, "nat64 joins addresses the peer did not announce");
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("NAT64", NULL, NULL);
	CU_ADD_TEST(s, test_pairs);
	CU_ADD_TEST(s, test_no_prefix);
	CU_ADD_TEST(s, test_not_global);
	CU_ADD_TEST(s, test_extract);
	CU_ADD_TEST(s, test_pref64);
	CU_ADD_TEST(s, test_advert);
	CU_ADD_TEST(s, test_answers);
	CU_ADD_TEST(s, test_answer_broken);
	CU_ADD_TEST(s, test_random);
	CU_ADD_TEST(s, test_policy);
	CU_ADD_TEST(s, test_engine);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
