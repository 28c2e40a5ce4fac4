/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.x, what its files share: what is known of a message, the state of the two streams of a
 * connection, and the steps of the parser (http_grammar.h has the grammars, http_body.h contents).
 * The leniency is libhtp's (personality IDS), so that what hides from a strict parser but not from
 * a browser or server is seen here. Requests and responses advance independently; each has an index
 * into the flow's transactions. Memory is the transaction's arena for what belongs to a message,
 * the flow's for partial lines. */
#pragma once

#include "proto/app.h"
#include "proto/conf.h"
#include "proto/file.h"
#include "proto/proto.h"

enum http_event {
#define HTTP_EVENT(id, name) HTTP_EVENT_##id,
#include "proto/http_events.def"
#undef HTTP_EVENT
    HTTP_EVENTS
};

enum {
    HTTP_FIELD_LIMIT = 18000, /* bytes of a partial line or header */
    HTTP_FILENAME_MAX = 4096,
    HTTP_REPEATS_MAX = 64, /* repetitions that are joined, over all headers of a message */
    HTTP_TEXT_MAX = 1 << 20,
    HTTP_RAW_MAX = 256 << 10, /* header bytes of one side that are kept */
    HTTP_DECODERS = 4,
};

/* Progress of a side: what has been seen completely. */
enum http_progress {
    HTTP_NOT_STARTED,
    HTTP_LINE,    /* its line has begun */
    HTTP_HEADERS, /* its line is there */
    HTTP_BODY,    /* its headers are there */
    HTTP_TRAILER, /* its body is there */
    HTTP_COMPLETE,
};

enum http_coding { CODING_UNKNOWN, CODING_NONE, CODING_IDENTITY, CODING_CHUNKED, CODING_INVALID };
enum http_encoding {
    ENCODING_NONE,
    ENCODING_GZIP,
    ENCODING_DEFLATE,
    ENCODING_ZLIB,
    ENCODING_BROTLI,
    ENCODING_LZMA
};

/* Bytes that grow on an arena: doubled, never given back before the arena. */
struct http_text {
    uint8_t *p;
    size_t n, cap;
};

enum header_flag {
    HEADER_NAME_EMPTY = 1,
    HEADER_NAME_NOT_TOKEN = 2,
    HEADER_NAME_SPACE_AFTER = 4,
    HEADER_NAME_SPACE_BEFORE = 8,
    HEADER_NO_COLON = 16,
    HEADER_DEFORMED_EOL = 32,
    HEADER_REPEATED = 64,
};

struct http_header {
    struct span name, value; /* trimmed; repetitions joined by ", " */
    size_t cap;              /* room behind value when it was joined, 0 before */
    uint32_t hash;           /* of the lower-case name */
    uint32_t flags;
};

/* The content of a message as rules look into it: a window that slides once inspected. */
struct http_body {
    uint8_t *p;
    size_t n, cap;
    uint64_t at;        /* offset of p[0] in the content */
    uint64_t total;     /* content seen, up to the limit */
    uint64_t inspected; /* what rules have done with */
    uint64_t seen;      /* what was handed out by the last look */
    bool begun;
};

struct http_decoder;

struct http_side {
    struct span line; /* without its end */
    struct http_header *headers;
    uint32_t n_headers, cap_headers;
    uint32_t repeats;
    struct http_text raw, trailer; /* header bytes as sent, with the empty line */
    size_t raw_parsed;
    uint64_t content_length;
    uint64_t message_length, entity_length; /* body bytes on the wire; decoded */
    struct http_decoder *decoder;
    struct http_body body;
    struct file *file; /* open */
    uint8_t coding, version;
    bool has_content_length, has_trailer, too_many, warned_invalid, warned_folding, warned_colon;
    bool no_decoding; /* encoding of the content is not undone */
    bool dont_store;
    bool eof; /* the stream ended within this message */
    /* built at first use */
    struct span normal, names, start;
    struct span *each;
    uint32_t n_each;
    bool normal_built, names_built;
};

enum body_kind { BODY_OTHER, BODY_POST, BODY_PUT, BODY_MULTIPART };

struct http_tx {
    struct tx tx;
    struct http_side side[2];
    struct span method, uri, protocol; /* request line */
    struct span path, uri_normal;      /* normalised */
    struct span host;     /* normalised host, without port; once the headers are there */
    struct span uri_host; /* host named by the target */
    const struct http_conf *conf;
    struct span response_protocol, status_text, message;
    uint16_t status;   /* 100..999, else 0 */
    uint16_t port;     /* named in the request, else 0; once the headers are there */
    uint16_t uri_port; /* named in the target */
    uint8_t method_id, body_kind;
    bool is_0_9, has_path, seen_100;
    bool invalid_te, invalid_cl, host_missing, host_ambiguous, uri_host_invalid,
        header_host_invalid;
    bool auth_unrecognised;
    /* multipart */
    struct span boundary; /* "--" + boundary + "--" */
    uint64_t body_parsed; /* content handed to files so far */
    bool in_part;         /* within a part that is a file */
};

enum http_state {
    STATE_IDLE,
    STATE_LINE,
    STATE_PROTOCOL,
    STATE_HEADERS,
    STATE_CONNECT_CHECK,
    STATE_CONNECT_WAIT,
    STATE_CONNECT_PROBE,
    STATE_BODY_DETERMINE,
    STATE_CHUNK_LENGTH,
    STATE_CHUNK_DATA,
    STATE_CHUNK_END,
    STATE_BODY_KNOWN,
    STATE_BODY_CLOSE,
    STATE_FINALIZE,
    STATE_IGNORE,
};

enum http_status {
    STATUS_OPEN,
    STATUS_DATA,
    STATUS_OTHER,
    STATUS_TUNNEL,
    STATUS_CLOSED,
    STATUS_ERROR
};

/* How a step ended. */
enum step {
    STEP_OK,
    STEP_MORE,  /* this chunk is used up */
    STEP_OTHER, /* the other direction has to go first */
    STEP_ERROR,
};

/* One chunk of a stream: n bytes at p, or n that are missing (p == NULL). */
struct http_input {
    const uint8_t *p;
    size_t n, at;
    bool gap;
};

struct http_stream {
    uint8_t state, status; /* enum http_state, http_status */
    struct http_text buf;  /* partial line, on the flow's arena */
    struct http_tx *tx;    /* of index, once known */
    uint64_t index;
    uint64_t left, chunk_left, content_length;
    bool has_left, has_content_length;
    bool trailing; /* the headers being read follow a chunked body */
};

struct http_conn {
    struct app *app;
    const struct http_conf *conf;
    struct http_stream in[2];
    bool other_at_end;
    bool closed[2];
    /* Anomalies of the chunk at hand: given to a transaction when it is done with. */
    uint8_t n_pending, pending[16];
};

static inline struct span http_rest(const struct http_input *in)
{
    return (struct span){in->p + in->at, in->n - in->at};
}

static inline size_t http_left(const struct http_input *in)
{
    return in->n - in->at;
}

/* http.c */
/* An anomaly of the stream: falls to the transaction that its direction is at when the chunk is
 * done with, as libhtp's messages do in Suricata. */
void http_event(struct http_conn *c, enum http_event e);
/* An anomaly of this very transaction. */
void http_tx_event(struct http_tx *tx, enum http_event e);
/* Appends; false at max or without memory. */
bool http_text_add(struct arena *a, struct http_text *t, struct span s, size_t max);
/* Keeps a partial line for the next chunk; STEP_MORE, or STEP_ERROR beyond the limit. */
enum step http_keep(struct http_conn *c, enum dir dir, struct http_input *in);
/* Is there room for n more bytes of a partial line? Sets the event where not. */
bool http_room(struct http_conn *c, enum dir dir, size_t n);
/* The next n bytes with what was kept before them; p == NULL without memory. Borrowed until the
 * next chunk. */
struct span http_line_take(struct http_conn *c, enum dir dir, struct http_input *in, size_t n);
/* The transaction that dir works on, made where there is none; NULL at the ceiling. */
struct http_tx *http_tx(struct http_conn *c, enum dir dir);
/* dir goes on to the next transaction. */
void http_next(struct http_conn *c, enum dir dir);

/* http_step.c */
/* Steps until the chunk is used up or the other side has to go first; sets the stream's status. */
void http_run(struct http_conn *c, enum dir dir, struct http_input *in,
              enum step (*step)(struct http_conn *c, struct http_input *in));
/* The length of a chunk is known: its data follow, or behind the last one the trailer. */
enum step http_chunk_begin(struct http_conn *c, struct http_tx *tx, enum dir dir);
enum step http_chunk_data(struct http_conn *c, enum dir dir, struct http_input *in);
/* What stands between the data and the end of its line. */
enum step http_chunk_end(struct http_conn *c, enum dir dir, struct http_input *in);

/* http_request.c, http_response.c: one chunk; the stream's status says how it ended. */
void http_request_data(struct http_conn *c, struct http_input *in);
void http_response_data(struct http_conn *c, struct http_input *in);

/* http_headers.c */
enum header_end { HEADERS_MORE, HEADERS_END, HEADERS_ERROR };
/* Takes header bytes of a side from the chunk. */
enum header_end http_headers_data(struct http_conn *c, enum dir dir, struct http_input *in);
/* The stream is closed: what is there are all headers. */
void http_headers_close(struct http_conn *c, enum dir dir);
/* The joined header of this lower-case name, NUL bytes in it ignored; NULL if absent. */
const struct http_header *http_header_find(const struct http_side *s, const char *name);
uint32_t http_name_hash(struct span name);
/* Does the value contain this lower-case text, NUL bytes left out? */
bool http_value_has(struct span value, const char *what);

/* http_line.c: the lines and headers of a message, examined */
void http_request_line(struct http_conn *c, struct http_tx *tx, struct span line);
void http_response_line(struct http_conn *c, struct http_tx *tx, struct span line);
/* What the request's headers say about host, length, type and authorisation. */
void http_request_examine(struct http_conn *c, struct http_tx *tx);
void http_request_flag_events(struct http_tx *tx);

/* http_uri.c */
/* Normalises tx's target: path, uri_normal, host and port out of it. */
void http_uri_normalise(struct http_conn *c, struct http_tx *tx);

/* http_buffers.c, http_log.c */
enum { HTTP_BUFFERS = 31, HTTP_VALUES = 3 };
extern const struct proto_buffer http_buffers[HTTP_BUFFERS];
extern const struct proto_value http_values[HTTP_VALUES];
bool http_log(struct app *app, struct tx *tx, enum dir dir, bool alert, struct event *ev);
bool http_client(struct app *app, const struct tx *tx, struct span *ret);

static inline struct http_tx *http_tx_of(struct tx *tx)
{
    return (struct http_tx *)tx;
}
