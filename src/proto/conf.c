/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped defaults of the protocols' settings, as Suricata 8's default configuration has
 * them. */
#include "proto/conf.h"

void proto_conf_default(struct proto_conf *c)
{
    *c = (struct proto_conf){
        .http = {.request_body_limit = 100 << 10,
                 .response_body_limit = 100 << 10,
                 .request_inspect_min = 32 << 10,
                 .request_inspect_window = 4 << 10,
                 .response_inspect_min = 40 << 10,
                 .response_inspect_window = 16 << 10,
                 .decompress_layers = 2,
                 .decompress_ratio = 2048,
                 .decompress_time_us = 100000,
                 .decompress_limit = 1 << 20,
                 .max_header_bytes = 64 << 10,
                 .max_headers = 1024,
                 .max_tx = 512},
        .http_log = {.extended = true, .xff_forward = false, .xff_header = "X-Forwarded-For"},
        .tls_log = {.extended = true},
        .dns = {.max_tx = 256, .max_name = 1025},
        .dns_log =
            {.requests = true, .responses = true, .grouped = true, .detailed = true, .version = 3},
        .file = {.window_bytes = 100 << 10},
    };
    for (unsigned i = 1; i < PROTO_COUNT; i++)
        c->enabled[i] = true;
}
