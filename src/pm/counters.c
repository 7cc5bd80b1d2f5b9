// SPDX-License-Identifier: GPL-2.0-only
/* /proc/net/netstat: two lines a group, names and values; see counters.h. */
#include "pm/counters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define COUNTERS "/proc/thread-self/net/netstat"

static void take(char *titles, char *numbers, const char *const names[], uint64_t values[],
		 size_t nr)
{
	char *next_title = NULL, *next_number = NULL;
	char *t = strtok_r(titles, " \n", &next_title);
	char *n = strtok_r(numbers, " \n", &next_number);

	for (; t && n;
	     t = strtok_r(NULL, " \n", &next_title), n = strtok_r(NULL, " \n", &next_number))
		for (size_t i = 0; i < nr; i++)
			if (strcmp(t, names[i]) == 0)
				values[i] = strtoull(n, NULL, 10);
}

int pm_counters_read(const char *group, const char *const names[], uint64_t values[], size_t nr,
		     struct error *e)
{
	_cleanup_fclose_ FILE *in = fopen(COUNTERS, "re");
	_cleanup_free_ char *titles = NULL, *numbers = NULL;
	size_t sizes[2] = { 0 }, length = strlen(group);

	memset(values, 0, nr * sizeof(*values));
	if (!in)
		return error_set(e, -errno, "cannot read " COUNTERS ": %s", strerror(errno));
	while (getline(&titles, &sizes[0], in) > 0) {
		if (strncmp(titles, group, length) != 0 || titles[length] != ':')
			continue;
		if (getline(&numbers, &sizes[1], in) > 0)
			take(titles, numbers, names, values, nr);
		return 0;
	}
	return 0;
}
