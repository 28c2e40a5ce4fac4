/* SPDX-License-Identifier: Apache-2.0 */
/* The small grammars of HTTP/1.x: lines, numbers, hosts, targets, parameters. Functions of bytes
 * alone, as lenient as libhtp; what they return points into what they were given. */
#pragma once

#include "base/span.h"

enum http_method {
    METHOD_UNKNOWN, /* none of those below */
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_CONNECT,
    METHOD_OTHER,
};

enum http_version { VERSION_UNKNOWN, VERSION_INVALID, VERSION_0_9, VERSION_1_0, VERSION_1_1 };
/* A request target taken apart (RFC 3986 by libhtp's rules); absent parts have p == NULL. */
struct http_uri {
    struct span scheme, user, password, host, port, path, query, fragment;
};

static inline bool http_is_space(uint8_t c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

/* http_line.c */
enum http_method http_method_of(struct span s);
enum http_version http_version_of(struct span s, bool *ret_extra);
/* A Content-Length value; false where there is no number. *ret_extra: 1 junk before, 2 behind. */
bool http_content_length(struct span s, uint64_t *ret, unsigned *ret_extra);
enum chunk_line { CHUNK_NONE, CHUNK_OK, CHUNK_BAD };
enum chunk_line http_chunk_length(struct span line, uint64_t *ret, bool *ret_extension);
/* Nothing but white space and control characters? */
bool http_chunk_blank(struct span line);
/* Could this beginning of a line be a chunk's length? */
bool http_chunk_possible(struct span s);
bool http_line_ignorable(struct span line);
/* Is this no response line, so that browsers show it as content? */
bool http_line_is_body(struct span line);
struct span http_chomp(struct span s);
struct span http_trim(struct span s);
/* "bytes 0-99/1000"; -1 for what is missing. */
struct http_range {
    int64_t start, end, size;
};
bool http_content_range(struct span value, struct http_range *ret);
/* A parameter ("filename=") of a header value. */
bool http_parameter(struct span value, struct span name, struct span *ret);

/* http_uri.c */
void http_uri_parse(struct span s, struct http_uri *ret);
/* "host:port"; *ret_port is 0 where there is none or it is not a number. */
bool http_host_port(struct span s, struct span *ret_host, struct span *ret_port, bool *ret_valid);
bool http_host_valid(struct span host);
uint16_t http_port_number(struct span s);
