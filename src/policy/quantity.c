// SPDX-License-Identifier: GPL-2.0-only
/* Numbers with units; see quantity.h. */
#include "policy/quantity.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define UNITS_MAX 9

struct unit {
	const char *name;
	uint64_t factor;
};

struct kind {
	const char *name, *pattern, *units;
	int decimals;			 /* at most, of a fraction */
	struct unit list[UNITS_MAX + 1]; /* ascending */
};

static const struct kind kinds[] = {
	[QUANTITY_MS] = {
		"a time",
		"^[0-9]{1,12}(ms|s|min|h|d)$",
		"ms, s, min, h or d",
		0,
		{ { "ms", 1 }, { "s", 1000 }, { "min", 60000 }, { "h", 3600000 },
		  { "d", 86400000 } },
	},
	[QUANTITY_PPM] = {
		"a share",
		"^[0-9]{1,3}([.][0-9]{1,4})?%$",
		"%",
		4,
		{ { "%", 10000 } },
	},
	[QUANTITY_BYTES] = {
		"a size",
		"^[0-9]{1,12}(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$",
		"B, kB, MB, GB, TB, KiB, MiB, GiB or TiB",
		0,
		{ { "B", 1 }, { "kB", 1000 }, { "KiB", 1ull << 10 }, { "MB", 1000000 },
		  { "MiB", 1ull << 20 }, { "GB", 1000000000 }, { "GiB", 1ull << 30 },
		  { "TB", 1000000000000 }, { "TiB", 1ull << 40 } },
	},
	[QUANTITY_BPS] = {
		"a rate",
		"^[0-9]{1,12}(bit|kbit|mbit|gbit)$",
		"bit, kbit, mbit or gbit",
		0,
		{ { "bit", 1 }, { "kbit", 1000 }, { "mbit", 1000000 }, { "gbit", 1000000000 } },
	},
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == QUANTITY_BPS + 1, "a quantity has no units");

static const struct unit *find_unit(const struct kind *k, const char *name)
{
	for (const struct unit *u = k->list; u->name; u++)
		if (strcmp(u->name, name) == 0)
			return u;
	return NULL;
}

/* Digits from *at on, appended to *number. How many there were, or -ERANGE. */
static int read_digits(const char **at, uint64_t *number)
{
	int nr = 0;

	for (; isdigit((unsigned char)**at); (*at)++, nr++)
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, (uint64_t)(**at - '0'), number))
			return -ERANGE;
	return nr;
}

int quantity_parse(enum quantity q, const char *text, uint64_t *out)
{
	const struct kind *k = &kinds[q];
	uint64_t number = 0, divisor = 1;
	const struct unit *unit;
	int nr = read_digits(&text, &number);

	if (nr <= 0)
		return nr < 0 ? nr : -EINVAL;
	if (*text == '.' && k->decimals) {
		text++;
		nr = read_digits(&text, &number);
		if (nr < 0)
			return nr;
		if (nr == 0 || nr > k->decimals)
			return -EINVAL;
		while (nr-- > 0)
			divisor *= 10;
	}
	unit = find_unit(k, text);
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(number, unit->factor, &number))
		return -ERANGE;
	*out = number / divisor;
	return 0;
}

static void format_fraction(uint64_t value, const struct unit *u, char out[QUANTITY_TEXT_BYTES])
{
	char fraction[8];
	size_t n;

	snprintf(fraction, sizeof(fraction), "%04u", (unsigned int)(value % u->factor));
	for (n = strlen(fraction); n > 0 && fraction[n - 1] == '0'; n--)
		fraction[n - 1] = '\0';
	snprintf(out, QUANTITY_TEXT_BYTES, "%" PRIu64 "%s%s%s", value / u->factor, n ? "." : "",
		 fraction, u->name);
}

void quantity_format(enum quantity q, uint64_t value, char out[QUANTITY_TEXT_BYTES])
{
	const struct kind *k = &kinds[q];
	const struct unit *best = k->list;

	for (const struct unit *u = k->list; u->name; u++)
		if (value && value % u->factor == 0)
			best = u;
	if (k->decimals)
		format_fraction(value, best, out);
	else
		snprintf(out, QUANTITY_TEXT_BYTES, "%" PRIu64 "%s", value / best->factor,
			 best->name);
}

const char *quantity_pattern(enum quantity q)
{
	return kinds[q].pattern;
}

const char *quantity_name(enum quantity q)
{
	return kinds[q].name;
}

const char *quantity_units(enum quantity q)
{
	return kinds[q].units;
}
