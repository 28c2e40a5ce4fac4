/* SPDX-License-Identifier: Apache-2.0 */
/* The generator: prints one of the things that the field table gives. Run by the build and by
 * `make docs`. */
#include "event/schema.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(struct buf *);
    } kinds[] = {
        {"schema", schema_write}, {"catalogue", schema_catalogue}, {"reference", schema_reference}};
    struct buf out = buf_new(16u << 20);

    for (size_t i = 0; argc == 2 && i < LEN(kinds); i++) {
        if (strcmp(argv[1], kinds[i].name) == 0) {
            kinds[i].write(&out);
            bool ok = fwrite(out.p, 1, out.n, stdout) == out.n && fflush(stdout) == 0;
            buf_free(&out);
            return ok ? 0 : 1;
        }
    }
    fprintf(stderr, "usage: generate schema|catalogue|reference\n");
    return 2;
}
