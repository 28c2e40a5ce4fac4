/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped defaults of the protocols' settings, as Suricata 8's default configuration has
 * them. */
#include "proto/conf.h"

const struct http_log_header http_log_headers[] = {
    {"accept", "accept", F_http_accept, false},
    {"accept_charset", "accept-charset", F_http_accept_charset, false},
    {"accept_datetime", "accept-datetime", F_http_accept_datetime, false},
    {"accept_encoding", "accept-encoding", F_http_accept_encoding, false},
    {"accept_language", "accept-language", F_http_accept_language, false},
    {"authorization", "authorization", F_http_authorization, false},
    {"cache_control", "cache-control", F_http_cache_control, false},
    {"cookie", "cookie", F_http_cookie, false},
    {"from", "from", F_http_from, false},
    {"max_forwards", "max-forwards", F_http_max_forwards, false},
    {"origin", "origin", F_http_origin, false},
    {"pragma", "pragma", F_http_pragma, false},
    {"proxy_authorization", "proxy-authorization", F_http_proxy_authorization, false},
    {"range", "range", F_http_range, false},
    {"te", "te", F_http_te, false},
    {"via", "via", F_http_via, false},
    {"x_requested_with", "x-requested-with", F_http_x_requested_with, false},
    {"dnt", "dnt", F_http_dnt, false},
    {"x_forwarded_proto", "x-forwarded-proto", F_http_x_forwarded_proto, false},
    {"x_authenticated_user", "x-authenticated-user", F_http_x_authenticated_user, false},
    {"x_flash_version", "x-flash-version", F_http_x_flash_version, false},
    {"connection", "connection", F_http_connection, false},
    {"content_length", "content-length", F_http_content_length, false},
    {"content_md5", "content-md5", F_http_content_md5, false},
    {"content_type", "content-type", F_http_content_type, false},
    {"date", "date", F_http_date, false},
    {"true_client_ip", "true-client-ip", F_http_true_client_ip, false},
    {"org_src_ip", "org-src-ip", F_http_org_src_ip, false},
    {"x_bluecoat_via", "x-bluecoat-via", F_http_x_bluecoat_via, false},
    {"accept_range", "accept-ranges", F_http_accept_range, true},
    {"age", "age", F_http_age, true},
    {"allow", "allow", F_http_allow, true},
    {"content_encoding", "content-encoding", F_http_content_encoding, true},
    {"content_language", "content-language", F_http_content_language, true},
    {"content_location", "content-location", F_http_content_location, true},
    {"etag", "etag", F_http_etag, true},
    {"expires", "expires", F_http_expires, true},
    {"last_modified", "last-modified", F_http_last_modified, true},
    {"link", "link", F_http_link, true},
    {"location", "location", F_http_location, true},
    {"proxy_authenticate", "proxy-authenticate", F_http_proxy_authenticate, true},
    {"refresh", "refresh", F_http_refresh, true},
    {"retry_after", "retry-after", F_http_retry_after, true},
    {"server", "server", F_http_server, true},
    {"set_cookie", "set-cookie", F_http_set_cookie, true},
    {"trailer", "trailer", F_http_trailer, true},
    {"transfer_encoding", "transfer-encoding", F_http_transfer_encoding, true},
    {"upgrade", "upgrade", F_http_upgrade, true},
    {"vary", "vary", F_http_vary, true},
    {"warning", "warning", F_http_warning, true},
    {"www_authenticate", "www-authenticate", F_http_www_authenticate, true},
};
const size_t n_http_log_headers = LEN(http_log_headers);
static_assert(LEN(http_log_headers) <= 64, "a bit each");

const char *const tls_log_fields[] = {
    "subject",
    "issuer",
    "session_resumed",
    "serial",
    "fingerprint",
    "sni",
    "version",
    "not_before",
    "not_after",
    "certificate",
    "chain",
    "ja3",
    "ja3s",
    "ja4",
    "subjectaltname",
    "client",
    "client_certificate",
    "client_chain",
    "client_alpns",
    "server_alpns",
    "client_handshake",
    "server_handshake",
};
const size_t n_tls_log_fields = LEN(tls_log_fields);

void log_conf_default(struct log_conf *c)
{
    *c = (struct log_conf){
        .http = {.extended = true, .xff_header = "x-forwarded-for"},
        .tls = {.extended = true, .session_resumption = true},
        .dns =
            {.requests = true, .responses = true, .grouped = true, .detailed = true, .version = 3},
    };
}

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
                 .decompress_limit = 1 << 20,
                 .lzma_memlimit = 1 << 20,
                 .max_headers = 1024,
                 .max_tx = 512},
        .dns = {.max_tx = 256, .max_name = 1025},
        .file = {.window_bytes = 100 << 10, .keep_bytes = 1 << 20, .store_depth = 1 << 20},
    };
    log_conf_default(&c->log);
    for (unsigned i = 1; i < PROTO_COUNT; i++)
        c->enabled[i] = !proto_table[i]->off;
}
