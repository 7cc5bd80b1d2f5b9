// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes are a policy or a list of mistakes, never a crash, a leak or both. Diagnostics are
 * printed too, since they carry pieces of the input.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *sink;
	struct policy_diagnostics diagnostics = { 0 };
	struct policy *policy = NULL;
	int rc;

	if (!sink)
		sink = fopen("/dev/null", "w");
	if (!sink)
		abort();
	rc = policy_parse("fuzz.yaml", (const char *)data, size, &policy, &diagnostics);
	if (rc != 0 && rc != -EINVAL && rc != -ENOMEM)
		abort();
	if ((rc == 0) != (policy != NULL) || (rc == 0 && diagnostics.total > 0))
		abort();
	if (rc == -EINVAL && (diagnostics.nr == 0 || diagnostics.total < diagnostics.nr))
		abort();
	for (size_t i = 0; i < diagnostics.nr; i++)
		if (diagnostics.items[i].line == 0 || diagnostics.items[i].column == 0 ||
		    !diagnostics.items[i].source)
			abort();
	policy_diagnostics_print(sink, "fuzz.yaml", &diagnostics, true);
	policy_diagnostics_clear(&diagnostics);
	policy_free(&policy);
	return 0;
}
