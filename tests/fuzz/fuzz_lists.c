/* SPDX-License-Identifier: Apache-2.0 */
/* Files of values that rules look up: the first byte says which. Bits 0 to 1: a data set, the
 * categories of reputations, a list of reputations, a capture filter's text. Of a data set bits 2
 * to 3 are the format, 4 the reputation and 5 to 7 the type. What a set holds must be found. */
#include "scratch.h"

#include "fuzz.h"

#include "base/mem.h"
#include "detect/dataset.h"
#include "detect/iprep.h"
#include "packet/capture/capture.h"

#include <netdb.h>

/* Names in a filter are not looked up: no input may ask the network. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    (void)node, (void)service, (void)hints;
    *ret = NULL;
    return EAI_NONAME;
}

static void find(void *arg, struct span value)
{
    struct dataset *s = arg;
    struct dataset_hit hit;
    struct buf text = buf_new(1 << 20);

    must(dataset_find(s, value, &hit));
    dataset_value_write(dataset_type(s), value, &text);
    must(text.n > 0 || value.n == 0);
    buf_free(&text);
}

struct values {
    struct span list[256];
    size_t n;
};

static void note(void *arg, struct span value)
{
    struct values *v = arg;

    if (v->n < LEN(v->list))
        v->list[v->n++] = value;
}

static void data_set(unsigned how, const char *path)
{
    static const char *const paths[] = {"", "a", "a.b"};
    struct dataset *s =
        dataset_new("fuzz", (enum dataset_type)(how >> 5 & 7) % (DATASET_IP + 1), 1 << 20);
    struct dataset_source source = {.format = (uint8_t)((how >> 2 & 3) % 3),
                                    .reputation = how >> 4 & 1,
                                    .value = SPAN("v"),
                                    .array = span_str(paths[(how >> 5) % LEN(paths)]),
                                    .remove_value = how >> 4 & 1};
    struct err e = {0};
    struct values held = {.n = 0};

    must(dataset_load(s, path, &source, &e) || e.text[0]);
    dataset_each(s, note, &held);
    for (size_t i = 0; i < held.n; i++)
        find(s, held.list[i]);
    dataset_free(s);
}

static void reputations(const char *categories, const char *list)
{
    const char *files[] = {list};
    struct iprep *r;
    struct err e = {0};
    struct ip a = {.family = 4, .b = {[12] = 10, 1, 2, 3}};

    if (!iprep_load(categories, files, 1, &r, &e)) {
        must(e.text[0]);
        return;
    }
    must(iprep_category(r, SPAN("Good")) < IPREP_CATEGORIES);
    for (unsigned c = 0; c < IPREP_CATEGORIES; c++)
        must(iprep_find(r, (uint8_t)c, &a) <= IPREP_MOST);
    iprep_free(r);
}

/* A capture of one packet, read through the filter. */
static void filter(struct span text)
{
    static const uint8_t packet[] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4,  0, 0, 0,    0,  0, 0,  0, 0,
                                     0,    0,    0,    4,    0, 1, 0,  0, 0, 0,    0,  0, 0,  0, 0,
                                     0,    0,    34,   0,    0, 0, 34, 0, 0, 0,    2,  2, 2,  2, 2,
                                     2,    4,    4,    4,    4, 4, 4,  8, 0, 0x45, 0,  0, 20, 0, 1,
                                     0,    0,    64,   17,   0, 0, 10, 1, 2, 3,    10, 1, 2,  4};
    struct scratch_file file = scratch_file(span_of(packet, sizeof(packet)));
    char *s = mem_get(text.n + 1);
    struct capture_packet p;
    struct err e = {0};

    span_copy(text, s, text.n + 1);
    struct capture *c = capture_open_file(file.path, s, &e);
    must(c || e.text[0]);
    if (c) {
        enum capture_state st = capture_next(c, &p, &e);
        must(st != CAPTURE_FAILED || e.text[0]);
        capture_close(c);
    }
    mem_free(s);
    close(file.fd);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    if (n == 0)
        return 0;
    struct span text = span_of(p + 1, n - 1);
    struct scratch_file f = scratch_file(text);
    struct scratch_file categories = scratch_file(SPAN("1,Good,fine\n2,Bad,not\n59,Odd,rare\n"));
    struct scratch_file list = scratch_file(SPAN("10.0.0.0/8,1,100\n10.1.2.3,2,5\n::1,59,1\n"));

    switch (p[0] & 3) {
    case 0:
        data_set(p[0], f.path);
        break;
    case 1:
        reputations(f.path, list.path);
        break;
    case 2:
        reputations(categories.path, f.path);
        break;
    default:
        if (n < 4096)
            filter(text);
    }
    close(f.fd);
    close(categories.fd);
    close(list.fd);
    return 0;
}
