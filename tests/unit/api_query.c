/* SPDX-License-Identifier: Apache-2.0 */
/* The query language: what parses, where mistakes are reported, what matches which event. */
#include "api/match.h"
#include "api/query.h"
#include "api/timespec.h"
#include "base/clock.h"

#include "unit.h"

static const char *const event_text =
    "{\"timestamp\":\"2026-01-31T12:00:00.000000+0000\",\"flow_id\":12,\"event_type\":\"alert\","
    "\"src_ip\":\"10.1.2.3\",\"src_port\":4711,\"dest_ip\":\"2001:0db8:0000:0000:0000:0000:0000:"
    "0001\",\"dest_port\":443,\"proto\":\"TCP\",\"alert\":{\"signature_id\":2000,\"signature\":"
    "\"ET SCAN Nmap\",\"severity\":2,\"metadata\":{\"cve\":[\"CVE_2021_44228\"]}},\"dns\":{"
    "\"queries\":[{\"rrname\":\"a.example\",\"rrtype\":\"A\"},{\"rrname\":\"b.example\"}]},"
    "\"tls\":{\"session_resumed\":true},\"http\":{\"url\":\"/a\\\"b\",\"status\":404}}";

static bool matches(const char *q)
{
    struct match *m = NULL;
    struct query_error error;
    if (!match_compile(span_str(q), 1800000000 * (uint64_t)NS_PER_S, &m, &error)) {
        fprintf(stderr, "%s: %u: %s\n", q, error.position, error.text);
        return false;
    }
    bool good = match_line(m, span_str(event_text));
    match_free(m);
    return good;
}

static int mistake_at(const char *q)
{
    struct match *m = NULL;
    struct query_error error;
    if (match_compile(span_str(q), 0, &m, &error)) {
        match_free(m);
        return -1;
    }
    return error.text[0] ? (int)error.position : -2;
}

static void hits(void)
{
    static const char *const yes[] = {
        "",
        "*",
        "nmap",
        "\"ET SCAN\"",
        "event_type:alert",
        "type:ALERT",
        "proto:tcp",
        "src_ip:10.1.2.3",
        "src_ip:10.0.0.0/8",
        "src_ip:10.*",
        "ip:10.1.2.3",
        "ip:2001:db8::1",
        "dest_ip:2001:db8::/32",
        "port:443",
        "port:4711",
        "sid:2000",
        "sid:>1999",
        "sid:>=2000",
        "sid:<=2000",
        "alert.severity:[1 TO 2]",
        "alert.severity:[2 TO *]",
        "alert.signature:*nmap",
        "signature:\"ET SCAN Nmap\"",
        "-sid:2001",
        "NOT dns.rcode:*",
        "alert.metadata.cve:CVE_2021_44228",
        "alert.metadata.cve:*",
        "dns.queries.rrname:b.example",
        "dns.queries.rrname:*.EXAMPLE",
        "tls.session_resumed:true",
        "http:*",
        "http.url:\"/a\\\"b\"",
        "http.status:(200 OR 404)",
        "(sid:1 OR sid:2000) proto:TCP",
        "sid:1 OR sid:2000 AND nmap",
        "timestamp:>2026-01-31",
        "timestamp:[2026-01-31T11:00:00Z TO 2026-01-31T13:00:00Z]",
        "src_ip:[10.1.0.0 TO 10.1.9.9]",
        "-(sid:1 sid:2)",
    };
    static const char *const no[] = {
        "absent",
        "event_type:dns",
        "src_ip:10.1.2.4",
        "src_ip:11.0.0.0/8",
        "port:80",
        "sid:<2000",
        "-sid:2000",
        "-nmap",
        "dns.rcode:*",
        "dns.queries.rrname:c",
        "http.url:/a",
        "tls.session_resumed:false",
        "sid:1 OR sid:2",
        "alert.metadata.x:*",
        "-(nmap)",
        "http.status:(200 OR 500)",
        "src_ip:2001:db8::1",
        "timestamp:<2026-01-31",
        "alert.severity:[3 TO 4]",
    };
    for (size_t i = 0; i < LEN(yes); i++) {
        if (!matches(yes[i]))
            fprintf(stderr, "does not match: %s\n", yes[i]);
        CHECK(matches(yes[i]));
    }
    for (size_t i = 0; i < LEN(no); i++) {
        if (matches(no[i]))
            fprintf(stderr, "matches: %s\n", no[i]);
        CHECK(!matches(no[i]));
    }
}

static void mistakes(void)
{
    static const struct {
        const char *q;
        int at;
    } bad[] = {
        {"nmap nofield:1", 5},
        {"a (b", 2},
        {"a )", 2},
        {"\"open", 0},
        {"sid:abc", 4},
        {"sid:", 4},
        {"src_ip:300.1.1.1", 7},
        {"src_ip:10.0.0.0/33", 7},
        {"signature:>5", 10},
        {"signature:[a TO b]", 10},
        {"sid:[1 2]", 7},
        {"sid:[1 TO 2", 4},
        {"tls.session_resumed:maybe", 20},
        {"http:x", 5},
        {"OR a", 0},
        {"a OR", 4},
        {"a AND OR b", 6},
        {"sid:()", 4},
        {"sid:(1 OR", 9},
        {"timestamp:>yesterday", 11},
        {"((((((((((((((((((a))))))))))))))))))", 16},
    };
    for (size_t i = 0; i < LEN(bad); i++) {
        int at = mistake_at(bad[i].q);
        if (at != bad[i].at)
            fprintf(stderr, "%s: mistake at %d, want %d\n", bad[i].q, at, bad[i].at);
        CHECK(at == bad[i].at);
    }
    struct match *m;
    struct query_error error;
    CHECK(!match_compile(SPAN("hostname:x"), 0, &m, &error));
    CHECK(strstr(error.text, "http.hostname") != NULL);
    CHECK(!match_compile(SPAN("src_pi:10.0.0.1"), 0, &m, &error));
    CHECK(strstr(error.text, "did you mean src_ip") != NULL);
    char many[QUERY_MAX_BYTES + 2];
    memset(many, 'a', sizeof(many));
    CHECK(!match_compile(span_of(many, sizeof(many)), 0, &m, &error));
    for (size_t i = 0; i < QUERY_MAX_BYTES; i += 2)
        memcpy(many + i, "a ", 2);
    CHECK(!match_compile(span_of(many, QUERY_MAX_BYTES), 0, &m, &error));
}

static void text_is_text(void)
{
    CHECK(!matches("http://example/x")); /* free text, not a field */
    CHECK(!matches("fe80::1"));
    CHECK(mistake_at("http://example/x") == -1);
    CHECK(mistake_at("fe80::1") == -1);
    CHECK(mistake_at("10.0.0.1:80") == -1);
    CHECK(mistake_at("a - b") == -1);
}

static void times(void)
{
    uint64_t now = 1769860800 * (uint64_t)NS_PER_S, ns;
    CHECK(timespec_parse(SPAN("now"), now, &ns) && ns == now);
    CHECK(timespec_parse(SPAN("now-15m"), now, &ns) && now - ns == 900 * (uint64_t)NS_PER_S);
    CHECK(timespec_parse(SPAN("now-7d"), now, &ns) && now - ns == 604800 * (uint64_t)NS_PER_S);
    CHECK(timespec_parse(SPAN("2026-01-31T12:00:00Z"), 0, &ns) && ns == now);
    CHECK(timespec_parse(SPAN("2026-01-31T20:00:00+08:00"), 0, &ns) && ns == now);
    CHECK(timespec_parse(SPAN("now-999999w"), now, &ns) && ns == 0);
    CHECK(!timespec_parse(SPAN("now-"), now, &ns));
    CHECK(!timespec_parse(SPAN("now+1h"), now, &ns));
    CHECK(!timespec_parse(SPAN("now-1y"), now, &ns));
    CHECK(!timespec_parse(SPAN("tomorrow"), now, &ns));
    CHECK(!timespec_parse(SPAN(""), now, &ns));
    CHECK(!timespec_parse(SPAN("9999-01-01T00:00:00Z"), now, &ns));
}

static void globs(void)
{
    CHECK(query_glob(SPAN("*"), SPAN("")));
    CHECK(query_glob(SPAN("a*c"), SPAN("abbc")));
    CHECK(query_glob(SPAN("A?C"), SPAN("abc")));
    CHECK(query_glob(SPAN("*ab*ab"), SPAN("xxabyyabzab")));
    CHECK(!query_glob(SPAN("a*c"), SPAN("abbd")));
    CHECK(!query_glob(SPAN("?"), SPAN("")));
    CHECK(!query_glob(SPAN("abc"), SPAN("abcd")));
}

int main(void)
{
    hits();
    mistakes();
    text_is_text();
    times();
    globs();
    return unit_end();
}
