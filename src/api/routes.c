/* SPDX-License-Identifier: Apache-2.0 */
/* The route table: parameters and bodies, then the rows of routes.def. Lengths of strings are in
 * characters, as JSON Schema counts them. */
#include "api/figures.h"
#include "api/handlers.h"
#include "api/stream.h"

/* One parameter a line: name, limits, what it is; further members of struct param may follow. */
#define PARAM(named, of, what, ...)                                                                \
    {                                                                                              \
        .name = named, .kind = of, .help = what, __VA_ARGS__                                       \
    }
#define TEXT(named, least, most, what, ...)                                                        \
    PARAM(named, PARAM_STRING, what, .min = (least), .max = (most), __VA_ARGS__)
#define NUMBER(named, least, most, what, ...)                                                      \
    PARAM(named, PARAM_UINT, what, .min = (least), .max = (most), __VA_ARGS__)
#define CHOICE(named, of, what, ...) PARAM(named, PARAM_CHOICE, what, .choices = (of), __VA_ARGS__)
#define CHOICES(named, of, what)     PARAM(named, PARAM_CHOICES, what, .choices = (of))
#define REQUIRED                     .required = true
#define USUALLY(text)                .fallback = (text)
#define END                                                                                        \
    {                                                                                              \
        0                                                                                          \
    }

#define ROLES      "admin|analyst|viewer"
#define STATUSES   "new|archived|escalated|all"
#define SEVERITIES "critical|high|medium|low|info"
#define USER_NAME  "^[A-Za-z0-9][A-Za-z0-9._@-]*$"
#define A_NUMBER   "^[0-9]{1,7}$"
#define AN_EVENT   "^000[0-9a-f]{13}-[0-9a-f]{16}-(0|[1-9a-f][0-9a-f]{0,15})$"

#define PARAM_Q    PARAM("q", PARAM_QUERY, "query: words, field:value, -not, (a OR b)", .max = 4096)
#define PARAM_FROM                                                                                 \
    PARAM("from", PARAM_TIME, "from this time on; default: the oldest event", .min = 0)
#define PARAM_TO                 PARAM("to", PARAM_TIME, "until before this time; default: now", .min = 0)
#define PARAM_LIMIT(most, usual) NUMBER("limit", 1, most, "at most so many", USUALLY(usual))
#define PARAM_CURSOR(form)                                                                         \
    TEXT("cursor", 1, 200, "next_cursor of the page before", .pattern = (form))
#define PARAM_STATUS CHOICE("status", STATUSES, "what was decided", USUALLY("new"))

/* "alert|anomaly|…", made of the table of event types. */
#define EVENT(id, name, ...) "|" name
static const char event_names[] =
#include "event/events.def"
    ;
#undef EVENT
#define EVENT_NAMES (event_names + 1)

static const struct param login_body[] = {
    TEXT("username", 1, NAME_MAX_BYTES, "the user's name", REQUIRED),
    TEXT("password", 1, PASSWORD_MAX, "the user's password", REQUIRED), END};

static const struct param password_own_body[] = {
    TEXT("old", 1, PASSWORD_MAX, "the password until now", REQUIRED),
    TEXT("new", PASSWORD_MIN, PASSWORD_MAX, "the new password", REQUIRED), END};

static const struct param stream_params[] = {
    PARAM("q", PARAM_QUERY, "only events that match this query", .max = 4096),
    CHOICES("types", EVENT_NAMES, "only events of these types, separated by commas"), END};

static const struct param events_params[] = {
    PARAM_Q,
    PARAM_FROM,
    PARAM_TO,
    PARAM_LIMIT(1000, "100"),
    PARAM_CURSOR(AN_EVENT),
    CHOICE("order", "desc|asc", "newest or oldest first", USUALLY("desc")),
    END};

static const struct param histogram_params[] = {
    PARAM_Q,
    PARAM_FROM,
    PARAM_TO,
    TEXT("interval", 1, 8, "auto, or seconds of a bucket", USUALLY("auto"),
         .pattern = "^(auto|[1-9][0-9]{0,6})$"),
    CHOICE("by", "event_type|severity|none", "what makes a series", USUALLY("event_type")),
    END};

static const struct param top_params[] = {
    PARAM_Q,
    PARAM_FROM,
    PARAM_TO,
    TEXT("field", 1, 200, "field whose values are counted", USUALLY("src_ip"),
         .format = "daizong-field"),
    PARAM_LIMIT(1000, "10"),
    TEXT("sum", 1, 200, "numeric field to add up and order by", .format = "daizong-number"),
    END};

static const struct param id_path[] = {TEXT("id", 1, 200, "identity"), END};
static const struct param event_path[] = {
    TEXT("id", 1, 200, "identity, an event's _id", .format = "daizong-event"), END};
static const struct param group_path[] = {
    TEXT("id", 1, 200, "identity: signature-source-target, and -unit if it is not the default one",
         .format = "daizong-group"),
    END};
static const struct param name_path[] = {TEXT("name", 1, NAME_MAX_BYTES, "user's name"), END};
static const struct param ip_path[] = {PARAM("ip", PARAM_IP, "address", .min = 0), END};

static const struct param captures_params[] = {
    TEXT("name", 0, 255, "the file's name", USUALLY("capture.pcap")), END};

static const struct param capture_start_body[] = {
    TEXT("interface", 1, 15, "name of the interface", REQUIRED, .pattern = "^[!-.0-~]+$"),
    TEXT("filter", 0, 1000, "BPF filter (tcpdump's language)", USUALLY("")), END};

static const struct param capture_stop_body[] = {
    TEXT("sensor", 1, NAME_MAX_BYTES, "the sensor's id", REQUIRED), END};

static const struct param jobs_params[] = {PARAM_LIMIT(1000, "100"), END};

static const struct param user_body[] = {
    TEXT("name", 1, NAME_MAX_BYTES, "letters, digits, . _ - @", REQUIRED, .pattern = USER_NAME),
    CHOICE("role", ROLES, "what the user may do", USUALLY("viewer")),
    TEXT("password", PASSWORD_MIN, PASSWORD_MAX, "8 to 256 characters"), END};

static const struct param password_body[] = {
    TEXT("password", PASSWORD_MIN, PASSWORD_MAX, "8 to 256 characters"), END};

static const struct param token_body[] = {
    TEXT("name", 1, NAME_MAX_BYTES, "what it is for", REQUIRED),
    TEXT("user", 1, NAME_MAX_BYTES, "whose it is; default: one's own"),
    CHOICE("role", ROLES, "at most this", USUALLY("viewer")),
    CHOICE("kind", "api|sensor", "for scripts, or for a sensor's link", USUALLY("api")),
    NUMBER("days", 0, 3650, "valid for so many days; 0: for ever", USUALLY("0")),
    END};

static const struct param settings_body[] = {
    NUMBER("retention_days", 1, 3650, "events are kept so long"),
    PARAM("keep_raw", PARAM_BOOL, "keep the events' own text too", .min = 0),
    PARAM("home_net", PARAM_STRINGS, "networks that are one's own", .max = 256,
          .format = "daizong-network"),
    CHOICE("language", "zh|en", "language of the console"), END};

static const struct param range_params[] = {PARAM_FROM, PARAM_TO, END};

static const struct param alerts_params[] = {
    PARAM_Q,
    PARAM_FROM,
    PARAM_TO,
    PARAM_STATUS,
    CHOICES("severity", SEVERITIES, "only these, separated by commas"),
    CHOICE("sort", "last|count|severity", "order, most first", USUALLY("last")),
    PARAM_LIMIT(500, "100"),
    PARAM_CURSOR(A_NUMBER),
    END};

static const struct param decide_query[] = {
    PARAM_Q,
    PARAM_FROM,
    PARAM_TO,
    PARAM_STATUS,
    TEXT("severity", 0, 64, "only these, separated by commas", USUALLY(""),
         .pattern = "^((" SEVERITIES ")(,(" SEVERITIES "))*)?$"),
    END};

static const struct param decide_body[] = {
    PARAM("ids", PARAM_STRINGS, "groups", .min = 1, .max = 10000, .format = "daizong-group"),
    PARAM("query", PARAM_OBJECT, "all groups that this finds", .inner = decide_query),
    CHOICE("action", "archive|escalate|reopen", "what is decided", REQUIRED),
    TEXT("note", 0, 2000, "why", USUALLY("")), END};

static const struct param undo_body[] = {TEXT("undo", 1, 64, "the token of the decision", REQUIRED),
                                         END};

static const struct param hosts_params[] = {
    TEXT("q", 0, 256, "an address, a network, or a part of a name", USUALLY("")),
    PARAM_FROM,
    PARAM_TO,
    CHOICE("sort", "last|events|alerts|bytes|ip", "order", USUALLY("last")),
    PARAM_LIMIT(500, "100"),
    PARAM_CURSOR(A_NUMBER),
    END};

const struct route routes[] = {
#define ROUTE(...) {__VA_ARGS__},
#include "api/routes.def"
#undef ROUTE
};
const size_t routes_n = LEN(routes);
