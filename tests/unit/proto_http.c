/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.x: ordinary requests and responses, whole and a byte at a time; buffers, events, files,
 * pipelining, bodies by length, in chunks and to the end of the connection. */
#include "http_unit.h"

static const char get[] = "GET /a/../b%20c?x=%41 HTTP/1.1\r\nHost: Example.COM:8080\r\n"
                          "User-Agent: ua\r\nCookie: k=v\r\n\r\n";
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=x\r\n"
                             "Content-Length: 5\r\nSet-Cookie: s=1\r\n\r\nhello";

static void check_exchange(struct http_flow *f)
{
    CHECK_STR(logged(f, 0), "{\"http\":{\"hostname\":\"example.com\",\"http_port\":8080,"
                            "\"url\":\"/a/../b%20c?x=%41\",\"http_user_agent\":\"ua\","
                            "\"http_content_type\":\"text/html\",\"http_method\":\"GET\","
                            "\"protocol\":\"HTTP/1.1\",\"status\":200,\"length\":5}}");
    CHECK_STR(look(f, 0, DIR_TS, "http.uri"), "/b c?x=A");
    CHECK_STR(look(f, 0, DIR_TS, "http.uri.raw"), "/a/../b%20c?x=%41");
    CHECK_STR(look(f, 0, DIR_TS, "http.method"), "GET");
    CHECK_STR(look(f, 0, DIR_TS, "http.host"), "example.com");
    CHECK_STR(look(f, 0, DIR_TS, "http.host.raw"), "Example.COM:8080");
    CHECK_STR(look(f, 0, DIR_TS, "http.cookie"), "k=v");
    CHECK_STR(look(f, 0, DIR_TC, "http.cookie"), "s=1");
    CHECK_STR(look(f, 0, DIR_TS, "http.header"),
              "Host: Example.COM:8080\\r\\nUser-Agent: ua\\r\\n");
    CHECK_STR(look(f, 0, DIR_TS, "http.header_names"),
              "\\r\\nHost\\r\\nUser-Agent\\r\\nCookie\\r\\n\\r\\n");
    CHECK_STR(look(f, 0, DIR_TS, "http.header.raw"),
              "Host: Example.COM:8080\\r\\nUser-Agent: ua\\r\\nCookie: k=v\\r\\n\\r\\n");
    CHECK_STR(look(f, 0, DIR_TC, "http.stat_code"), "200");
    CHECK_STR(look(f, 0, DIR_TC, "http.stat_msg"), "OK");
    CHECK_STR(look(f, 0, DIR_TC, "http.response_line"), "HTTP/1.1 200 OK");
    CHECK_STR(look(f, 0, DIR_TS, "http.request_line"), "GET /a/../b%20c?x=%41 HTTP/1.1");
    CHECK_STR(look(f, 0, DIR_TC, "file.data"), "hello");
    CHECK_STR(look(f, 0, DIR_TC, "http.response_header"), "Content-Type: text/html; charset=x");
    CHECK_STR(look(f, 0, DIR_TC, "file.name"), "/b c");
    CHECK_STR(anomalies(f, 0), "");
    CHECK(tx_done(&f->app, f->app.first, DIR_TS) && tx_done(&f->app, f->app.first, DIR_TC));
    const struct file *file = f->app.first->files[DIR_TC];
    CHECK(file && file->state == FILE_CLOSED && file->size == 5 && file->has_md5);
    CHECK(file &&
          memcmp(file->md5, "\x5d\x41\x40\x2a\xbc\x4b\x2a\x76\xb9\x71\x9d\x91\x10\x17\xc5\x92",
                 16) == 0);
}

static void exchange(void)
{
    struct http_flow f;

    flow_begin(&f);
    feed(&f, DIR_TS, get);
    feed(&f, DIR_TC, answer);
    check_exchange(&f);
    flow_end(&f);
    flow_begin(&f);
    feed_bytes(&f, DIR_TS, span_str(get));
    feed_bytes(&f, DIR_TC, span_str(answer));
    check_exchange(&f);
    flow_end(&f);
}

static void pipelined(void)
{
    struct http_flow f;

    flow_begin(&f);
    feed(&f, DIR_TS,
         "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /3 "
         "HTTP/1.1\r\nHost: a\r\n\r\n");
    feed(&f, DIR_TC,
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;e=1\r\nde\r\n0\r\nT: "
         "1\r\n\r\n"
         "HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
    CHECK(f.app.next_tx_id == 3);
    CHECK_STR(look(&f, 0, DIR_TC, "http.response_body"), "abcde");
    /* the chunk ended with the third response */
    CHECK_STR(anomalies(&f, 2), "response_chunk_extension");
    for (unsigned i = 0; i < 3; i++)
        CHECK(nth_tx(&f, i) && tx_done(&f.app, nth_tx(&f, i), DIR_TC));
    CHECK(nth_tx(&f, 2) && !nth_tx(&f, 2)->files[DIR_TC]);
    flow_end(&f);
}

static void until_close(void)
{
    struct http_flow f;

    flow_begin(&f);
    feed(&f, DIR_TS, "GET /x HTTP/1.0\r\n\r\n");
    feed(&f, DIR_TC, "HTTP/1.0 200 OK\r\n\r\nsome");
    feed(&f, DIR_TC, " more");
    CHECK(!tx_done(&f.app, f.app.first, DIR_TC));
    flow_eof(&f);
    CHECK(tx_done(&f.app, f.app.first, DIR_TC));
    CHECK_STR(look(&f, 0, DIR_TC, "file.data"), "some more");
    flow_end(&f);
}

static void gaps(void)
{
    struct http_flow f;

    flow_begin(&f);
    feed(&f, DIR_TS, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    feed(&f, DIR_TC, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234");
    app_gap(&f.app, DIR_TC, 10);
    feed(&f, DIR_TC, "56789");
    const struct file *file = f.app.first->files[DIR_TC];
    CHECK(file && file->gaps && file->size == 20 && file->state == FILE_TRUNCATED);
    CHECK(tx_done(&f.app, f.app.first, DIR_TC));
    feed(&f, DIR_TS, "GET /y HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(f.app.next_tx_id == 2);
    flow_end(&f);
}

static void posts(void)
{
    struct http_flow f;

    flow_begin(&f);
    feed(&f, DIR_TS, "POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\na=1&b=2");
    CHECK_STR(look(&f, 0, DIR_TS, "http.request_body"), "a=1&b=2");
    CHECK_STR(look(&f, 0, DIR_TS, "file.data"), "a=1&b=2");
    CHECK_STR(look(&f, 0, DIR_TS, "file.name"), "/up");
    struct event ev;
    buf_clear(&f.log);
    f.app.log_body_text = f.app.log_body_base64 = true;
    event_begin(&ev, &f.log);
    f.app.proto->log(&f.app, f.app.first, DIR_TS, true, &ev);
    CHECK(event_end(&ev));
    CHECK(strstr(buf_cstr(&f.log), "\"http_request_body_printable\":\"a=1&b=2\""));
    CHECK(strstr(buf_cstr(&f.log), "\"http_request_body\":\"YT0xJmI9Mg==\""));
    flow_end(&f);
}

static const char form[] =
    "POST /form HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=XX\r\n"
    "Content-Length: 213\r\n\r\n"
    "--XX\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nvalue\r\n"
    "--XX\r\nContent-Disposition: form-data; name=\"f\"; "
    "filename=\"one.txt\"\r\n\r\ncontent\r\nwith line\r\n"
    "--XX\r\nContent-Disposition: form-data; filename=\"two\"\r\n\r\nII\r\n--XX--\r\n";

static void check_form(struct http_flow *f)
{
    const struct tx *tx = f->app.first;
    const struct file *one = tx ? tx->files[DIR_TS] : NULL;

    CHECK(one && one->state == FILE_CLOSED && span_eq(one->name, SPAN("one.txt")));
    CHECK(one && one->size == 18 && span_eq(buf_span(&one->window), SPAN("content\r\nwith line")));
    const struct file *two = one ? one->next : NULL;
    CHECK(two && two->state == FILE_CLOSED && span_eq(two->name, SPAN("two")) && two->size == 2);
    CHECK(two && !two->next);
}

static void forms(void)
{
    struct http_flow f;

    flow_begin(&f);
    feed(&f, DIR_TS, form);
    check_form(&f);
    flow_end(&f);
    flow_begin(&f);
    feed_bytes(&f, DIR_TS, span_str(form));
    check_form(&f);
    flow_end(&f);
}

static void responses_alone(void)
{
    struct http_flow f;

    flow_begin(&f);
    feed(&f, DIR_TC, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    CHECK_STR(anomalies(&f, 0), "unable_to_match_response_to_request");
    CHECK_STR(look(&f, 0, DIR_TS, "http.uri"), "/libhtp::request_uri_not_seen");
    flow_end(&f);
}

static void connect(void)
{
    struct http_flow f;

    flow_begin(&f);
    feed(&f, DIR_TS, "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\n");
    feed(&f, DIR_TC, "HTTP/1.1 200 Connection established\r\n\r\n");
    CHECK(f.app.change_asked && f.app.change_to == PROTO_NONE);
    CHECK_STR(look(&f, 0, DIR_TS, "http.host"), "a.b");
    flow_end(&f);
}

/* Twice the header bytes, one field or many small ones, must not cost four times the work; the
 * arena's bytes are the measure that does not depend on the machine. */
static void linear(void)
{
    size_t bytes[2];

    for (unsigned k = 0; k < 2; k++) {
        struct http_flow f;
        flow_begin(&f);
        feed(&f, DIR_TS, "GET / HTTP/1.1\r\n");
        for (unsigned i = 0; i < 200u << k; i++) {
            char line[64];
            snprintf(line, sizeof(line), "Name-%u: value\r\n", i);
            feed_bytes(&f, DIR_TS, span_str(line));
        }
        feed(&f, DIR_TS, "\r\n");
        CHECK(f.app.first && tx_done(&f.app, f.app.first, DIR_TS));
        bytes[k] = f.app.first ? f.app.first->mem.bytes + f.app.mem.bytes : 0;
        flow_end(&f);
    }
    CHECK(bytes[1] <= bytes[0] * 5 / 2);
}

/* A server that speaks first: what it said is an answer without a request, before the request. */
static void banner(void)
{
    static const char hello[] = "INFO {\"server\":\"plant.example\",\"version\":\"2.1.0\"}\r\n",
                      ask[] = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    struct http_flow f;

    flow_begin(&f);
    CHECK(app_feed(&f.app, DIR_TC, span_str(hello), 0) == 0);
    CHECK(app_feed(&f.app, DIR_TS, span_str(ask), 0) == 0 && f.app.other_first);
    feed(&f, DIR_TC, hello);
    feed(&f, DIR_TS, ask);
    CHECK_STR(look(&f, 0, DIR_TS, "http.uri"), "/libhtp::request_uri_not_seen");
    CHECK_STR(look(&f, 1, DIR_TS, "http.uri"), "/a");
    flow_end(&f);
}

/* More requests at once than the configuration allows end the parser, not the sensor. */
static void many(void)
{
    enum { MOST = 3 };
    struct http_flow f;

    flow_begin(&f);
    f.conf.http.max_tx = MOST;
    for (unsigned i = 0; i < 2 * MOST; i++)
        feed(&f, DIR_TS, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(f.app.next_tx_id == MOST && !app_wants(&f.app, DIR_TS));
    flow_end(&f);
}

/* The host that a target names counts once the headers are there. */
static void host_of_target(void)
{
    struct http_flow f;

    flow_begin(&f);
    feed(&f, DIR_TS, "CONNECT plant.example:8443 HTTP/1.1\r\n");
    CHECK(!strstr(logged(&f, 0), "hostname") && !strstr(logged(&f, 0), "http_port"));
    feed(&f, DIR_TS, "\r\n");
    CHECK(strstr(logged(&f, 0), "\"hostname\":\"plant.example\",\"http_port\":8443"));
    flow_end(&f);
}

/* The client behind a proxy, as the configured header names it. */
static void client(void)
{
    static const struct {
        const char *value;
        bool forward;
        const char *want; /* NULL: nobody */
    } rows[] = {
        {"203.0.113.7", false, "203.0.113.7"},
        {"203.0.113.7, 10.0.0.1", false, "10.0.0.1"},
        {"203.0.113.7, 10.0.0.1", true, "203.0.113.7"},
        {"203.0.113.7:4711", false, "203.0.113.7"},
        {"[2001:db8::7]:4711", false, "2001:db8::7"},
        {"2001:db8::7", true, "2001:db8::7"},
        {"unknown, 10.0.0.1", true, NULL},
        {"10.0.0.300", false, NULL},
        {"[", false, NULL},
        {"[[[[[[[[", false, NULL},
        {"1.2.3", false, NULL},
        {",,,,,,,,", true, NULL},
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct http_flow f;
        struct span got;
        flow_begin(&f);
        f.conf.log.http.xff_forward = rows[i].forward;
        feed(&f, DIR_TS, "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: ");
        feed(&f, DIR_TS, rows[i].value);
        feed(&f, DIR_TS, "\r\n\r\n");
        bool found = f.app.proto->client(&f.app, f.app.first, &got);
        CHECK(found == (rows[i].want != NULL));
        if (found && rows[i].want)
            CHECK(span_eq(got, span_str(rows[i].want)));
        flow_end(&f);
    }
}

int main(void)
{
    exchange();
    pipelined();
    until_close();
    gaps();
    posts();
    forms();
    responses_alone();
    connect();
    linear();
    client();
    banner();
    many();
    host_of_target();
    return unit_end();
}
