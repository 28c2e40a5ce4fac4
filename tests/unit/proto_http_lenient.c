/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP as servers and browsers take it, not as it is written down: odd request lines, targets,
 * headers, chunk lengths, encodings and lengths. Each form is a row: what is sent, where to look,
 * what is seen there and which anomalies are named. */
#include "http_unit.h"

#include <lzma.h>
#include <zlib.h>

#define GET     "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK      "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

struct row {
    const char *request, *response; /* response NULL: none */
    enum dir dir;
    const char *buffer, *want, *anomalies;
};

static const struct row lines[] = {
    {"GET  /a\tHTTP/1.1\r\nHost: h\r\n\r\n", NULL, DIR_TS, "http.uri", "/a",
     "uri_delim_non_compliant"},
    {"GET\t/a HTTP/1.1\r\nHost: h\r\n\r\n", NULL, DIR_TS, "http.uri", "/a",
     "method_delim_non_compliant"},
    {"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", NULL, DIR_TS, "http.protocol", "b HTTP/1.1", ""},
    {"GET /a HTTP / 01.1\nHost: h\n\n", NULL, DIR_TS, "http.protocol", "HTTP / 01.1",
     "protocol_contains_extra_data"},
    {"GET /a\r\n", NULL, DIR_TS, "http.uri", "/a", ""},
    {"GET /a\r\nHost: h\r\n\r\n", NULL, DIR_TS, "http.host", "h", "request_line_missing_protocol"},
    {"GET /a HTTP/1.1\r\n\r\n", NULL, DIR_TS, "http.uri", "/a", "missing_host_header"},
    {"GET http://u:p@EX.com.:81/p HTTP/1.1\r\nHost: other\r\n\r\n", NULL, DIR_TS, "http.host",
     "ex.com", "host_header_ambiguous"},
    {"GET http://a..b/ HTTP/1.0\r\n\r\n", NULL, DIR_TS, "http.uri", "/",
     "request_uri_host_invalid request_uri_host_invalid"},
    {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", NULL, DIR_TS, "http.host", "[::1]", ""},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", NULL, DIR_TS, "http.host", "a b",
     "request_header_host_invalid"},
    {"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Kerberos x\r\n\r\n", NULL, DIR_TS, "http.uri",
     "/", "request_auth_unrecognized"},
};

static const struct row targets[] = {
    {"GET /%41%2e%2e/%2E/b HTTP/1.1\r\nHost: h\r\n\r\n", NULL, DIR_TS, "http.uri", "/A../b", ""},
    {"GET /a/b/../../../c/. HTTP/1.1\r\nHost: h\r\n\r\n", NULL, DIR_TS, "http.uri", "/c", ""},
    {"GET /a%5cb\\c//d HTTP/1.1\r\nHost: h\r\n\r\n", NULL, DIR_TS, "http.uri", "/a/b/c/d", ""},
    {"GET /%u0041%uff0fb%u00zz HTTP/1.1\r\nHost: h\r\n\r\n", NULL, DIR_TS, "http.uri", "/A/b%u00zz",
     ""},
    {"GET /%c0%af%e2%82%ac HTTP/1.1\r\nHost: h\r\n\r\n", NULL, DIR_TS, "http.uri", "//?", ""},
    {"GET /a%zz%4?q=%41+b%2f HTTP/1.1\r\nHost: h\r\n\r\n", NULL, DIR_TS, "http.uri",
     "/a%zz%4?q=A+b/", ""},
    {"GET /A%00B#f HTTP/1.1\r\nHost: h\r\n\r\n", NULL, DIR_TS, "http.uri", "/A\\x00B#f", ""},
};

static const struct row fields[] = {
    {"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\tc\r\n\r\n", NULL, DIR_TS, "http.header",
     "Host: h\\r\\nX: a b\\x09c\\r\\n", ""},
    {"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\nX: b\r\nx: c\r\n\r\n", NULL, DIR_TS, "http.header",
     "Host: h\\r\\nX: a, b, c\\r\\n", "request_header_repetition"},
    {"GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", NULL, DIR_TS, "http.header",
     "Host: h\\r\\n: no colon\\r\\n", "request_field_missing_colon"},
    {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", NULL, DIR_TS, "http.host", "h",
     "request_header_invalid"},
    {"GET / HTTP/1.1\r\nHost: h\r\nA(b: c\r\n\r\n", NULL, DIR_TS, "http.host", "h",
     "request_header_invalid"},
    {"GET / HTTP/1.1\nHost: h\nX: y\n\n", NULL, DIR_TS, "http.header", "Host: h\\r\\nX: y\\r\\n",
     ""},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", NULL, DIR_TS,
     "http.content_len", "1",
     "duplicate_content_length_field_in_request request_header_repetition"},
    {GET, OK "A: b\rC: d\r\n\r\n", DIR_TC, "http.header", "A: b\\r\\nC: d\\r\\n", ""},
    {GET, OK "A: b\n\rC: d\n\r\n", DIR_TC, "http.header", "A: b\\r\\nC: d\\r\\n", ""},
    {GET, OK "A: b\r\n C: d\r\n\r\n", DIR_TC, "http.header", "A: b\\r\\nC: d\\r\\n", ""},
    {GET, OK "A: b\r\n c\r\n\r\n", DIR_TC, "http.header", "A: b c\\r\\n", ""},
    {GET, OK "A b\r\n\r\n", DIR_TC, "http.header", ": A b\\r\\n", "response_field_missing_colon"},
};

static const struct row bodies[] = {
    {GET, CHUNKED "5\r\nabcde\r\n0\r\n\r\n", DIR_TC, "file.data", "abcde", ""},
    {GET, CHUNKED "  5 \t\r\nabcde\r\n0\r\n\r\n", DIR_TC, "file.data", "abcde", ""},
    {GET, CHUNKED "005\nabcde\n00\n\n", DIR_TC, "file.data", "abcde", ""},
    {GET, CHUNKED "\r\n5\r\nabcde\r\n0\r\n\r\n", DIR_TC, "file.data", "abcde", ""},
    {GET, CHUNKED "5;x=y\r\nabcde\r\n0\r\n\r\n", DIR_TC, "file.data", "abcde",
     "response_chunk_extension"},
    {GET, CHUNKED "5junk\r\nabcde\r\n0\r\n\r\n", DIR_TC, "file.data", "abcde", ""},
    {GET, CHUNKED "0x5\r\nabcde\r\n0\r\n\r\n", DIR_TC, "http.stat_code", "200",
     "response_field_missing_colon response_header_repetition"},
    {GET, CHUNKED "-5\r\nabcde", DIR_TC, "file.data", "-5\\r\\nabcde",
     "invalid_response_chunk_len"},
    {GET, CHUNKED "zz\r\nabcde", DIR_TC, "file.data", "zz\\r\\nabcde",
     "invalid_response_chunk_len"},
    {GET, OK "Transfer-Encoding: x, CHUNKED\r\n\r\n2\r\nab\r\n0\r\n\r\n", DIR_TC, "file.data", "ab",
     "response_abnormal_transfer_encoding"},
    {GET, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", DIR_TC,
     "file.data", "ab", "response_chunked_old_proto"},
    {GET, OK "Content-Length: +2\r\n\r\nab", DIR_TC, "file.data", "ab",
     "content_length_extra_data_start"},
    {GET, OK "Content-Length: 2, 2\r\n\r\nab", DIR_TC, "file.data", "ab",
     "content_length_extra_data_end"},
    {GET, "HTTP/1.1 204 none\r\nContent-Length: 2\r\n\r\nab", DIR_TC, "file.data", "ab",
     "response_body_unexpected"},
    {GET, "junk\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", DIR_TC, "file.data", "ab", ""},
    {GET, "HTTP/1.1 100 c\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nC: d\r\nContent-Length: 0\r\n\r\n",
     DIR_TC, "http.header", "C: d\\r\\nContent-Length: 0\\r\\n", ""},
    {GET, "ICY 200 OK\r\nA: b", DIR_TC, "file.data", "ICY 200 OK\\r\\nA: b", ""},
    {GET, "HTTP/1.1 abc OK\r\n\r\nx", DIR_TC, "http.stat_code", "abc", "response_invalid_status"},
};

static void one(const struct row *row, bool bytes)
{
    struct http_flow f;

    flow_begin(&f);
    if (bytes)
        feed_bytes(&f, DIR_TS, span_str(row->request));
    else
        feed(&f, DIR_TS, row->request);
    if (row->response && bytes)
        feed_bytes(&f, DIR_TC, span_str(row->response));
    else if (row->response)
        feed(&f, DIR_TC, row->response);
    if (!bytes)
        CHECK_STR(anomalies(&f, 0), row->anomalies);
    flow_eof(&f);
    CHECK_STR(look(&f, 0, row->dir, row->buffer), row->want);
    flow_end(&f);
}

static void rows(const struct row *r, size_t n, bool bytes)
{
    for (size_t i = 0; i < n; i++) {
        unsigned failed = unit_failed;
        one(&r[i], false);
        if (bytes)
            one(&r[i], true);
        if (unit_failed != failed)
            fprintf(stderr, "  in %s|%s\n", r[i].request, r[i].response ? r[i].response : "");
    }
}

/* Deflates text with a window size of zlib's (negative: raw, above 15: gzip). */
static struct span deflated(struct span s, int bits)
{
    static uint8_t out[3][4096];
    static unsigned turn;
    z_stream z = {0};

    turn = (turn + 1) % 3;
    CHECK(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, 0) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)s.p;
    z.avail_in = (uInt)s.n;
    z.next_out = out[turn];
    z.avail_out = sizeof(out[turn]);
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&z);
    return span_of(out[turn], sizeof(out[turn]) - z.avail_out);
}

/* LZMA as `xz --format=lzma` makes it: with a window far larger than the content, and no length. */
static struct span lzma_packed(struct span s)
{
    static uint8_t out[4096];
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_options_lzma how;

    CHECK(!lzma_lzma_preset(&how, 6));
    CHECK(lzma_alone_encoder(&z, &how) == LZMA_OK);
    z.next_in = s.p;
    z.avail_in = s.n;
    z.next_out = out;
    z.avail_out = sizeof(out);
    CHECK(lzma_code(&z, LZMA_FINISH) == LZMA_STREAM_END);
    size_t n = sizeof(out) - z.avail_out;
    lzma_end(&z);
    return span_of(out, n);
}

static uint8_t lzma_layers; /* what the next flow's configuration undoes */

static void encoded(const char *header, struct span body, const char *want, const char *anomaly)
{
    for (unsigned k = 0; k < 2; k++) {
        struct http_flow f;
        flow_begin(&f);
        f.conf.http.lzma_layers = lzma_layers;
        feed(&f, DIR_TS, GET);
        feed(&f, DIR_TC, OK "Content-Encoding: ");
        feed(&f, DIR_TC, header);
        feed(&f, DIR_TC, "\r\n\r\n");
        CHECK_STR(anomalies(&f, 0), anomaly);
        if (k)
            feed_bytes(&f, DIR_TC, body);
        else
            feed_span(&f, DIR_TC, body);
        flow_eof(&f);
        CHECK_STR(look(&f, 0, DIR_TC, "file.data"), want);
        flow_end(&f);
    }
}

static struct span without(struct span s, size_t n)
{
    return span_cut(s, 0, s.n - n);
}

static void encodings(void)
{
    const char *text = "hello hello hello hello";
    struct span t = span_str(text);

    encoded("gzip", deflated(t, 31), text, "");
    encoded("GZIP", without(deflated(t, 31), 8), text, "");
    encoded("deflate", deflated(t, -15), text, "");
    encoded("deflate", deflated(t, 15), text, "");
    encoded("gzip", deflated(t, -15), text, "");
    encoded("deflate", deflated(t, 31), text, "");
    encoded("gzip, deflate", deflated(deflated(t, 31), -15), text, "");
    encoded("xgzip x", deflated(t, 31), text, "abnormal_ce_header abnormal_ce_header");
    encoded("identity", t, text, "");
    encoded("gzip,gzip,gzip", deflated(deflated(t, 31), 31), text, "too_many_encoding_layers");
    encoded("br", span_of("\x0b\x02\x80hello\x03", 9), "hello", "");
}

static void lzma(void)
{
    const char *text = "hello hello hello hello";
    struct span t = span_str(text), packed = lzma_packed(t);

    /* Off, as Suricata ships it: the body is shown as it came. */
    lzma_layers = 0;
    encoded("lzma", t, text, "");
    encoded("gzip, lzma", deflated(t, 31), text, "response_too_many_lzma_layers");
    lzma_layers = 1;
    encoded("lzma", packed, text, "");
    encoded("lzma", without(packed, 5), text, "");
    encoded("lzma, gzip", deflated(packed, 31), text, "");
    encoded("lzma,lzma", packed, text, "response_too_many_lzma_layers");
    const char *alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    encoded("lzma", deflated(span_str(alphabet), -15), alphabet, "");
    lzma_layers = 0;
}

/* Content that looks back further than the configured window is not undone, and that is said. */
static void lzma_window(void)
{
    enum { BYTES = 64 << 10, WINDOW = 4096 };
    static uint8_t plain[BYTES], out[2 * BYTES];
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_options_lzma how;
    struct http_flow f;
    uint32_t x = 1;

    for (size_t i = 0; i < BYTES / 2; i++) {
        x = x * 1664525 + 1013904223;
        plain[i] = plain[i + BYTES / 2] = (uint8_t)(x >> 24);
    }
    CHECK(!lzma_lzma_preset(&how, 6));
    CHECK(lzma_alone_encoder(&z, &how) == LZMA_OK);
    z.next_in = plain;
    z.avail_in = BYTES;
    z.next_out = out;
    z.avail_out = sizeof(out);
    CHECK(lzma_code(&z, LZMA_FINISH) == LZMA_STREAM_END);
    flow_begin(&f);
    f.conf.http.lzma_layers = 1;
    f.conf.http.lzma_memlimit = WINDOW;
    feed(&f, DIR_TS, GET);
    feed(&f, DIR_TC, OK "Content-Encoding: lzma\r\n\r\n");
    feed_span(&f, DIR_TC, span_of(out, sizeof(out) - z.avail_out));
    CHECK_STR(anomalies(&f, 0), "lzma_memlimit_reached");
    CHECK(f.app.first->files[DIR_TC] && f.app.first->files[DIR_TC]->size == BYTES / 2);
    lzma_end(&z);
    flow_end(&f);
}

/* A bomb costs the body's limit, whatever it would unpack to. */
static void bomb(void)
{
    enum { ZEROS = 1 << 20 };
    static uint8_t zeros[ZEROS];
    static uint8_t packed[4096];
    z_stream z = {0};
    struct http_flow f;

    CHECK(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, 0) == Z_OK);
    z.next_in = zeros;
    z.avail_in = sizeof(zeros);
    z.next_out = packed;
    z.avail_out = sizeof(packed);
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    size_t n = sizeof(packed) - z.avail_out;
    deflateEnd(&z);
    flow_begin(&f);
    feed(&f, DIR_TS, GET);
    feed(&f, DIR_TC, OK "Content-Encoding: gzip\r\n\r\n");
    feed_span(&f, DIR_TC, span_of(packed, n));
    flow_eof(&f);
    const struct file *file = f.app.first->files[DIR_TC];
    CHECK(file && file->size == 100 << 10 && file->state == FILE_TRUNCATED);
    CHECK(f.pool.peak_bytes < 1 << 20);
    flow_end(&f);
}

/* Lines and headers without end stop at their limit, and are not looked at again and again. */
static void ceilings(void)
{
    struct http_flow f;
    static char a[20000];

    memset(a, 'a', sizeof(a) - 1);
    flow_begin(&f);
    feed(&f, DIR_TS, "GET /");
    feed(&f, DIR_TS, a);
    CHECK(f.app.parser_off);
    CHECK_STR(anomalies(&f, 0), "request_field_too_long");
    flow_end(&f);
    flow_begin(&f);
    feed(&f, DIR_TS, GET);
    feed(&f, DIR_TC, OK);
    for (unsigned i = 0; i < 1100 && !f.app.parser_off; i++) {
        char line[32];
        snprintf(line, sizeof(line), "H%u: x\r\n", i);
        feed(&f, DIR_TC, line);
    }
    CHECK(f.app.parser_off);
    CHECK_STR(anomalies(&f, 0), "response_too_many_headers");
    flow_end(&f);
}

int main(void)
{
    rows(lines, sizeof(lines) / sizeof(lines[0]), false);
    rows(targets, sizeof(targets) / sizeof(targets[0]), true);
    rows(fields, sizeof(fields) / sizeof(fields[0]), true);
    rows(bodies, sizeof(bodies) / sizeof(bodies[0]), false);
    encodings();
    lzma();
    lzma_window();
    bomb();
    ceilings();
    return unit_end();
}
