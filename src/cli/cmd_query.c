/* SPDX-License-Identifier: Apache-2.0 */
/* Searching events: page after page until as many as asked for are shown. */
#include "base/jw.h"
#include "cli/run.h"
#include "cli/show.h"

enum { PAGE = 1000, USUAL = 100 };

/* The array `key` of the answer: each object is given to `each`. Returns how many. */
static uint64_t each_of(const struct cli *c, struct span answer, struct span key,
                        void (*each)(const struct cli *c, struct span object))
{
    struct json j;
    struct json_value v;
    uint64_t n = 0;
    json_init(&j, answer);
    if (json_next(&j, &v) != JSON_OBJECT)
        return 0;
    while (json_next(&j, &v) > JSON_END) {
        if (!json_key_is(&v, key) || v.type != JSON_ARRAY) {
            if (!json_skip(&j, &v))
                break;
            continue;
        }
        for (; json_next(&j, &v) == JSON_OBJECT && json_skip(&j, &v); n++)
            each(c, v.raw);
    }
    return n;
}

static void show_value(const struct cli *c, struct span row)
{
    struct buf count = buf_new(64), value = buf_new(8192);
    (void)c;
    json_text_at(row, "count", &count);
    json_text_at(row, "value", &value);
    printf("%10s  %s\n", buf_cstr(&count), buf_cstr(&value));
    buf_free(&count);
    buf_free(&value);
}

static bool ask(struct cli *c, const char *path, struct buf *q, struct buf *out, struct err *e)
{
    size_t position = SIZE_MAX;
    struct client_request rq = {.method = "GET", .path = path, .position = &position};
    return client_call(c, &rq, out, e) || show_position(c, q, position, e);
}

static bool query_top(struct cli *c, struct buf *path, struct buf *q, struct err *e)
{
    struct buf out = buf_new(64 << 20);
    path_param(path, "field", cli_value(c, OPT_TOP));
    path_param(path, "limit", cli_value(c, OPT_LIMIT));
    bool ok = ask(c, buf_cstr(path), q, &out, e);
    if (ok && c->json)
        printf("%s\n", buf_cstr(&out));
    else if (ok)
        each_of(c, buf_span(&out), SPAN("values"), show_value);
    buf_free(&out);
    return ok;
}

static uint64_t counted;

static void count_value(const struct cli *c, struct span row)
{
    uint64_t n = 0;
    (void)c;
    if (json_uint_at(row, "count", &n))
        counted += n;
}

/* Every event has a type, so the counts of the types add up; unlike a histogram's they keep to the
 * range of time exactly. */
static bool query_count(struct cli *c, struct buf *path, struct buf *q, struct err *e)
{
    struct buf out = buf_new(64 << 20);
    uint64_t other = 0;
    path_param(path, "field", "event_type");
    path_param(path, "limit", "1000");
    bool ok = ask(c, buf_cstr(path), q, &out, e);
    if (ok && !json_uint_at(buf_span(&out), "other", &other))
        ok = err_set(e, ERR_PROTOCOL, "the node's answer has no counts");
    counted = other;
    if (ok) {
        each_of(c, buf_span(&out), SPAN("values"), count_value);
        printf(c->json ? "{\"count\":%llu}\n" : "%llu\n", (unsigned long long)counted);
    }
    buf_free(&out);
    return ok;
}

/* left: how many at most; 0: all there are. */
static bool query_events(struct cli *c, struct buf *path, struct buf *q, uint64_t left,
                         struct err *e)
{
    struct buf cursor = buf_new(1024);
    bool ok = true, all = left == 0, more = true;
    path_param(path, "order", c->given[OPT_ASC] ? "asc" : "desc");
    size_t base = path->n;
    while (ok && more && (all || left > 0)) {
        struct buf out = buf_new(256 << 20);
        char limit[24];
        snprintf(limit, sizeof(limit), "%llu",
                 (unsigned long long)(all || left > PAGE ? PAGE : left));
        path->n = base;
        path_param(path, "limit", limit);
        if (cursor.n)
            path_param(path, "cursor", buf_cstr(&cursor));
        ok = ask(c, buf_cstr(path), q, &out, e);
        uint64_t n = ok ? each_of(c, buf_span(&out), SPAN("events"), show_event) : 0;
        left -= n < left ? n : left;
        buf_clear(&cursor);
        if (ok)
            json_text_at(buf_span(&out), "next_cursor", &cursor);
        more = cursor.n > 0 && fflush(stdout) == 0;
        buf_free(&out);
    }
    buf_free(&cursor);
    return ok;
}

static bool limit_of(const struct cli *c, uint64_t *ret, struct err *e)
{
    const char *text = cli_value(c, OPT_LIMIT);
    *ret = USUAL;
    return !text || span_u64(span_str(text), ret) ||
           err_set(e, ERR_USAGE, "--limit %s: a number is expected; 0 means all", text);
}

bool cmd_query(struct cli *c, struct err *e)
{
    bool top = c->given[OPT_TOP], count = c->given[OPT_NUMBER];
    uint64_t limit;
    if (top && count)
        return err_set(e, ERR_USAGE, "--top and --count exclude each other");
    if (!limit_of(c, &limit, e))
        return false;
    if (c->given[OPT_LIVE])
        return top || count
                   ? err_set(e, ERR_USAGE, "--follow goes with events, not with --top or --count")
                   : follow_events(c, limit ? limit : USUAL, e);
    struct buf path = buf_new(64 << 10), q = buf_new(16 << 10);
    buf_str(&path, top || count ? "/api/v1/events/top" : "/api/v1/events");
    path_query(&path, c, &q);
    path_param(&path, "from", cli_value(c, OPT_FROM));
    path_param(&path, "to", cli_value(c, OPT_TO));
    bool ok = top     ? query_top(c, &path, &q, e)
              : count ? query_count(c, &path, &q, e)
                      : query_events(c, &path, &q, limit, e);
    buf_free(&path);
    buf_free(&q);
    return ok;
}
