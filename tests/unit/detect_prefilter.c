/* SPDX-License-Identifier: Apache-2.0 */
/* The prefilter finds every rule whose pattern is there, each once, at the end only where that was
 * asked; a compiled database comes back from disk the same, and a damaged file does no harm. */
#include "base/mem.h"
#include "detect/header.h"
#include "detect/prefilter.h"

#include "unit.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static hs_scratch_t *scratch;
static struct candidates found;

static bool finds(const struct prefilter *f, struct span s, const char *want)
{
    char text[128] = "";
    size_t n = 0;

    candidates_clear(&found);
    prefilter_scan(f, s, scratch, &found);
    candidates_sort(&found);
    for (uint32_t i = 0; i < found.n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%u ", found.list[i]);
    if (strcmp(text, want) == 0)
        return true;
    printf("found \"%s\", expected \"%s\"\n", text, want);
    return false;
}

static const struct pattern patterns[] = {
    {SPAN("evil"), 1, false, false},   {SPAN("evil"), 7, true, false},
    {SPAN("evil"), 9, true, false},    {SPAN(".bad.com"), 2, true, true},
    {SPAN("bad.com"), 3, true, true},  {SPAN("m"), 4, true, true},
    {SPAN("bad.com"), 70, true, true}, {SPAN("x"), 5, false, false},
};

static void scans(const struct prefilter *f)
{
    CHECK(finds(f, SPAN("an evil thing"), "1 7 9 "));
    CHECK(finds(f, SPAN("an EVIL thing"), "7 9 "));
    CHECK(finds(f, SPAN("www.BAD.com"), "2 3 4 70 "));
    CHECK(finds(f, SPAN("bad.com"), "3 4 70 "));
    CHECK(finds(f, SPAN("bad.com.org"), ""));
    CHECK(finds(f, SPAN("evilevilx"), "1 5 7 9 "));
    CHECK(finds(f, SPAN(""), ""));
}

static unsigned files_in(const char *dir, const char *damage)
{
    unsigned n = 0;
    DIR *d = opendir(dir);

    CHECK(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        n++;
        char *path = mem_printf("%s/%s", dir, e->d_name);
        if (damage && strcmp(damage, "cut") == 0)
            CHECK(truncate(path, 40) == 0);
        else if (damage)
            CHECK(unlink(path) == 0);
        mem_free(path);
    }
    closedir(d);
    return n;
}

static void build_and_scan(const char *dir)
{
    struct prefilter *f;
    struct err e;

    CHECK(prefilter_build(patterns, LEN(patterns), dir, &f, &e));
    CHECK(prefilter_scratch(f, &scratch, &e));
    scans(f);
    prefilter_free(f);
}

static void caches(void)
{
    char dir[] = "/tmp/daizong-unit-XXXXXX";

    CHECK(mkdtemp(dir));
    build_and_scan(dir);
    CHECK(files_in(dir, NULL) == 1);
    build_and_scan(dir);
    CHECK(files_in(dir, "cut") == 1);
    build_and_scan(dir);
    CHECK(files_in(dir, "remove") == 1);
    CHECK(rmdir(dir) == 0);
    build_and_scan("/nonexistent/daizong");
}

static struct ip v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    const uint8_t bytes[4] = {a, b, c, d};

    return ip_v4(bytes);
}

/* Block lists: overlapping ranges of three rules, and one rule that is for everybody. */
static void headers(void)
{
    struct ip_range one[] = {{v4(10, 0, 0, 1), v4(10, 0, 0, 9)},
                             {v4(10, 0, 1, 0), v4(10, 0, 1, 0)}};
    struct ip_range two[] = {{v4(10, 0, 0, 5), v4(10, 0, 0, 20)}};
    struct ip_range last[] = {{v4(255, 255, 255, 255), v4(255, 255, 255, 255)}};
    struct address_set any = {.any = true}, s1 = {.v4 = one, .n_v4 = 2},
                       s2 = {.v4 = two, .n_v4 = 1};
    struct address_set s3 = {.v4 = last, .n_v4 = 1};
    struct port_set ports = {.any = true};
    struct rule r[4] = {{.index = 0, .src = &s1, .dst = &any},
                        {.index = 1, .src = &any, .dst = &s2},
                        {.index = 2, .src = &s3, .dst = &any},
                        {.index = 3, .src = &any, .dst = &any}};
    const struct rule *rules[4];
    struct packet p = {.ip_v = 4, .proto = 6};

    for (unsigned i = 0; i < 4; i++) {
        r[i].sport = r[i].dport = &ports;
        memset(r[i].ip_proto, 0xff, sizeof(r[i].ip_proto));
        rules[i] = &r[i];
    }
    struct header_index *x = header_index_new(rules, 4);
    for (unsigned a = 0; a < 30; a++) {
        for (unsigned b = 0; b < 30; b++) {
            p.src = a == 29 ? v4(255, 255, 255, 255) : v4(10, 0, 0, (uint8_t)a);
            p.dst = v4(10, 0, 0, (uint8_t)b);
            candidates_clear(&found);
            header_index_find(x, &p, &found);
            for (unsigned i = 0; i < 4; i++) {
                bool in = false;
                for (uint32_t k = 0; k < found.n; k++)
                    in = in || found.list[k] == i;
                CHECK(in || !header_match(&r[i], &p));
                CHECK(!in || i == 3 || header_match(&r[i], &p));
            }
        }
    }
    header_index_free(x);
}

int main(void)
{
    candidates_init(&found, 200);
    build_and_scan(NULL);
    caches();
    headers();
    candidates_free(&found);
    hs_free_scratch(scratch);
    return unit_end();
}
