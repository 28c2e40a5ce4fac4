/* SPDX-License-Identifier: Apache-2.0 */
/* Serves the console from memory: compressed when the browser takes it, with a strong ETag and
 * 304s; files with a hash in their name may be kept for a year, the rest is asked for each time.
 * Unknown paths that do not end as a file does are pages of the single-page application. */
#include "api/console.h"

#include "api/gzip.h"

static const char not_built[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Daizong</title>"
    "<body><h1>岱宗 Daizong</h1><p>The node is running, but this build does not hold the web "
    "console.<br>本程序未包含网页控制台。</p><p>Build it with <code>cd console &amp;&amp; npm ci "
    "&amp;&amp; npm run build</code>, then <code>make build</code>.</p><p>API: "
    "<a href=\"/api/v1/health\">/api/v1/health</a>, <a href=\"/api/v1/openapi.json\">"
    "/api/v1/openapi.json</a></p></body></html>\n";

static const struct console_asset *find(struct span path)
{
    for (size_t i = 0; i < console_assets_n; i++)
        if (span_eq(span_str(console_assets[i].path), path))
            return &console_assets[i];
    return NULL;
}

/* A page's path may end in an address or a name with dots: only what ends like a file is one. */
static bool is_page(struct span path)
{
    static const char *const file_endings[] = {
        ".js",  ".mjs",  ".css", ".map",  ".json", ".svg",  ".png",   ".ico",
        ".txt", ".html", ".xml", ".webp", ".jpg",  ".wasm", ".woff2", ".webmanifest"};
    for (size_t i = 0; i < LEN(file_endings); i++)
        if (span_ends(path, span_str(file_endings[i])))
            return false;
    return !span_starts(path, SPAN("/assets/"));
}

static bool etag_matches(const struct http_request *rq, const char *etag)
{
    struct span list = http_header_get(rq, "If-None-Match");
    while (list.n > 0) {
        struct span one = span_trim(span_split(&list, ','));
        if (span_starts(one, SPAN("W/")))
            one = span_from(one, 2);
        if (span_eq(one, span_str(etag)))
            return true;
    }
    return false;
}

static void send_asset(struct api_call *c, const struct console_asset *asset)
{
    struct http_answer *a = &c->rq->answer;
    a->status = 200;
    a->type = asset->type;
    http_header_set(c->rq, "ETag", asset->etag);
    http_header_set(c->rq, "Vary", "Accept-Encoding");
    http_header_set(c->rq, "Cache-Control",
                    asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (etag_matches(c->rq, asset->etag)) {
        a->status = 304;
        a->type = NULL;
        return;
    }
    if (asset->brotli_n && http_accepts(c->rq, SPAN("br"))) {
        http_header_set(c->rq, "Content-Encoding", "br");
        a->constant = span_of(console_archive + asset->brotli_at, asset->brotli_n);
    } else if (asset->gzip_n && http_accepts(c->rq, SPAN("gzip"))) {
        http_header_set(c->rq, "Content-Encoding", "gzip");
        a->constant = span_of(console_archive + asset->gzip_at, asset->gzip_n);
    } else {
        a->constant = span_of(console_archive + asset->at, asset->n);
    }
}

bool console_answer(struct api_call *c)
{
    struct http_answer *a = &c->rq->answer;
    const struct console_asset *asset = find(c->rq->path);
    if (!asset && is_page(c->rq->path))
        asset = find(SPAN("/index.html"));
    if (asset) {
        send_asset(c, asset);
    } else if (is_page(c->rq->path)) {
        a->status = 200;
        a->type = "text/html; charset=utf-8";
        a->constant = span_of(not_built, sizeof(not_built) - 1);
    } else {
        answer_error(c, 404, "not_found", "the console begins at /, the API at /api/v1",
                     "there is no such file");
    }
    return false;
}
