/* SPDX-License-Identifier: Apache-2.0 */
/* DNS messages built here: both forms of their events, and which are written. */
#include "base/wr.h"
#include "http_unit.h"

enum { TYPE_A = 1, TYPE_TXT = 16, TYPE_HTTPS = 65 };

/* A message with two questions for "a.example" and, in a response, one address. */
static struct span message(uint8_t *room, size_t cap, bool response)
{
    struct wr w = wr_into(room, cap);

    wr_u16(&w, 0x1234);
    wr_u16(&w, response ? 0x8180 : 0x0100);
    wr_u16(&w, 2);
    wr_u16(&w, response);
    wr_u32(&w, 0);
    for (int i = 0; i < 2; i++) {
        wr_bytes(&w, SPAN("\x01"
                          "a\x07"
                          "example\x00"));
        wr_u16(&w, i ? TYPE_TXT : TYPE_A);
        wr_u16(&w, 1);
    }
    if (response) {
        wr_u16(&w, 0xc00c);
        wr_u16(&w, TYPE_A);
        wr_u16(&w, 1);
        wr_u32(&w, 300);
        wr_u16(&w, 4);
        wr_bytes(&w, SPAN("\x0a\x00\x00\x07"));
    }
    CHECK(!w.full);
    return wr_span(&w);
}

static void begin(struct http_flow *f)
{
    flow_begin(f);
    app_free(&f->app);
    app_init(&f->app, &f->env, TRANSPORT_UDP, 40000, 53);
}

/* The dns objects of the n-th transaction's events, one a line. */
static const char *events(struct http_flow *f, unsigned n)
{
    struct tx *tx = nth_tx(f, n);
    struct event ev;

    buf_clear(&f->log);
    CHECK(tx);
    if (!tx)
        return "";
    tx->log_part = 0;
    do {
        tx->log_more = false;
        event_begin(&ev, &f->log);
        if (f->app.proto->log(&f->app, tx, tx->way, false, &ev))
            CHECK(event_end(&ev));
        else
            event_cancel(&ev);
        tx->log_part++;
    } while (tx->log_more);
    return buf_cstr(&f->log);
}

static void both_forms(void)
{
    struct http_flow f;
    uint8_t room[128];

    begin(&f);
    feed_span(&f, DIR_TS, message(room, sizeof(room), false));
    feed_span(&f, DIR_TC, message(room, sizeof(room), true));
    CHECK_STR(
        events(&f, 0),
        "{\"dns\":{\"version\":3,\"type\":\"request\",\"tx_id\":0,\"id\":4660,\"flags\":\"100\","
        "\"rd\":true,\"opcode\":0,\"rcode\":\"NOERROR\",\"queries\":[{\"rrname\":\"a.example\","
        "\"rrtype\":\"A\"},{\"rrname\":\"a.example\",\"rrtype\":\"TXT\"}]}}\n");
    f.conf.log.dns.version = 2;
    CHECK_STR(events(&f, 0),
              "{\"dns\":{\"version\":2,\"type\":\"query\",\"id\":4660,\"rrname\":\"a.example\","
              "\"rrtype\":\"A\",\"tx_id\":0,\"opcode\":0}}\n"
              "{\"dns\":{\"version\":2,\"type\":\"query\",\"id\":4660,\"rrname\":\"a.example\","
              "\"rrtype\":\"TXT\",\"tx_id\":0,\"opcode\":0}}\n");
    f.conf.log.dns.detailed = false;
    CHECK_STR(
        events(&f, 1),
        "{\"dns\":{\"version\":2,\"type\":\"answer\",\"id\":4660,\"flags\":\"8180\",\"qr\":true,"
        "\"rd\":true,\"ra\":true,\"rrname\":\"a.example\",\"rrtype\":\"A\",\"opcode\":0,"
        "\"rcode\":\"NOERROR\",\"grouped\":{\"A\":[\"10.0.0.7\"]}}}\n");
    flow_end(&f);
}

/* `types` names the questions that are worth an event. */
static void only_types(void)
{
    struct http_flow f;
    uint8_t room[128];

    begin(&f);
    feed_span(&f, DIR_TS, message(room, sizeof(room), false));
    f.conf.log.dns.types[TYPE_HTTPS / 64] = (uint64_t)1 << TYPE_HTTPS % 64;
    CHECK_STR(events(&f, 0), "");
    f.conf.log.dns.types[0] = (uint64_t)1 << TYPE_TXT;
    CHECK(strstr(events(&f, 0), "\"version\":3"));
    f.conf.log.dns.requests = false;
    CHECK_STR(events(&f, 0), "");
    flow_end(&f);
}

/* An answer alone turns the flow round where beginnings may be unseen, else it is nothing. */
static void answer_first(void)
{
    struct http_flow f;
    uint8_t room[128];

    for (int each = 0; each < 2; each++) {
        begin(&f);
        app_free(&f.app);
        f.conf.midstream = each;
        app_init(&f.app, &f.env, TRANSPORT_UDP, 53, 40000);
        (void)app_feed(&f.app, DIR_TS, message(room, sizeof(room), true), 0);
        CHECK(f.app.swapped == each && (f.app.proto != NULL) == each);
        if (each)
            CHECK(strstr(events(&f, 0), "\"type\":\"response\""));
        flow_end(&f);
    }
}

int main(void)
{
    both_forms();
    only_types();
    answer_first();
    return unit_end();
}
