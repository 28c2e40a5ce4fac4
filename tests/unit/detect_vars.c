/* SPDX-License-Identifier: Apache-2.0 */
/* Address and port expressions and what is left of them when the exclusions are worked in. */
#include "detect/vars.h"

#include "unit.h"

#include <stdio.h>

static void show_ranges(char *to, size_t cap, const struct ip_range *r, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        char first[IP_TEXT], last[IP_TEXT];
        size_t at = strlen(to);
        ip_text(&r[i].first, first);
        ip_text(&r[i].last, last);
        snprintf(to + at, cap - at, "%s%s-%s", at ? " " : "", first, last);
    }
}

static const char all_6[] = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

static void test_addresses(struct rule_vars *v)
{
    static const struct {
        const char *text, *ranges; /* NULL: it is wrong */
        size_t at;
    } cases[] = {
        {"1.2.3.4", "1.2.3.4-1.2.3.4", 0},
        {"[ 10.0.0.0/8 , 11.0.0.0/8,10.1.0.0/16]", "10.0.0.0-11.255.255.255", 0},
        {"1.1.1.1-1.1.1.9", "1.1.1.1-1.1.1.9", 0},
        {"[10.0.0.0/24,!10.0.0.5]", "10.0.0.0-10.0.0.4 10.0.0.6-10.0.0.255", 0},
        {"[10.0.0.0/30,!10.0.0.0,!10.0.0.3]", "10.0.0.1-10.0.0.2", 0},
        {"![0.0.0.0/1,200.0.0.0/8]", "128.0.0.0-199.255.255.255 201.0.0.0-255.255.255.255", 0},
        {"!2001:db8::/32",
         "::-2001:db7:ffff:ffff:ffff:ffff:ffff:ffff "
         "2001:db9::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         0},
        {"[$A,!$B]", "10.0.0.0-10.0.0.127 10.0.1.0-10.0.255.255", 0},
        {"!$NOT_A", "10.0.0.0-10.0.255.255", 0},
        {"[[1.1.1.1,[2.2.2.2]],!3.3.3.3]", "1.1.1.1-1.1.1.1 2.2.2.2-2.2.2.2", 0},
        {"$LOOP", NULL, 0},
        {"[1.1.1.1,x]", NULL, 9},
        {"[1.1.1.1", NULL, 0},
        {"1.1.1.1]", NULL, 0},
        {"[1.1.1.1,,2.2.2.2]", NULL, 9},
        {"!any", NULL, 1},
        {"9.9.9.9-1.1.1.1", NULL, 0},
        {"!0.0.0.0/0", NULL, 0},
        {"[1.1.1.1,!1.1.1.1]", NULL, 0},
        {"", NULL, 0},
    };
    struct arena a;
    arena_init(&a, NULL, 1 << 20);
    for (size_t i = 0; i < LEN(cases); i++) {
        struct vars_fault f = {0};
        const struct address_set *s = address_set_parse(v, &a, span_str(cases[i].text), &f);
        char got[512] = "";
        CHECK((s != NULL) == (cases[i].ranges != NULL));
        if (s) {
            show_ranges(got, sizeof(got), s->v4, s->n_v4);
            show_ranges(got, sizeof(got), s->v6, s->n_v6);
            CHECK_STR(got, cases[i].ranges);
        } else {
            CHECK(f.at == cases[i].at && f.reason[0]);
        }
    }
    struct vars_fault f;
    const struct address_set *any = address_set_parse(v, &a, SPAN("any"), &f);
    char got[512] = "";
    CHECK(any && any->any && any->n_v4 == 1);
    if (any)
        show_ranges(got, sizeof(got), any->v6, any->n_v6);
    CHECK_STR(got, all_6);
    arena_free(&a);
}

/* Every address of a small net against a slow reading of the same expression. */
static void test_membership(void)
{
    struct arena a;
    struct vars_fault f;
    arena_init(&a, NULL, 1 << 20);
    const struct address_set *s =
        address_set_parse(NULL, &a, SPAN("[10.0.0.0/24,!10.0.0.64/26,!10.0.0.3,10.0.0.200]"), &f);
    CHECK(s != NULL);
    for (unsigned i = 0; s && i < 512; i++) {
        uint8_t b[4] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};
        struct ip ip = ip_v4(b);
        bool want = i < 256 && !(i >= 64 && i < 128) && i != 3;
        CHECK(address_set_has(s, &ip) == want);
    }
    arena_free(&a);
}

static void test_ports(struct rule_vars *v)
{
    static const struct {
        const char *text, *ranges;
    } cases[] = {
        {"80", "80-80"},
        {"[80,81,90:100,95:110]", "80-81 90-110"},
        {":1023", "0-1023"},
        {"60000:", "60000-65535"},
        {"!80", "0-79 81-65535"},
        {"[1:10,!5]", "1-4 6-10"},
        {"$FILE_DATA_PORTS", "80-80 110-110 143-143"},
        {"any", "0-65535"},
        {"70000", NULL},
        {"10:1", NULL},
        {":", NULL},
        {"a", NULL},
        {"[80,!80]", NULL},
        {"!any", NULL},
        {"$NO", NULL},
    };
    struct arena a;
    arena_init(&a, NULL, 1 << 20);
    for (size_t i = 0; i < LEN(cases); i++) {
        struct vars_fault f = {0};
        const struct port_set *s = port_set_parse(v, &a, span_str(cases[i].text), &f);
        char got[256] = "";
        CHECK((s != NULL) == (cases[i].ranges != NULL));
        for (uint32_t k = 0; s && k < s->n; k++) {
            size_t at = strlen(got);
            snprintf(got + at, sizeof(got) - at, "%s%u-%u", k ? " " : "", s->r[k].first,
                     s->r[k].last);
        }
        if (s)
            CHECK_STR(got, cases[i].ranges);
    }
    arena_free(&a);
}

int main(void)
{
    struct rule_vars *v = vars_new();
    struct err e;
    CHECK(vars_check(v, &e));
    CHECK_STR(vars_address(v, SPAN("EXTERNAL_NET")), "!$HOME_NET");
    vars_set_address(v, "A", "10.0.0.0/16");
    vars_set_address(v, "B", "10.0.0.128/25");
    vars_set_address(v, "NOT_A", "!$A");
    vars_set_address(v, "LOOP", "[$LOOP]");
    test_addresses(v);
    CHECK(!vars_check(v, &e) && strstr(e.text, "LOOP"));
    test_membership();
    test_ports(v);
    vars_free(v);
    return unit_end();
}
