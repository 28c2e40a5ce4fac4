/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the API as gzip (RFC 9110 section 8.4.1.3), for callers that take it. */
#pragma once

#include "api/httpd.h"

/* Does Accept-Encoding name this coding without refusing it (q=0)? */
bool http_accepts(const struct http_request *rq, struct span coding);
/* Compresses the answer's body if the caller takes gzip and it is large enough to be worth it, and
 * sets the headers; leaves it as it is otherwise. For workers: it takes about 10 ms a megabyte. */
void http_gzip(struct http_request *rq);
