/* SPDX-License-Identifier: Apache-2.0 */
/* The event writer and the field table: the exact line of a small event, nesting, a full buffer,
 * look-up of keys and paths, and that what the generator prints is JSON. */
#include "event/event.h"
#include "base/json.h"
#include "event/schema.h"

#include "unit.h"

static void lines(void)
{
    struct buf b = buf_new(4096);
    struct event ev;
    struct ip a;

    event_begin(&ev, &b);
    event_text(&ev, F_event_type, "dns");
    CHECK(ip_parse(SPAN("::1"), &a));
    event_ip(&ev, F_src_ip, &a);
    event_open(&ev, F_vlan);
    event_item_uint(&ev, 7);
    event_item_uint(&ev, 8);
    event_close(&ev);
    event_open(&ev, F_dns);
    event_uint(&ev, F_dns_version, 3);
    event_open(&ev, F_dns_queries);
    for (int i = 0; i < 2; i++) {
        event_element(&ev);
        event_str(&ev, F_dns_queries_rrname, SPAN("a\"b"));
        event_close_element(&ev);
    }
    event_close(&ev);
    event_bool(&ev, F_dns_aa, false);
    event_close(&ev);
    event_open(&ev, F_stats);
    event_key_open(&ev, SPAN("decoder"));
    event_key_uint(&ev, SPAN("pkts"), 5);
    event_key_close(&ev);
    event_close(&ev);
    CHECK(event_end(&ev));
    CHECK_STR(buf_cstr(&b),
              "{\"event_type\":\"dns\",\"src_ip\":\"0000:0000:0000:0000:0000:0000:0000:0001\","
              "\"vlan\":[7,8],\"dns\":{\"version\":3,\"queries\":[{\"rrname\":\"a\\\"b\"},"
              "{\"rrname\":\"a\\\"b\"}],\"aa\":false},\"stats\":{\"decoder\":{\"pkts\":5}}}\n");
    size_t before = b.n;
    b.max = b.cap = b.n + 10 > b.cap ? b.cap : b.n + 10;
    event_begin(&ev, &b);
    event_text(&ev, F_event_type, "something that does not fit");
    CHECK(!event_end(&ev) && b.n == before && !b.full);
    buf_free(&b);
}

static void lookups(void)
{
    char path[FIELD_PATH];

    for (unsigned f = F_root + 1; f < F_COUNT; f++) {
        const struct field_row *r = &field_table[f];
        CHECK(field_find(r->parent, span_of(r->key, r->key_n)) == f);
        CHECK(field_by_path(field_path(f, path, sizeof(path))) == f);
        CHECK(r->help_en[0] && r->help_zh[0]);
    }
    CHECK(field_find(F_root, SPAN("nonsense")) == F_root);
    CHECK(field_by_path(SPAN("http.nonsense")) == F_root && field_by_path(SPAN("")) == F_root);
    CHECK(field_by_path(SPAN("dns.answers.soa.mname")) == F_dns_answers_soa_mname);
    CHECK(event_type_find(SPAN("tls")) == EVENT_tls && event_type_find(SPAN("x")) == EVENT_TYPES);
}

static void generated(void)
{
    void (*const writers[])(struct buf *) = {schema_write, schema_catalogue};

    for (size_t i = 0; i < LEN(writers); i++) {
        struct buf b = buf_new(4u << 20);
        struct json j;
        struct json_value v;
        writers[i](&b);
        json_init(&j, buf_span(&b));
        json_next(&j, &v);
        CHECK(!b.full && json_skip(&j, &v) && json_done(&j));
        buf_free(&b);
    }
}

int main(void)
{
    lines();
    lookups();
    generated();
    return unit_end();
}
