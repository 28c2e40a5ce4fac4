/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and what they become: tables of good rules with their intermediate form, and of wrong ones
 * with the place, the keyword and the reason that are reported. */
#include "detect_rules.h"

#include "unit.h"

static const char *const head = "alert tcp any any -> any any (";

static const struct {
    const char *options, *form;
} good[] = {
    {"content:\"a|62 63|d\\;\\\"\\\\\";", "payload[\"abcd;\"\\\"]"},
    {"content:!\"x\"; content:\"AB|43|\"; nocase;", "payload[!\"x\"; \"abc\" nocase]"},
    {"content:\"abc\"; offset:4; depth:10;", "payload[\"abc\" offset=4 depth=14]"},
    {"content:\"abc\"; depth:10; offset:4;", "payload[\"abc\" offset=4 depth=14]"},
    {"content:\"a\"; content:\"b\"; distance:1; within:5;",
     "payload[\"a\" next; \"b\" distance=1 within=5]"},
    {"content:!\"a\"; content:\"b\"; distance:1;", "payload[!\"a\"; \"b\" distance=1]"},
    {"content:\"ab\"; startswith; endswith; fast_pattern;",
     "payload[\"ab\" depth=2 fast starts ends]"},
    {"content:\"abcdef\"; fast_pattern:2,3; rawbytes;", "payload[\"abcdef\" chop=2,3 fast raw]"},
    {"content:\"ab\"; fast_pattern:only;", "payload[\"ab\" fast only]"},
    {"content:\"/x\"; http_uri; content:\"y\"; content:\"z\"; distance:0; http_uri;",
     "payload[\"y\"]http.uri[\"/x\" next; \"z\" distance=0]"},
    {"http.uri; content:\"a\"; http.method; content:\"GET\"; http.uri; content:\"b\"; distance:0;",
     "http.uri[\"a\" next; \"b\" distance=0]http.method[\"GET\"]"},
    {"uricontent:\"/x\"; urilen:>5;", "http.uri[\"/x\"; urilen >5]"},
    {"urilen:3<>20,raw;", "http.uri.raw[urilen ..3,20]"},
    {"dns.query; content:\"a\"; dns.query; content:\"b\";", "dns.query[\"a\"]dns.query[\"b\"]"},
    {"dns.query; dotprefix; content:\".a.b\"; bsize:<20;", "dns.query|1[\".a.b\"; bsize <20]"},
    {"dns.query; content:\"a\"; dotprefix; content:\".b\";", "dns.query[\"a\"]dns.query|1[\".b\"]"},
    {"content:\"a\"; pcre:\"/b{2}/Ri\"; isdataat:!4,relative;",
     "payload[\"a\" next; pcre /b{2}/R next; isdataat]"},
    {"content:\"a\"; byte_jump:2,0,relative,little; content:\"b\"; within:9;",
     "payload[\"a\" next; byte_jump; \"b\" within=9]"},
    {"pcre:\"/a\\/b/U\"; content:\"c\"; http_uri;", "http.uri[pcre /a\\/b/; \"c\"]"},
    {"pcre:!/abc/;", "payload[pcre /abc/!]"},
    {"byte_extract:1,0,n; content:\"a\"; offset:n; content:\"b\"; distance:n;",
     "payload[byte_extract; \"a\" offset=0 next offsetvar; \"b\" distance=0 distancevar]"},
    {"content:\"a\"; base64_decode:bytes 12, offset 2, relative; base64_data; content:\"b\"; "
     "content:\"c\"; within:1;",
     "payload[\"a\" next; base64_decode data[\"b\" next; \"c\" within=1]]"},
    {"flowbits:isset,a|b; flowbits:set,c;", "packet[flowbits]post[flowbits]"},
    {"flowint:n,+,1; flowint:n,>,3;", "packet[flowint]post[flowint]"},
    {"dsize:10<>20; ttl:>=3; tcp.seq:0x10;", "packet[dsize ..10,20; ttl >=3; tcp.seq ==16]"},
    {"flags:SA+,12; window:!55; fragbits:M+; ipopts:rr;",
     "packet[tcp.flags; tcp.window; fragbits; ipopts]"},
    {"dns.opcode:!0; dns.rrtype:TXT;", "tx[; ]"},
    {"app-layer-event:dns.z_flag_set;", "tx[app-layer-event]"},
    {"filename:\"A.b\"; fileext:\"JPG\";", "file.name[\"a.b\" nocase; \".jpg\" nocase ends]"},
    {"file_data; content:\"a\"; pkt_data; content:\"b\";", "payload[\"b\"]file.data[\"a\"]"},
    {"tcp.hdr; content:\"|00 16|\"; offset:2;", "tcp.hdr[\"\\x00\\x16\" offset=2]"},
    {"tag:session,5,packets; xbits:set,x,track ip_src,expire 10;", "post[tag; xbits]"},
    {"noalert; target:src_ip; priority:2; gid:3; metadata: a b, c;", ""},
};

static const struct {
    const char *rule;
    const char *at;      /* text at the reported place */
    const char *keyword; /* or NULL */
    const char *reason;  /* part of it */
} bad[] = {
    {"alrt tcp any any -> any any (sid:1;)", "alrt", NULL, "not an action"},
    {"alert tpc any any -> any any (sid:1;)", "tpc", NULL, "not a protocol"},
    {"alert tcp any any => any (sid:1;)", "(sid", NULL, "destination port is missing"},
    {"alert tcp any any - any any (sid:1;)", "- any", NULL, "not a direction"},
    {"alert tcp 1.2.3.4/33 any -> any any (sid:1;)", "1.2.3.4/33", NULL, "not an address"},
    {"alert tcp [1.2.3.4,$NO] any -> any any (sid:1;)", "$NO", NULL, "not defined"},
    {"alert tcp [1.1.1.1,!1.1.1.1] any -> any any (sid:1;)", "[1.1", NULL, "no address is left"},
    {"alert tcp any 70000 -> any any (sid:1;)", "70000", NULL, "not a port"},
    {"alert tcp any [80,90:81] -> any any (sid:1;)", "90:81", NULL, "runs backwards"},
    {"alert tcp any !any -> any any (sid:1;)", "any -> any any", NULL, "!any"},
    {"alert tcp any any -> any any sid:1;", "sid:1", NULL, "'(' expected"},
    {"alert tcp any any -> any any (sid:1;", NULL, NULL, "')' expected"},
    {"alert tcp any any -> any any (msg:\"a\"; sid:1)", "sid:1)", "sid", "';' expected"},
    {"alert tcp any any -> any any (contnet:\"a\"; sid:7;)", "contnet", "contnet", "\"content\""},
    {"alert tcp any any -> any any (content:a; sid:1;)", "a; sid", "content", "double quotes"},
    {"alert tcp any any -> any any (content:\"a|4|\"; sid:1;)", "|\"; sid", "content", "one digit"},
    {"alert tcp any any -> any any (content:\"a|4x|\"; sid:1;)", "x|", "content", "hex digit"},
    {"alert tcp any any -> any any (content:\"|41\"; sid:1;)", "\"; sid", "content",
     "'|' expected"},
    {"alert tcp any any -> any any (content:\"\\q\"; sid:1;)", "\\q", "content", "escaped"},
    {"alert tcp any any -> any any (content:\"\"; sid:1;)", "\"; sid", "content", "empty"},
    {"alert tcp any any -> any any (depth:4; sid:1;)", "depth", "depth", "no content"},
    {"alert tcp any any -> any any (content:\"abcd\"; depth:3; sid:1;)", "3;", "depth",
     "less than"},
    {"alert tcp any any -> any any (content:\"abcd\"; within:3; sid:1;)", "3;", "within",
     "less than"},
    {"alert tcp any any -> any any (content:\"a\"; depth:3; within:4; sid:1;)", "within", "within",
     "do not go with"},
    {"alert tcp any any -> any any (content:\"a\"; nocase; nocase; sid:1;)", "nocase; sid",
     "nocase", "twice"},
    {"alert tcp any any -> any any (content:\"a\"; offset:zz; sid:1;)", "zz", "offset", "not set"},
    {"alert tcp any any -> any any (content:\"a\"; nocase:1; sid:1;)", "1; sid", "nocase",
     "no value"},
    {"alert tcp any any -> any any (content; sid:1;)", "content", "content", "value is missing"},
    {"alert tcp any any -> any any (content:\"a\"; fast_pattern; content:\"b\"; fast_pattern; "
     "sid:1;)",
     "fast_pattern; sid", "fast_pattern", "only one"},
    {"alert tcp any any -> any any (content:\"abc\"; fast_pattern:2,2; sid:1;)", "2,2",
     "fast_pattern", "outside"},
    {"alert tcp any any -> any any (pcre:\"/a(/\"; sid:1;)", "/\"; sid", "pcre",
     "expression is wrong"},
    {"alert tcp any any -> any any (pcre:\"/a/k\"; sid:1;)", "k\"", "pcre", "unknown flag"},
    {"alert tcp any any -> any any (pcre:\"a\"; sid:1;)", "a\"; sid", "pcre", "'/' expected"},
    {"alert tcp any any -> any any (file.data; sid:1;)", "file.data", "file.data",
     "has no condition"},
    {"alert tcp any any -> any any (http.uri; http.method; content:\"a\"; sid:1;)", "http.method",
     "http.method", "no condition"},
    {"alert tcp any any -> any any (http.uri; content:\"a\"; dns.query; content:\"b\"; sid:1;)",
     "dns.query", "dns.query", "protocol dns"},
    {"alert http any any -> any any (flow:to_client; http.uri; content:\"a\"; sid:1;)", NULL, NULL,
     "opposite directions"},
    {"alert http any any -> any any (http.uri; content:\"a\"; http.stat_code; content:\"2\"; "
     "sid:1;)",
     NULL, NULL, "opposite directions"},
    {"alert http any any -> any any (http.uri; content:\"a\"; dsize:4; sid:1;)", NULL, NULL,
     "packet keywords"},
    {"alert tcp any any -> any any (content:\"abcd\"; dsize:3; sid:1;)", "abcd", "content",
     "dsize"},
    {"alert tcp any any -> any any (flow:only_stream; dsize:3; sid:1;)", NULL, NULL, "only_stream"},
    {"alert tcp any any -> any any (flow:to_server,to_client; sid:1;)", "to_client", "flow",
     "contradicts"},
    {"alert tcp any any -> any any (flow:sideways; sid:1;)", "sideways", "flow", "not a state"},
    {"alert tcp any any -> any any (msg:\"no sid\";)", NULL, NULL, "sid is missing"},
    {"alert tcp any any -> any any (sid:1; sid:2;)", "sid:2", "sid", "twice"},
    {"alert tcp any any -> any any (sid:0;)", "0;", "sid", "number"},
    {"alert tcp any any -> any any (threshold:type limit, track by_src, count 1; sid:1;)",
     "type limit", "threshold", "seconds"},
    {"alert tcp any any -> any any (threshold:type limit, track by_moon, count 1, seconds 2; "
     "sid:1;)",
     "track by_moon", "threshold", "by_src"},
    {"alert tcp any any -> any any (byte_test:9,>,1,0; sid:1;)", "byte_test", "byte_test",
     "1 to 8"},
    {"alert tcp any any -> any any (byte_test:1,?,1,0; sid:1;)", "?", "byte_test",
     "not a comparison"},
    {"alert tcp any any -> any any (flags:SX; sid:1;)", "X;", "flags", "not a TCP flag"},
    {"alert tcp any any -> any any (ttl:300; sid:1;)", "300", "ttl", "largest"},
    {"alert tcp any any -> any any (dsize:5<>6; sid:1;)", "5<>6", "dsize", "empty"},
    {"alert tcp any any -> any any (lua:x.lua; sid:1;)", "lua", "lua", "not supported"},
    {"alert tcp any any -> any any (base64_data; content:\"a\"; sid:1;)", "base64_data",
     "base64_data", "base64_decode"},
    {"alert dns any any -> any any (app-layer-event:dns.moon; sid:1;)", "moon", "app-layer-event",
     "no event"},
    {"alert tcp any any -> any any (dotprefix; content:\"a\"; sid:1;)", "dotprefix", "dotprefix",
     "sticky buffer"},
};

static void test_good(void)
{
    struct buf b = buf_new(1 << 20), shown = buf_new(1 << 20);
    for (size_t i = 0; i < LEN(good); i++) {
        buf_clear(&b);
        buf_printf(&b, "%s%s sid:%zu;)\n", head, good[i].options, i + 1);
        struct ruleset *rs = rules_parse(buf_cstr(&b));
        CHECK(rs && rs->n_rules == 1);
        if (rs && rs->n_rules == 1)
            CHECK_STR(rule_show(&shown, rs, rs->rules[0]), good[i].form);
        else if (rs && rs->n_diagnostics)
            fprintf(stderr, "%s\n%s\n", good[i].options, rs->diagnostics[0].reason);
        ruleset_release(rs);
    }
    buf_free(&b);
    buf_free(&shown);
}

static void test_bad(void)
{
    struct buf b = buf_new(1 << 20);
    for (size_t i = 0; i < LEN(bad); i++) {
        buf_clear(&b);
        /* a good rule on both sides: one bad rule spoils no other */
        buf_printf(&b,
                   "pass ip any any -> any any (sid:900;)\n%s\npass ip any any -> any any "
                   "(sid:901;)\n",
                   bad[i].rule);
        struct ruleset *rs = rules_parse(buf_cstr(&b));
        CHECK(rs && rs->n_rules == 2 && rs->failed == 1 && rs->active == 3);
        const struct diagnostic *d = NULL;
        for (size_t k = 0; rs && k < rs->n_diagnostics; k++)
            if (!rs->diagnostics[k].warning)
                d = &rs->diagnostics[k];
        CHECK(d != NULL);
        if (d) {
            const char *at = bad[i].at ? strstr(bad[i].rule, bad[i].at) : NULL;
            bool place = d->line == 2 && (!at || d->column == (uint32_t)(at - bad[i].rule) + 1);
            bool keyword = bad[i].keyword ? d->keyword && strcmp(d->keyword, bad[i].keyword) == 0
                                          : !d->keyword;
            CHECK(place);
            CHECK(keyword);
            CHECK(strstr(d->reason, bad[i].reason));
            if (!place || !keyword || !strstr(d->reason, bad[i].reason))
                fprintf(stderr, "%s\n  %u:%u %s: %s\n", bad[i].rule, d->line, d->column,
                        d->keyword ? d->keyword : "-", d->reason);
        }
        ruleset_release(rs);
    }
    buf_free(&b);
}

static struct rule *only_rule(struct ruleset *rs)
{
    static struct rule none;
    CHECK(rs && rs->n_rules == 1);
    return rs && rs->n_rules == 1 ? rs->rules[0] : &none;
}

static void test_header_and_flags(void)
{
    struct ruleset *rs =
        rules_parse("drop http $HOME_NET any <> !10.0.0.0/8 [80,!443,8000:] "
                    "(flow:established,to_server; file.data; content:\"a\"; sid:5; "
                    "rev:3; msg:\"x\\;y\"; classtype:web-application-attack; "
                    "reference:url,a.b/c; reference:cve,2020-1;)\n");
    struct rule *r = only_rule(rs);
    CHECK(r->action == ACTION_DROP && r->sid == 5 && r->rev == 3 && r->gid == 1);
    CHECK(r->flags & RULE_BIDIRECTIONAL && r->flags & RULE_ESTABLISHED &&
          r->flags & RULE_TO_SERVER);
    CHECK(r->flags & RULE_NEEDS_APP && r->app == PROTO_http && r->app_named);
    CHECK(r->ip_proto[0] == 1 << 6 && !r->ip_proto[2]);
    CHECK(r->src && !r->src->any && r->src->n_v4 == 3 && r->src->n_v6 == 0);
    CHECK(r->dst && r->dst->n_v4 == 2 && r->dst->n_v6 == 0);
    CHECK(r->dport && r->dport->n == 2 && r->dport->r[1].first == 8000 &&
          r->dport->r[1].last == 65535);
    CHECK_STR(r->msg, "x;y");
    CHECK_STR(r->class_name, "web-application-attack");
    CHECK(r->priority == 1);
    CHECK(r->n_references == 2);
    CHECK_STR(r->references[0], "https://a.b/c");
    ruleset_release(rs);

    rs = rules_parse("alert tcp any any -> any any (content:\"a\"; depth:4; sid:1;)");
    r = only_rule(rs);
    CHECK(r->flags & RULE_NEEDS_STREAM && r->flags & RULE_NEEDS_PACKET);
    ruleset_release(rs);
    rs = rules_parse("alert tcp any any -> any any (content:\"a\"; sid:1;)");
    r = only_rule(rs);
    CHECK(r->flags & RULE_NEEDS_STREAM && !(r->flags & RULE_NEEDS_PACKET));
    ruleset_release(rs);
    rs = rules_parse("alert tcp-pkt any any -> any any (content:\"a\"; sid:1;)");
    r = only_rule(rs);
    CHECK(!(r->flags & RULE_NEEDS_STREAM) && r->flags & RULE_NEEDS_PACKET && r->tcp_packet_only);
    ruleset_release(rs);
    rs = rules_parse("alert ip 1.2.3.4 any -> any any (sid:1;)");
    CHECK(only_rule(rs)->flags & RULE_IP_ONLY);
    ruleset_release(rs);
    rs = rules_parse("alert smb any any -> any any (smb.share; content:\"a\"; sid:1;)");
    CHECK(only_rule(rs)->app >= APP_FOREIGN);
    CHECK(rs && rs->n_diagnostics == 1 && rs->diagnostics[0].warning);
    ruleset_release(rs);
    rs = rules_parse(
        "alert tcp any any -> any any (requires: version >= 9; nonsense; sid:1;)\n"
        "alert tcp any any -> any any (requires: version >= 7.0.3 < 8 | >= 8.0; sid:2;)");
    CHECK(only_rule(rs)->sid == 2);
    CHECK(rs && rs->skipped == 1 && rs->failed == 0);
    ruleset_release(rs);
}

/* Which content is filtered by: marked, then the better buffer, then the longer. */
static void test_fast(void)
{
    static const struct {
        const char *options, *bytes;
    } cases[] = {
        {"content:\"abc\"; content:\"defgh\";", "defgh"},
        {"content:\"abc\"; fast_pattern; content:\"defgh\";", "abc"},
        {"content:!\"defghi\"; content:\"abc\";", "abc"},
        {"http.method; content:\"OPTIONS\"; http.uri; content:\"/ab\";", "/ab"},
        {"content:\"payload bytes\"; http_header; content:\"/ab\"; http_uri;", "payload bytes"},
        {"content:\"aaaa\"; content:\"a-b|01|\";", "a-b\x01"},
    };
    for (size_t i = 0; i < LEN(cases); i++) {
        char text[512];
        snprintf(text, sizeof(text), "%s%s sid:1;)", head, cases[i].options);
        struct ruleset *rs = rules_parse(text);
        const struct rule *r = only_rule(rs);
        CHECK(r->fast && span_eq(r->fast->bytes, span_str(cases[i].bytes)));
        ruleset_release(rs);
    }
    struct ruleset *rs = rules_parse("alert tcp any any -> any any (pcre:\"/a/\"; sid:1;)");
    CHECK(!only_rule(rs)->fast);
    ruleset_release(rs);
}

int main(void)
{
    test_good();
    test_bad();
    test_header_and_flags();
    test_fast();
    return unit_end();
}
