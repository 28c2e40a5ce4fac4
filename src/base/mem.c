/* SPDX-License-Identifier: Apache-2.0 */
/* Heap access with one policy for running out: say so and end, without a core file that would hold
 * the traffic. mem_try is the exception for callers that have a policy of their own. */
#include "base/mem.h"

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void mem_out(size_t n)
{
    char text[80];
    int len = snprintf(text, sizeof(text), "out of memory: %zu bytes were not to be had\n", n);

    if (write(STDERR_FILENO, text, (size_t)len) < 0)
        _exit(err_exit_code(ERR_INTERNAL));
    _exit(err_exit_code(ERR_NOMEM));
}

void *mem_try(size_t n)
{
    return malloc(n ? n : 1);
}

void *mem_get(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p)
        mem_out(n);
    return p;
}

void *mem_zero(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    if (!p)
        mem_out(n);
    return p;
}

void *mem_array(size_t n, size_t each)
{
    void *p = calloc(n ? n : 1, each ? each : 1);
    if (!p)
        mem_out(n * each);
    return p;
}

void *mem_resize(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);
    if (!q)
        mem_out(n);
    return q;
}

char *mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(mem_get(n), s, n);
}

char *mem_printf(const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    size_t size = n < 0 ? 1 : (size_t)n + 1;
    char *s = mem_get(size);
    s[0] = '\0';
    vsnprintf(s, size, fmt, again);
    va_end(again);
    return s;
}

void mem_free(void *p)
{
    free(p);
}
