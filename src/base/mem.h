/* SPDX-License-Identifier: Apache-2.0 */
/* The only door to the heap. Start-up and cold code only; the packet path lives on arenas and
 * pools. Running out ends the program with a message (exit status 71): at start nothing better can
 * be done, later nothing that grows is without a ceiling. */
#pragma once

#include "base/compiler.h"

void *mem_get(size_t n) __attribute__((malloc, alloc_size(1)));
void *mem_zero(size_t n) __attribute__((malloc, alloc_size(1)));
void *mem_array(size_t n, size_t each) __attribute__((malloc, alloc_size(1, 2)));
void *mem_resize(void *p, size_t n) __attribute__((alloc_size(2)));
/* Like mem_get, but NULL when there is no room (for what has a policy for it). */
void *mem_try(size_t n) __attribute__((malloc, alloc_size(1)));
char *mem_strdup(const char *s) __attribute__((malloc));
char *mem_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Ends the program as mem_get does when n bytes were not to be had. */
NORETURN COLD void mem_out(size_t n);
/* For arenas that serve a start-up: their memory is needed. */
static inline void mem_need(const void *p, size_t n)
{
    if (!p)
        mem_out(n);
}
/* NULL is accepted. */
void mem_free(void *p);

/* For CLEANUP on a local of any pointer type. */
static inline void mem_freep(void *pp)
{
    void *p;
    __builtin_memcpy(&p, pp, sizeof(p));
    mem_free(p);
}
