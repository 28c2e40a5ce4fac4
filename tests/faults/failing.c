/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program: the allocation number FAIL_AT of the process fails, with FAIL_ON all
 * from there on, whoever asks: the libraries too. With FAIL_COUNT the program says at its end how
 * many there were. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t each);
void *__libc_realloc(void *p, size_t n);

static atomic_ulong count;

static int fails(void)
{
    static unsigned long at;
    static int on, known;

    if (!known) {
        const char *text = getenv("FAIL_AT");
        at = text ? strtoul(text, NULL, 10) : 0;
        on = getenv("FAIL_ON") != NULL;
        known = 1;
    }
    unsigned long n = atomic_fetch_add(&count, 1) + 1;
    if (!at || (on ? n < at : n != at))
        return 0;
    errno = ENOMEM;
    return 1;
}

__attribute__((destructor)) static void tell(void)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "allocations: %lu\n", atomic_load(&count));

    if (getenv("FAIL_COUNT") && write(STDERR_FILENO, text, (size_t)n) < 0)
        _exit(1);
}

__attribute__((visibility("default"))) void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t each)
{
    return fails() ? NULL : __libc_calloc(n, each);
}

__attribute__((visibility("default"))) void *realloc(void *p, size_t n)
{
    return fails() ? NULL : __libc_realloc(p, n);
}
