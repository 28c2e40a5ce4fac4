/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of HTTP/1.x: app-layer.protocols.http.libhtp, in Suricata's vocabulary. */
#include "sensor/conf.h"

#include <string.h>

enum { LAYERS_MAX = 255 };

static const char *scalar(struct yaml *at, const char *path)
{
    const struct yaml *y = tree_find(at, path);

    return y && y->kind == YAML_SCALAR && y->value[0] ? y->value : NULL;
}

/* lzma-enabled: yes, no, or how many LZMA codings of one message are undone. */
static bool conf_lzma(struct http_conf *h, struct yaml *d, struct err *e)
{
    const char *text = scalar(d, "lzma-enabled");
    uint64_t n;
    bool on;

    if (!conf_size32(d, "lzma-memlimit", &h->lzma_memlimit, e))
        return false;
    if (text && span_u64(span_str(text), &n) && n <= LAYERS_MAX) {
        h->lzma_layers = (uint8_t)n;
        return true;
    }
    on = h->lzma_layers > 0;
    if (!conf_bool(d, "lzma-enabled", &on, e))
        return false;
    h->lzma_layers = on;
    return true;
}

/* http-body-inline: auto is yes where traffic is held back until it was looked into. */
static bool conf_body_inline(struct http_conf *h, struct yaml *d, struct err *e)
{
    const char *text = scalar(d, "http-body-inline");

    if (text && strcmp(text, "auto") == 0)
        return true;
    return conf_bool(d, "http-body-inline", &h->http_inline, e);
}

static bool conf_server(struct http_conf *h, struct yaml *d, struct err *e)
{
    uint32_t layers = h->decompress_layers;
    uint32_t time_us = 0; /* checked, and without effect: see http_decode.c */

    if (!conf_size32(d, "request-body-limit", &h->request_body_limit, e) ||
        !conf_size32(d, "response-body-limit", &h->response_body_limit, e) ||
        !conf_size32(d, "request-body-minimal-inspect-size", &h->request_inspect_min, e) ||
        !conf_size32(d, "request-body-inspect-window", &h->request_inspect_window, e) ||
        !conf_size32(d, "response-body-minimal-inspect-size", &h->response_inspect_min, e) ||
        !conf_size32(d, "response-body-inspect-window", &h->response_inspect_window, e) ||
        !conf_size32(d, "response-body-decompress-layer-limit", &layers, e) ||
        !conf_size32(d, "decompression-time-limit", &time_us, e) ||
        !conf_size64(d, "compression-bomb-limit", &h->decompress_limit, e) ||
        !conf_size32(d, "headers-limit", &h->max_headers, e) ||
        !conf_size32(d, "max-tx", &h->max_tx, e) ||
        !conf_bool(d, "double-decode-path", &h->double_decode_path, e) ||
        !conf_bool(d, "double-decode-query", &h->double_decode_query, e))
        return false;
    h->decompress_layers = (uint8_t)(layers > LAYERS_MAX ? LAYERS_MAX : layers);
    return conf_lzma(h, d, e) && conf_body_inline(h, d, e);
}

bool conf_http(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    struct yaml *d = tree_find(root, "app-layer.protocols.http.libhtp.default-config");

    c->proto.http.http_inline = c->simulate_ips;
    return !d || conf_server(&c->proto.http, d, e);
}
