/* SPDX-License-Identifier: Apache-2.0 */
/* threshold.config: suppress, threshold, event_filter and rate_filter by gen_id and sig_id, put on
 * the rules once all are loaded. gen_id 0 or sig_id 0 stand for all; what a rule says itself goes
 * before what the file says of all. */
#include "base/mem.h"
#include "base/must.h"
#include "detect/classification.h"
#include "detect/names.h"
#include "detect/parse.h"
#include "detect/threshold_parse.h"

#include <stdio.h>

enum { THRESHOLD_FILE_BYTES = 16 << 20 };

struct entry {
    uint64_t gid, sid;
    struct span rest; /* what follows the two numbers */
    enum { ENTRY_SUPPRESS, ENTRY_THRESHOLD, ENTRY_RATE } kind;
};

static void line_diagnose(struct loader *l, const char *file, uint32_t line, uint32_t column,
                          const char *reason)
{
    struct diagnostic d = {.file = file,
                           .line = line,
                           .column = column,
                           .reason =
                               names_text(l->strings, names_id(l->strings, l->a, span_str(reason))),
                           .warning = true};
    diagnostic_add(l, &d);
}

/* "suppress gen_id 1, sig_id 2, …" */
static bool entry_read(struct span line, struct entry *e, const uint8_t **at, const char **reason)
{
    static const struct {
        const char *name;
        int kind;
    } kinds[] = {{"suppress", ENTRY_SUPPRESS},
                 {"threshold", ENTRY_THRESHOLD},
                 {"event_filter", ENTRY_THRESHOLD},
                 {"rate_filter", ENTRY_RATE}};
    struct span word = span_split(&line, ' ');
    size_t i = 0;
    *at = word.p;
    while (i < LEN(kinds) && !span_ieq(word, span_str(kinds[i].name)))
        i++;
    if (i == LEN(kinds)) {
        *reason = "suppress, threshold, event_filter or rate_filter expected";
        return false;
    }
    e->kind = kinds[i].kind;
    struct span gid = next_element(&line);
    struct span sid = next_element(&line);
    *at = gid.p;
    *reason = "\"gen_id N, sig_id N\" expected";
    struct span gid_name = span_split(&gid, ' ');
    struct span sid_name = span_split(&sid, ' ');
    if (!span_ieq(gid_name, SPAN("gen_id")) || !span_u64(span_trim(gid), &e->gid) ||
        e->gid > UINT32_MAX)
        return false;
    *at = sid_name.p;
    if (!span_ieq(sid_name, SPAN("sig_id")) || !span_u64(span_trim(sid), &e->sid) ||
        e->sid > UINT32_MAX)
        return false;
    e->rest = span_trim(line);
    return true;
}

/* "track by_src|by_dst|by_either, ip LIST", or nothing: the rule is silent everywhere. */
static bool suppress_read(struct loader *l, struct span rest, struct suppress *s,
                          const uint8_t **at, const char **reason)
{
    static const struct {
        const char *name;
        uint8_t track;
    } tracks[] = {{"track by_src", TRACK_SRC},
                  {"track by_dst", TRACK_DST},
                  {"track by_either", TRACK_EITHER}};
    s->all = !rest.n;
    if (s->all)
        return true;
    struct span track = next_element(&rest);
    struct span ip = span_trim(rest);
    size_t i = 0;
    *at = track.p;
    *reason = "\"track by_src|by_dst|by_either, ip ADDRESSES\" expected";
    while (i < LEN(tracks) && !span_ieq(track, span_str(tracks[i].name)))
        i++;
    if (i == LEN(tracks) || !span_starts(ip, SPAN("ip ")))
        return false;
    struct vars_fault fault;
    struct span text = span_trim(span_from(ip, 3));
    s->track = tracks[i].track;
    s->ip = address_set_parse(l->vars, l->a, text, &fault);
    if (!s->ip) {
        *at = text.p + fault.at;
        *reason = names_text(l->strings, names_id(l->strings, l->a, span_str(fault.reason)));
    }
    return s->ip != NULL;
}

static bool threshold_entry_read(struct entry *e, struct threshold *t, const uint8_t **at,
                                 const char **reason)
{
    uint32_t parts;
    uint32_t need = PART_TYPE | PART_TRACK | PART_COUNT | PART_SECONDS;
    if (e->kind == ENTRY_RATE)
        need = PART_TRACK | PART_COUNT | PART_SECONDS | PART_NEW_ACTION | PART_TIMEOUT;
    if (!threshold_read(e->rest, t, &parts, at, reason))
        return false;
    if (t->type == THRESHOLD_BACKOFF && e->kind == ENTRY_THRESHOLD)
        need = PART_TYPE | PART_TRACK | PART_COUNT | PART_MULTIPLIER;
    if (parts != need) {
        *reason = e->kind == ENTRY_RATE ? "track, count, seconds, new_action and timeout are needed"
                                        : "type, track, count and seconds are needed";
        return false;
    }
    if (e->kind == ENTRY_RATE)
        t->type = THRESHOLD_RATE;
    return true;
}

static bool entry_covers(const struct entry *e, const struct rule *r)
{
    return (e->gid == 0 || e->gid == r->gid) && (e->sid == 0 || e->sid == r->sid);
}

static bool entry_apply(struct loader *l, struct entry *e, const uint8_t **at, const char **reason)
{
    struct ruleset *rs = l->rs;
    struct suppress s = {0};
    struct threshold *t = arena_zero(l->a, sizeof(*t));
    bool found = e->sid == 0;
    mem_need(t, sizeof(*t));
    if (e->gid == 0 && e->sid != 0) {
        *reason = "gen_id 0 goes with sig_id 0 only";
        return false;
    }
    if (e->kind == ENTRY_SUPPRESS ? !suppress_read(l, e->rest, &s, at, reason)
                                  : !threshold_entry_read(e, t, at, reason))
        return false;
    for (size_t i = 0; i < rs->n_rules; i++) {
        struct rule *r = rs->rules[i];
        if (!entry_covers(e, r))
            continue;
        found = true;
        if (e->kind == ENTRY_SUPPRESS) {
            struct suppress *copy = arena_zero(l->a, sizeof(*copy));
            mem_need(copy, sizeof(*copy));
            *copy = s;
            copy->next = r->suppress;
            r->suppress = copy;
        } else if (e->kind == ENTRY_RATE) {
            if (!r->detection_filter && (!r->rate_filter || e->sid))
                r->rate_filter = t;
        } else if (!r->detection_filter && (!r->threshold || (e->sid && !r->threshold_given))) {
            r->threshold = t;
        } else if (e->sid) {
            *reason = "the rule has a threshold of its own, which stays";
            return false;
        }
    }
    *reason = "there is no such rule";
    return found;
}

bool threshold_config_apply(struct loader *l, const char *file, struct err *e)
{
    char *text;
    size_t n;
    if (!text_file_read(file, THRESHOLD_FILE_BYTES, &text, &n, e))
        return false;
    struct lex_file f;
    struct lex_rule line;
    const char *kept = names_text(l->strings, names_id(l->strings, l->a, span_str(file)));
    lex_file_init(&f, span_of(text, n));
    while (lex_next_rule(&f, &line)) {
        struct entry entry = {0};
        const uint8_t *at = line.text.p;
        const char *reason = NULL;
        struct span trimmed = span_trim(line.text);
        uint32_t row, column;
        if (entry_read(trimmed, &entry, &at, &reason) && entry_apply(l, &entry, &at, &reason))
            continue;
        lex_position(&line, at, &row, &column);
        line_diagnose(l, kept, row, column, reason);
    }
    lex_file_free(&f);
    mem_free(text);
    return true;
}
