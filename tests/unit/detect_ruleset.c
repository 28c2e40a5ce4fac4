/* SPDX-License-Identifier: Apache-2.0 */
/* Whole rule files: duplicates, the order in which rules apply, threshold.config, classification
 * and reference files, reports, compressed files, and the public rule set where it is at hand. */
#include "base/json.h"
#include "detect_rules.h"

#include "unit.h"

#include <time.h>
#include <zlib.h>

static const char any[] = "any any -> any any";

static bool file_write(char path[32], const char *text)
{
    snprintf(path, 32, "/tmp/detect-set-XXXXXX");
    int fd = mkstemp(path);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return ok;
}

static void test_duplicates(void)
{
    struct ruleset *rs = rules_parse("alert ip any any -> any any (sid:1; rev:2; msg:\"a\";)\n"
                                     "alert ip any any -> any any (sid:1; rev:2; msg:\"b\";)\n"
                                     "alert ip any any -> any any (sid:1; rev:3; msg:\"c\";)\n"
                                     "alert ip any any -> any any (sid:1; gid:2; msg:\"d\";)\n");
    CHECK(rs && rs->n_rules == 2 && rs->active == 4 && rs->failed == 1);
    if (rs && rs->n_rules == 2) {
        CHECK_STR(rs->rules[0]->msg, "c");
        CHECK_STR(rs->rules[1]->msg, "d");
        CHECK(rs->n_diagnostics == 2 && !rs->diagnostics[0].warning && rs->diagnostics[1].warning);
        CHECK(rs->diagnostics[0].line == 2);
    }
    ruleset_release(rs);
}

/* The sids in the order in which they apply. */
static void test_order(void)
{
    static const struct {
        const char *action, *options;
    } list[] = {
        {"alert", ""},                                         /* 1: last of its priority */
        {"alert", "priority:1;"},                              /* 2 */
        {"drop", ""},                                          /* 3 */
        {"pass", ""},                                          /* 4 */
        {"reject", ""},                                        /* 5 */
        {"alert", "flowbits:isset,a;"},                        /* 6 */
        {"alert", "flowbits:set,a;"},                          /* 7 */
        {"alert", "flowbits:isset,a; flowbits:set,b;"},        /* 8 */
        {"alert", "flowint:n,+,1;"},                           /* 9 */
        {"alert", "xbits:isset,x,track ip_pair; priority:1;"}, /* 10 */
        {"alert", "flowbits:noalert;"},                        /* 11: uses no bit */
    };
    static const uint32_t want[] = {4, 3, 5, 7, 8, 6, 9, 10, 2, 1, 11};
    struct buf b = buf_new(1 << 16);
    for (size_t i = 0; i < LEN(list); i++)
        buf_printf(&b, "%s ip %s (%s sid:%zu;)\n", list[i].action, any, list[i].options, i + 1);
    struct ruleset *rs = rules_parse(buf_cstr(&b));
    CHECK(rs && rs->n_rules == LEN(want));
    for (size_t i = 0; rs && i < rs->n_rules && i < LEN(want); i++) {
        CHECK(rs->rules[i]->sid == want[i]);
        CHECK(rs->rules[i]->index == i);
    }
    CHECK(rs && rs->flowbits.n == 2 && rs->flowints.n == 1 && rs->xbits.n == 1);
    ruleset_release(rs);
    buf_free(&b);
}

static const struct rule *by_sid(const struct ruleset *rs, uint32_t sid)
{
    static const struct rule none;
    for (size_t i = 0; rs && i < rs->n_rules; i++)
        if (rs->rules[i]->sid == sid)
            return rs->rules[i];
    CHECK(false); /* the rule is there */
    return &none;
}

static void test_thresholds(void)
{
    char path[32];
    struct detect_conf conf;
    detect_conf_default(&conf);
    CHECK(file_write(
        path, "# comment\n"
              "suppress gen_id 1, sig_id 1\n"
              "suppress gen_id 1, sig_id 2, track by_src, ip [10.0.0.0/8,!10.1.1.1]\n"
              "event_filter gen_id 0, sig_id 0, type limit, track by_dst, count 1, seconds 9\n"
              "threshold gen_id 1, sig_id 3, type both, track by_src, count 2, seconds 5\n"
              "rate_filter gen_id 1, sig_id 2, track by_rule, count 3, seconds 4, "
              "new_action drop, timeout 7\n"
              "threshold gen_id 1, sig_id 4, type limit, track by_src, count 8, seconds 5\n"
              "suppress gen_id 1, sig_id 99\n"
              "suppres gen_id 1, sig_id 1\n"
              "suppress gen_id 1, sig_id 1, track by_src, ip 1.2.3\n"));
    conf.threshold_file = path;
    struct ruleset *rs = rules_parse_conf(
        "alert ip any any -> any any (sid:1;)\nalert ip any any -> any any (sid:2;)\n"
        "alert ip any any -> any any (sid:3;)\nalert ip any any -> any any (sid:4; "
        "threshold:type limit, track by_src, count 1, seconds 60;)\n"
        "alert ip any any -> any any (sid:5; detection_filter:track by_src, count 1, seconds 6;)\n",
        &conf);
    unlink(path);
    const struct rule *r = by_sid(rs, 1);
    CHECK(r->suppress && r->suppress->all);
    CHECK(r->threshold && r->threshold->seconds == 9 && r->threshold->track == TRACK_DST);
    r = by_sid(rs, 2);
    CHECK(r->suppress && !r->suppress->all && r->suppress->ip && r->suppress->ip->n_v4 == 2);
    CHECK(r->rate_filter && r->rate_filter->count == 3 && r->rate_filter->timeout_s == 7 &&
          r->rate_filter->new_action == ACTION_DROP && r->rate_filter->type == THRESHOLD_RATE);
    r = by_sid(rs, 3);
    CHECK(r->threshold && r->threshold->type == THRESHOLD_BOTH && r->threshold->count == 2);
    r = by_sid(rs, 4);
    CHECK(r->threshold && r->threshold->count == 1 && r->threshold->seconds == 60);
    r = by_sid(rs, 5);
    CHECK(!r->threshold && r->detection_filter && r->detection_filter->seconds == 6);
    CHECK(rs && rs->n_diagnostics == 4);
    for (size_t i = 0; rs && i < rs->n_diagnostics; i++)
        CHECK(rs->diagnostics[i].line == 7 + i && rs->diagnostics[i].warning);
    ruleset_release(rs);
}

static void test_class_files(void)
{
    char classes[32], references[32];
    struct detect_conf conf;
    detect_conf_default(&conf);
    CHECK(file_write(classes, "# c\nconfig classification: mine,My text, 7\nnonsense\n"));
    CHECK(file_write(references, "config reference: cve https://x/\n"));
    conf.classification_file = classes;
    conf.reference_file = references;
    struct ruleset *rs =
        rules_parse_conf("alert ip any any -> any any (sid:1; classtype:MINE; "
                         "reference:CVE,9;)\n"
                         "alert ip any any -> any any (sid:2; classtype:misc-attack; "
                         "reference:url,a;)\n",
                         &conf);
    CHECK(by_sid(rs, 1)->priority == 7);
    CHECK_STR(by_sid(rs, 1)->class_text, "My text");
    CHECK_STR(by_sid(rs, 1)->references[0], "https://x/9");
    CHECK(by_sid(rs, 2)->priority == 3);
    CHECK(rs && rs->failed == 0 && rs->n_diagnostics == 2);
    ruleset_release(rs);
    unlink(classes);
    unlink(references);
    conf.classification_file = "/nonexistent";
    struct err e;
    CHECK(!ruleset_parse(&conf, NULL, 0, &rs, &e));
    CHECK(strstr(e.text, "/nonexistent"));
}

static void test_report(void)
{
    struct ruleset *rs = rules_parse("alert ip any any -> any any (sid:1;)\n"
                                     "alert tcp any any -> any any ( \\\n  msg:\"a\"; \\\n"
                                     "  contnt:\"b\"; sid:7;)\n"
                                     "alert ip any any -> any any (sid:2; classtype:odd;)\n");
    struct buf b = buf_new(1 << 16);
    CHECK(rs != NULL);
    if (!rs)
        return;
    ruleset_report_json(rs, &b);
    struct json j;
    struct json_value v;
    json_init(&j, buf_span(&b));
    CHECK(json_next(&j, &v) == JSON_OBJECT && json_skip(&j, &v) && json_done(&j));
    const char *text = buf_cstr(&b);
    CHECK(strstr(
        text, "{\"rules\":{\"active\":3,\"loaded\":2,\"failed\":1},\"diagnostics\":[{\"file\":"));
    CHECK(strstr(text,
                 "\"line\":4,\"column\":3,\"sid\":7,\"keyword\":\"contnt\",\"reason\":\"unknown "
                 "keyword \\\"contnt\\\"; the nearest is \\\"content\\\"\"}],\"warnings\":[{"));
    buf_clear(&b);
    ruleset_report_text(rs, &b);
    text = buf_cstr(&b);
    CHECK(strstr(text, ":4:3: error: sid 7: contnt: unknown keyword"));
    CHECK(strstr(text, "3 rules active, 2 loaded, 1 failed\n"));
    buf_clear(&b);
    keywords_list(&b, true);
    text = buf_cstr(&b);
    CHECK(strstr(text, "\ncontent;keyword;supported;") &&
          strstr(text, "\nhttp.uri;sticky buffer;supported;"));
    CHECK(strstr(text, "\nhttp_uri;modifier;") && strstr(text, "\ndns.opcode;value;"));
    CHECK(strstr(text, "\nlua;keyword;unsupported;") &&
          strstr(text, "\nsmtp.helo;sticky buffer;unsupported;"));
    CHECK(strstr(text, "\nmodbus;value;unsupported;"));
    ruleset_release(rs);
    buf_free(&b);
}

static void test_files(void)
{
    struct detect_conf conf;
    struct ruleset *rs;
    struct err e;
    char plain[32], packed[32];
    detect_conf_default(&conf);
    CHECK(file_write(plain, "alert ip any any -> any any (sid:1;)\n"));
    CHECK(file_write(packed, ""));
    gzFile gz = gzopen(packed, "wb");
    CHECK(gz && gzputs(gz, "alert ip any any -> any any (sid:2;)\n") > 0);
    gzclose(gz);
    const char *files[] = {plain, "/nonexistent.rules", packed};
    CHECK(ruleset_parse(&conf, files, 3, &rs, &e));
    CHECK(ruleset_loaded(rs) == 2 && ruleset_failed(rs) == 0 && ruleset_active(rs) == 2);
    size_t n;
    const struct diagnostic *d = ruleset_diagnostics(rs, &n);
    CHECK(n == 1 && strstr(d[0].reason, "nonexistent"));
    ruleset_release(rs);
    CHECK(!ruleset_parse(&conf, files + 1, 1, &rs, &e));
    CHECK(truncate(packed, 25) == 0);
    CHECK(!ruleset_parse(&conf, files + 2, 1, &rs, &e) && strstr(e.text, "damaged"));
    unlink(plain);
    unlink(packed);
}

/* Where the public rules are at hand: every active rule loads, in time. */
static void test_public_rules(void)
{
    /* from the build folder of the project or of a work tree beside it */
    static const char *const places[] = {"../../../shared", "../../../../shared"};
    char path[128];
    const char *files[] = {path};
    struct detect_conf conf;
    struct ruleset *rs;
    struct err e;
    for (size_t i = 0; i < LEN(places); i++) {
        snprintf(path, sizeof(path), "%s/corpus/rules/et-open-2024-09.rules.gz", places[i]);
        if (access(path, R_OK) == 0)
            break;
    }
    if (access(path, R_OK) != 0) {
        printf("skipped: no public rules beside the project\n");
        return;
    }
    detect_conf_default(&conf);
    clock_t begin = clock();
    CHECK(ruleset_parse(&conf, files, 1, &rs, &e));
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    CHECK(ruleset_active(rs) == 20743);
    CHECK(ruleset_loaded(rs) == 20743);
    CHECK(ruleset_failed(rs) == 0);
    CHECK(rs->arena.bytes < 64 << 20);
    CHECK(seconds < 5); /* under sanitizers; a release build takes a tenth of a second */
    size_t fast = 0;
    for (size_t i = 0; i < rs->n_rules; i++)
        fast += rs->rules[i]->fast != NULL;
    CHECK(fast == 19553);
    ruleset_release(rs);
}

int main(void)
{
    test_duplicates();
    test_order();
    test_thresholds();
    test_class_files();
    test_report();
    test_files();
    test_public_rules();
    return unit_end();
}
