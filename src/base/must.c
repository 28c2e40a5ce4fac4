/* SPDX-License-Identifier: Apache-2.0 */
/* The far end of must(): one line on standard error, then abort. Uses nothing that could fail. */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

void must_fail(const char *condition, const char *function, const char *file, int line)
{
    fprintf(stderr, "bug: must(%s) is false in %s, %s:%d\n", condition, function, file, line);
    abort();
}
