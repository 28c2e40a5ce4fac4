/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds files, and those of folders below the given ones, to fuzz_one: each whole, on request cut
 * at every power of two, and with seeded bit flips. Each input is copied to a place of exactly its
 * size, so that the sanitizers see every step outside.
 * usage: fuzz_X [--cuts] [--flips N] [--seconds S] FILE|FOLDER... */
#include "fuzz.h"

#ifdef FUZZ_LIBFUZZER

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    return fuzz_one(p, n);
}

#else

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILE_MOST = 64 << 20, FLIPS_PER_INPUT = 16 };

static struct {
    bool cuts;
    unsigned flips;
    uint64_t until_ns; /* 0: no end */
    uint64_t inputs, files, left_out, seed;
    const char *now; /* what is being fed: printed by a failing run's user with --verbose */
} run;

static uint64_t next_random(void)
{
    run.seed += 0x9e3779b97f4a7c15u;
    uint64_t x = run.seed;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static bool time_is_up(void)
{
    return run.until_ns && clock_mono_ns() >= run.until_ns;
}

static void feed(const uint8_t *p, size_t n)
{
    uint8_t *copy = mem_get(n ? n : 1);

    if (n)
        memcpy(copy, p, n);
    fuzz_one(copy, n);
    mem_free(copy);
    run.inputs++;
}

static void feed_all(const uint8_t *p, size_t n)
{
    feed(p, n);
    for (size_t cut = 1; run.cuts && cut < n && !time_is_up(); cut *= 2)
        feed(p, cut);
    uint8_t *copy = mem_get(n ? n : 1);
    for (unsigned i = 0; n && i < run.flips && !time_is_up(); i++) {
        memcpy(copy, p, n);
        for (unsigned k = 0; k < FLIPS_PER_INPUT; k++) {
            /* half of them where the first headers stand */
            size_t reach = k % 2 && n > 256 ? 256 : n;
            size_t at = next_random() % reach;
            copy[at] ^= (uint8_t)(1u << (next_random() % 8));
        }
        feed(copy, n);
    }
    mem_free(copy);
}

static bool feed_file(const char *path, size_t size)
{
    if (size > FILE_MOST || time_is_up()) {
        run.left_out++;
        return true;
    }
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "%s: %m\n", path);
        return false;
    }
    uint8_t *p = mem_get(size ? size : 1);
    size_t n = fread(p, 1, size, f);
    fclose(f);
    run.now = path;
    run.seed = n;
    feed_all(p, n);
    mem_free(p);
    run.files++;
    return true;
}

static bool feed_path(const char *path)
{
    struct stat st;
    const struct dirent *d;
    bool ok = true;

    if (stat(path, &st) != 0) {
        fprintf(stderr, "%s: %m\n", path);
        return false;
    }
    if (!S_ISDIR(st.st_mode))
        return feed_file(path, (size_t)st.st_size);
    DIR *dir = opendir(path);
    while (dir && (d = readdir(dir))) {
        if (d->d_name[0] == '.')
            continue;
        char *below = mem_printf("%s/%s", path, d->d_name);
        ok = feed_path(below) && ok;
        mem_free(below);
    }
    if (dir)
        closedir(dir);
    return ok && dir;
}

/* Names the input at which a sanitizer or an assertion ends the program. */
static void tell(void)
{
    if (run.now)
        fprintf(stderr, "the last input was made of %s (seed %llu, input %llu)\n", run.now,
                (unsigned long long)run.seed, (unsigned long long)run.inputs);
}

int main(int argc, char **argv)
{
    bool ok = true;
    int paths = 0;

    atexit(tell);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--cuts") == 0) {
            run.cuts = true;
        } else if (strcmp(argv[i], "--flips") == 0 && i + 1 < argc) {
            run.flips = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            run.until_ns = clock_mono_ns() + strtoull(argv[++i], NULL, 10) * NS_PER_S;
        } else {
            ok = feed_path(argv[i]) && ok;
            paths++;
        }
    }
    run.now = NULL;
    printf("%llu files, %llu inputs, %llu files left out\n", (unsigned long long)run.files,
           (unsigned long long)run.inputs, (unsigned long long)run.left_out);
    return ok && paths && run.inputs ? 0 : 1;
}

#endif
