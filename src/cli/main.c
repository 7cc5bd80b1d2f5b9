// SPDX-License-Identifier: GPL-2.0-only
/* mptcp-pmctl: see docs/mptcp-pmctl.8. */
#include "cli/dispatch.h"

#include <locale.h>

int main(int argc, char **argv)
{
	int status;

	setlocale(LC_CTYPE, "");
	status = cli_main(argc, argv, stdout, stderr);
	/* A full disk or a closed pipe must not look like success. */
	if (fflush(stdout) != 0 && status == 0) {
		perror("mptcp-pmctl: standard output");
		return 1;
	}
	return status;
}
