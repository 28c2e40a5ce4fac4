/* SPDX-License-Identifier: Apache-2.0 */
/* Names are followed through at most 255 labels and pointers, so that a loop costs no more than the
 * longest honest name. */
#include "proto/dns_name.h"

enum { DNS_STEPS = 255, DNS_TEXT = 1100 };

struct dns_walk {
    struct rd at;
    bool jumped;
    size_t n;
    bool truncated;
    uint8_t text[DNS_TEXT];
};

static void dns_label(struct dns_walk *w, struct span label, size_t max)
{
    if (w->truncated)
        return;
    if (w->n && w->n < sizeof(w->text))
        w->text[w->n++] = '.';
    size_t n = min_size(label.n, sizeof(w->text) - w->n);
    memcpy(w->text + w->n, label.p, n);
    w->n += n;
    if (w->n > max) {
        w->n = max;
        w->truncated = true;
    }
}

/* One step; false at the name's end or on failure. */
static bool dns_step(struct dns_walk *w, struct rd *r, struct span message, size_t max)
{
    uint8_t head = rd_u8(&w->at);

    if (!rd_ok(&w->at) || head == 0)
        return false;
    if ((head & 0xc0) == 0) {
        struct span label = rd_bytes(&w->at, head);
        if (!rd_ok(&w->at))
            return false;
        dns_label(w, label, max);
        return true;
    }
    if ((head & 0xc0) != 0xc0) {
        rd_bad(&w->at, "label type is neither length nor pointer");
        return false;
    }
    size_t to = (size_t)(head & 0x3f) << 8;
    to |= rd_u8(&w->at);
    if (!rd_ok(&w->at))
        return false;
    if (to > message.n) {
        rd_bad(&w->at, "pointer beyond the message");
        return false;
    }
    if (!w->jumped) {
        r->p = w->at.p;
        r->n = w->at.n;
        w->jumped = true;
    }
    struct span target = span_from(message, to);
    w->at.p = target.p;
    w->at.n = target.n;
    return true;
}

struct dns_name dns_name_read(struct rd *r, struct span message, struct arena *mem, size_t max,
                              unsigned *faults)
{
    struct dns_walk w;
    unsigned steps = 0;

    must(max <= DNS_TEXT - 64);
    w.at = *r;
    w.jumped = w.truncated = false;
    w.n = 0;
    /* An empty rest reads as the root name, as resolvers take it. */
    while (w.at.n > 0 && dns_step(&w, r, message, max)) {
        if (++steps > DNS_STEPS) {
            *faults |= w.n ? DNS_NAME_LABELS : DNS_NAME_LOOP;
            break;
        }
    }
    if (!w.jumped) {
        r->p = w.at.p;
        r->n = w.at.n;
    }
    if (w.truncated)
        *faults |= DNS_NAME_TOO_LONG;
    struct dns_name name = {{r->p, 0}, w.truncated};
    if (rd_ok(r)) {
        name.text = arena_dup(mem, (struct span){w.text, w.n});
        if (!name.text.p)
            rd_bad(r, "no memory for the name");
    }
    return name;
}
