/* SPDX-License-Identifier: GPL-2.0-only */
/* From the command line to a verb. Apart from main() so that tests can call it. */
#ifndef CLI_DISPATCH_H
#define CLI_DISPATCH_H

#include <stdio.h>

/* Does what argv says and returns the exit status. argv is permuted. */
int cli_main(int argc, char **argv, FILE *out, FILE *err);

#endif
