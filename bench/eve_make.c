/* SPDX-License-Identifier: Apache-2.0 */
/* Makes EVE lines for the store's benchmark: a day of a middling network, the same for the same
 * seed. usage: eve_make COUNT [SEED] [START_EPOCH] [SECONDS] */
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"

#include <stdio.h>

static uint64_t state;

static uint64_t any(void)
{
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static unsigned below(unsigned n)
{
    return (unsigned)(any() % n);
}

/* Few are frequent, many are rare. */
static unsigned skewed(unsigned n)
{
    double u = (double)(any() >> 11) / 9007199254740992.0;
    return (unsigned)((double)n * u * u * u * u);
}

struct flow {
    uint64_t id;
    unsigned client, server, sport, dport;
    const char *proto, *app;
};

static void head(struct buf *b, uint64_t ns, const char *type, const struct flow *f)
{
    char text[CLOCK_TEXT];

    clock_eve(ns, text);
    buf_printf(b,
               "{\"timestamp\":\"%s\",\"flow_id\":%llu,\"in_iface\":\"eth0\",\"event_type\":\"%s\","
               "\"src_ip\":\"10.%u.%u.%u\",\"src_port\":%u,\"dest_ip\":\"%u.%u.%u.%u\","
               "\"dest_port\":%u,\"proto\":\"%s\",\"ip_v\":4,\"pkt_src\":\"wire/pcap\"",
               text, (unsigned long long)f->id, type, f->client >> 8 & 3, f->client & 0xff,
               f->client % 250 + 1, f->sport, f->server % 190 + 20, f->server >> 4 & 0xff,
               f->server * 7 % 251, f->server * 13 % 253 + 1, f->dport, f->proto);
}

static void add_flow(struct buf *b, uint64_t ns, const struct flow *f)
{
    char start[CLOCK_TEXT], end[CLOCK_TEXT];
    unsigned age = skewed(120), up = skewed(400) + 2, down = skewed(900) + 2;

    clock_eve(ns - (uint64_t)age * NS_PER_S, start);
    clock_eve(ns, end);
    head(b, ns, "flow", f);
    buf_printf(b,
               ",\"app_proto\":\"%s\",\"flow\":{\"pkts_toserver\":%u,\"pkts_toclient\":%u,"
               "\"bytes_toserver\":%u,\"bytes_toclient\":%u,\"start\":\"%s\",\"end\":\"%s\","
               "\"age\":%u,\"state\":\"%s\",\"reason\":\"timeout\",\"alerted\":false}",
               f->app, up, down, up * (60 + below(200)), down * (60 + below(1300)), start, end, age,
               below(3) ? "closed" : "established");
    if (f->proto[0] == 'T')
        buf_str(b, ",\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\","
                   "\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}");
    buf_str(b, "}\n");
}

static void add_dns(struct buf *b, uint64_t ns, const struct flow *f)
{
    unsigned name = skewed(60000);
    bool answer = below(2);

    head(b, ns, "dns", f);
    buf_printf(b,
               ",\"dns\":{\"version\":3,\"type\":\"%s\",\"tx_id\":0,\"id\":%u,\"flags\":\"%s\","
               "\"rd\":true,\"opcode\":0,\"rcode\":\"%s\",\"queries\":[{\"rrname\":\"host%u.site%u."
               "example.com\",\"rrtype\":\"%s\"}]",
               answer ? "response" : "request", below(65536), answer ? "8180" : "100",
               below(20) ? "NOERROR" : "NXDOMAIN", name % 97, name, below(3) ? "A" : "AAAA");
    if (answer)
        buf_printf(
            b,
            ",\"answers\":[{\"rrname\":\"host%u.site%u.example.com\",\"rrtype\":\"A\",\"ttl\":"
            "%u,\"rdata\":\"%u.%u.%u.%u\"}]",
            name % 97, name, below(3600), name % 200 + 1, name >> 8 & 255, name & 255, 7u);
    buf_str(b, "}}\n");
}

static void add_http(struct buf *b, uint64_t ns, const struct flow *f)
{
    static const char *const agents[] = {
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/126.0.0.0 Safari/537.36"),
        "curl/7.88.1", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "python-requests/2.32.3"};
    unsigned site = skewed(3000);

    head(b, ns, "http", f);
    buf_printf(b,
               ",\"tx_id\":%u,\"http\":{\"hostname\":\"www.site%u.example.com\",\"url\":\"/path%u/"
               "item%u?id=%u\",\"http_user_agent\":\"%s\",\"http_content_type\":\"text/html\","
               "\"http_method\":\"%s\",\"protocol\":\"HTTP/1.1\",\"status\":%u,\"length\":%u}}\n",
               below(4), site, site % 31, skewed(5000), below(100000), agents[below(4)],
               below(8) ? "GET" : "POST", below(12) ? 200 : 404, skewed(200000));
}

static void add_tls(struct buf *b, uint64_t ns, const struct flow *f)
{
    unsigned site = skewed(5000), client = below(40);

    head(b, ns, "tls", f);
    buf_printf(
        b,
        ",\"tls\":{\"sni\":\"api%u.site%u.example.org\",\"version\":\"TLS 1.3\",\"ja3\":{"
        "\"hash\":\"%016llx%016llx\",\"string\":\"771,4865-4866-4867,0-23-65281,29-23-24,0\"},"
        "\"ja3s\":{\"hash\":\"%016llx%016llx\",\"string\":\"771,4865,43-51\"},"
        "\"ja4\":\"t13d1516h2_8daaf6152771_%012x\"}}\n",
        site % 7, site, (unsigned long long)hash_mix(client + 1),
        (unsigned long long)hash_mix(client + 77), (unsigned long long)hash_mix(site % 50 + 5),
        (unsigned long long)hash_mix(site % 50 + 9), client);
}

static void add_alert(struct buf *b, uint64_t ns, const struct flow *f)
{
    unsigned sid = skewed(900), severity = sid % 3 + 1;

    head(b, ns, "alert", f);
    buf_printf(
        b,
        ",\"app_proto\":\"%s\",\"direction\":\"to_server\",\"alert\":{\"action\":\"allowed\","
        "\"gid\":1,\"signature_id\":%u,\"rev\":%u,\"signature\":\"ET TEST signature number %u "
        "of the benchmark\",\"category\":\"%s\",\"severity\":%u,\"metadata\":{"
        "\"signature_severity\":[\"%s\"],\"mitre_technique_id\":[\"T1%03u\"]}},\"flow\":{"
        "\"pkts_toserver\":%u,\"pkts_toclient\":%u,\"bytes_toserver\":%u,\"bytes_toclient\":"
        "%u}}\n",
        f->app, 2000000 + sid, sid % 5 + 1, sid,
        severity == 1 ? "A Network Trojan was detected" : "Potentially Bad Traffic", severity,
        sid % 9 ? "Major" : "Critical", sid % 200, skewed(30), skewed(30), skewed(5000),
        skewed(90000));
}

static void add_fileinfo(struct buf *b, uint64_t ns, const struct flow *f)
{
    head(b, ns, "fileinfo", f);
    buf_printf(b,
               ",\"app_proto\":\"http\",\"fileinfo\":{\"filename\":\"/files/doc%u.bin\",\"state\":"
               "\"CLOSED\",\"sha256\":\"%016llx%016llx%016llx%016llx\",\"size\":%u,\"tx_id\":0}}\n",
               skewed(90000), (unsigned long long)any(), (unsigned long long)any(),
               (unsigned long long)any(), (unsigned long long)any(), skewed(3000000));
}

static void add(struct buf *b, uint64_t ns)
{
    static struct flow flows[4096];
    unsigned kind = below(1000);
    struct flow *f = &flows[below(4096)];

    /* Events of one flow share its number; a flow event ends it. */
    if (!f->id) {
        f->id = any() >> 11;
        f->client = skewed(1024);
        f->server = skewed(4000);
        f->sport = 1024 + below(64000);
    }
    f->proto = "TCP";
    f->app = "tls";
    f->dport = 443;
    if (kind < 250 || kind % 5 == 0) {
        f->proto = "UDP";
        f->app = "dns";
        f->dport = 53;
    } else if (kind < 420) {
        f->app = "http";
        f->dport = 80;
    }
    if (kind < 250)
        add_dns(b, ns, f);
    else if (kind < 370)
        add_http(b, ns, f);
    else if (kind < 500)
        add_tls(b, ns, f);
    else if (kind < 540)
        add_alert(b, ns, f);
    else if (kind < 560)
        add_fileinfo(b, ns, f);
    else {
        add_flow(b, ns, f);
        f->id = 0;
    }
}

int main(int argc, char **argv)
{
    uint64_t count, seed = 1, start = 1770000000, seconds = 86400;
    struct buf b = buf_new(4 << 20);

    if (argc < 2 || !span_u64(span_str(argv[1]), &count) ||
        (argc > 2 && !span_u64(span_str(argv[2]), &seed)) ||
        (argc > 3 && !span_u64(span_str(argv[3]), &start)) ||
        (argc > 4 && !span_u64(span_str(argv[4]), &seconds)))
        return 2;
    state = seed;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t ns =
            start * NS_PER_S + (uint64_t)((double)i / (double)count * (double)seconds * 1e9);
        add(&b, ns / 1000 * 1000 + below(1000) * 1000);
        if (b.n > 1 << 20 || i + 1 == count) {
            fwrite(b.p, 1, b.n, stdout);
            buf_clear(&b);
        }
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
