/* SPDX-License-Identifier: Apache-2.0 */
/* One fuzz target is one function over one input. tests/fuzz/run.c feeds it files under any
 * compiler; with -DFUZZ_LIBFUZZER and -fsanitize=fuzzer the same file is libFuzzer's entry. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Always 0; whatever is wrong aborts. */
int fuzz_one(const uint8_t *p, size_t n);
