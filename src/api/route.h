/* SPDX-License-Identifier: Apache-2.0 */
/* The router: routes.def holds one row per route with everything that is known of it: who may,
 * which parameters with which limits, the shape of body and answer. Requests are checked against
 * the row before the handler runs, and the OpenAPI document is written from the same row, so that
 * they cannot differ. */
#pragma once

#include "api/httpd.h"
#include "trust/account.h"

enum param_kind {
    PARAM_STRING,
    PARAM_UINT,
    PARAM_BOOL,
    PARAM_CHOICE,  /* one of `choices`, separated by '|' */
    PARAM_CHOICES, /* a comma-separated list of them (query), an array of them (body) */
    PARAM_TIME,    /* RFC 3339, "now", "now-15m" */
    PARAM_QUERY,   /* the query language */
    PARAM_IP,
    PARAM_STRINGS, /* an array of strings (body only); min..max is their number */
    PARAM_OBJECT,  /* an object of `inner` (body only) */
};

struct param {
    const char *name;
    const char *help;
    enum param_kind kind;
    bool required;
    uint64_t min, max;    /* characters, value of a number, count of a list; max 0: 4096 */
    const char *choices;  /* of PARAM_CHOICE(S) */
    const char *fallback; /* taken when it is not given; NULL: none */
    const char *pattern;  /* documented form of a string (checked by the handler) */
    const char *format;   /* name of a form that no pattern can give, of a string or of a list's */
    const struct param *inner;
};

struct api;
struct api_call;
typedef void route_run(struct api_call *c);

enum route_flag {
    ROUTE_UPLOAD = 1,   /* the body is a file */
    ROUTE_STREAM = 2,   /* answers with server-sent events */
    ROUTE_TEXT = 4,     /* answers with plain text */
    ROUTE_LOCAL_OK = 8, /* a session of its own: nothing for tokens or local callers */
};

struct route {
    enum http_method method;
    const char *path; /* "/api/v1/events/{id}" */
    enum role role;   /* the least that may call it */
    route_run *run;
    unsigned status; /* of success; 0: 200 */
    unsigned flags;  /* enum route_flag */
    const struct param *path_params;
    const struct param *params; /* in the query; ends with a row without name */
    const struct param *body;   /* members of a JSON object; NULL: no body */
    const char *one_of;         /* of these members exactly one is given: "ids|query" */
    const char *answer;         /* shape, see api/shape.h; NULL: no body */
    const char *errors;         /* further statuses beside the common ones: "404 409" */
    const char *tag;
    const char *help;
};

extern const struct route routes[];
extern const size_t routes_n;

/* A checked argument. */
struct arg {
    const struct param *param;
    bool given;    /* by the caller or by the fallback */
    struct span s; /* string, choice, time, query; unescaped */
    uint64_t u;    /* number; bool as 0 or 1 */
    struct span *list;
    size_t n;
    struct arg *inner;
    size_t inner_n;
};

struct path_arg {
    struct span name, value;
};

enum { PATH_ARGS = 2 };

/* One call of a route: what handlers get. */
struct api_call {
    struct api *api;
    struct http_request *rq;
    const struct route *route;
    struct person who;
    struct span bearer;  /* the API token, empty when it came otherwise */
    struct span session; /* the cookie's token, if that is how they came */
    struct path_arg path[PATH_ARGS];
    size_t paths;
    struct arg *args; /* of the query */
    size_t args_n;
    struct arg *body;
    size_t body_n;
    struct buf *out; /* the answer's body */
    uint64_t began_ns;
};

/* Finds the route; *allowed gets the methods that the path has. NULL: none with this method. A path
 * that stands in the table as it is never counts as an example of a pattern. */
const struct route *route_find(enum http_method method, struct span path, struct api_call *c,
                               unsigned *allowed);
/* Checks the query's parameters / the JSON body against the route; false: the error answer is
 * there. */
bool args_from_query(struct api_call *c);
bool args_from_body(struct api_call *c);

/* An argument by name; aborts if the route declares none of that name. */
const struct arg *call_arg(const struct api_call *c, const char *name);
const struct arg *call_body(const struct api_call *c, const char *name);
const struct arg *arg_inner(const struct arg *a, const char *name);
struct span call_path(const struct api_call *c, const char *name);

/* Answers. `hint` may be "". position < 0: none. */
void answer_error(struct api_call *c, unsigned status, const char *code, const char *hint,
                  const char *fmt, ...) PRINTF_LIKE(5, 6);
void answer_err(struct api_call *c, const struct err *e);
void answer_position(struct api_call *c, unsigned position, const char *message);
void answer_no_content(struct api_call *c);
