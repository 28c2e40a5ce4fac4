/* SPDX-License-Identifier: Apache-2.0 */
/* The route table: parameters and bodies, then the rows of routes.def. */
#include "api/figures.h"
#include "api/handlers.h"
#include "api/stream.h"

static const struct param login_body[] = {{.name = "username",
                                           .kind = PARAM_STRING,
                                           .required = true,
                                           .min = 1,
                                           .max = NAME_MAX_BYTES,
                                           .help = "the user's name"},
                                          {.name = "password",
                                           .kind = PARAM_STRING,
                                           .required = true,
                                           .min = 1,
                                           .max = PASSWORD_MAX,
                                           .help = "the user's password"},
                                          {0}};

static const struct param password_own_body[] = {{.name = "old",
                                                  .kind = PARAM_STRING,
                                                  .required = true,
                                                  .min = 1,
                                                  .max = PASSWORD_MAX,
                                                  .help = "the password until now"},
                                                 {.name = "new",
                                                  .kind = PARAM_STRING,
                                                  .required = true,
                                                  .min = PASSWORD_MIN,
                                                  .max = PASSWORD_MAX,
                                                  .help = "the new password"},
                                                 {0}};

static const struct param stream_params[] = {
    {.name = "q", .kind = PARAM_QUERY, .help = "only events that match this query"},
    {.name = "types",
     .kind = PARAM_CHOICES,
     .choices = "alert|anomaly|arp|dns|drop|fileinfo|flow|http|ssh|stats|tls",
     .help = "only events of these types, separated by commas"},
    {0}};

#define PARAM_Q                                                                                    \
    {                                                                                              \
        .name = "q", .kind = PARAM_QUERY, .help = "query: words, field:value, -not, (a OR b)"      \
    }
#define PARAM_FROM                                                                                 \
    {                                                                                              \
        .name = "from", .kind = PARAM_TIME, .help = "from this time on; default: the oldest event" \
    }
#define PARAM_TO                                                                                   \
    {                                                                                              \
        .name = "to", .kind = PARAM_TIME, .help = "until before this time; default: now"           \
    }
#define PARAM_LIMIT(most, usual)                                                                   \
    {                                                                                              \
        .name = "limit", .kind = PARAM_UINT, .min = 1, .max = most, .fallback = usual,             \
        .help = "at most so many"                                                                  \
    }
#define PARAM_CURSOR                                                                               \
    {                                                                                              \
        .name = "cursor", .kind = PARAM_STRING, .min = 1, .max = 200,                              \
        .help = "next_cursor of the page before"                                                   \
    }

static const struct param events_params[] = {PARAM_Q,
                                             PARAM_FROM,
                                             PARAM_TO,
                                             PARAM_LIMIT(1000, "100"),
                                             PARAM_CURSOR,
                                             {.name = "order",
                                              .kind = PARAM_CHOICE,
                                              .choices = "desc|asc",
                                              .fallback = "desc",
                                              .help = "newest or oldest first"},
                                             {0}};

static const struct param histogram_params[] = {PARAM_Q,
                                                PARAM_FROM,
                                                PARAM_TO,
                                                {.name = "interval",
                                                 .kind = PARAM_STRING,
                                                 .min = 1,
                                                 .max = 8,
                                                 .fallback = "auto",
                                                 .pattern = "^(auto|[1-9][0-9]{0,6})$",
                                                 .help = "auto, or seconds of a bucket"},
                                                {.name = "by",
                                                 .kind = PARAM_CHOICE,
                                                 .choices = "event_type|severity|none",
                                                 .fallback = "event_type",
                                                 .help = "what makes a series"},
                                                {0}};

static const struct param top_params[] = {PARAM_Q,
                                          PARAM_FROM,
                                          PARAM_TO,
                                          {.name = "field",
                                           .kind = PARAM_STRING,
                                           .min = 1,
                                           .max = 200,
                                           .fallback = "src_ip",
                                           .help = "field whose values are counted"},
                                          PARAM_LIMIT(1000, "10"),
                                          {.name = "sum",
                                           .kind = PARAM_STRING,
                                           .min = 1,
                                           .max = 200,
                                           .help = "numeric field to add up and order by"},
                                          {0}};

static const struct param id_path[] = {
    {.name = "id", .kind = PARAM_STRING, .min = 1, .max = 200, .help = "identity"}, {0}};

static const struct param name_path[] = {
    {.name = "name", .kind = PARAM_STRING, .min = 1, .max = NAME_MAX_BYTES, .help = "user's name"},
    {0}};

static const struct param captures_params[] = {{.name = "name",
                                                .kind = PARAM_STRING,
                                                .max = 255,
                                                .fallback = "capture.pcap",
                                                .help = "the file's name"},
                                               {0}};

static const struct param capture_start_body[] = {{.name = "interface",
                                                   .kind = PARAM_STRING,
                                                   .required = true,
                                                   .min = 1,
                                                   .max = 15,
                                                   .help = "name of the interface"},
                                                  {.name = "filter",
                                                   .kind = PARAM_STRING,
                                                   .max = 1000,
                                                   .fallback = "",
                                                   .help = "BPF filter (tcpdump's language)"},
                                                  {0}};

static const struct param capture_stop_body[] = {{.name = "sensor",
                                                  .kind = PARAM_STRING,
                                                  .required = true,
                                                  .min = 1,
                                                  .max = NAME_MAX_BYTES,
                                                  .help = "the sensor's id"},
                                                 {0}};

static const struct param jobs_params[] = {PARAM_LIMIT(1000, "100"), {0}};

#define ROLES "admin|analyst|viewer"

static const struct param user_body[] = {{.name = "name",
                                          .kind = PARAM_STRING,
                                          .required = true,
                                          .min = 1,
                                          .max = NAME_MAX_BYTES,
                                          .pattern = "^[A-Za-z0-9][A-Za-z0-9._@-]*$",
                                          .help = "letters, digits, . _ - @"},
                                         {.name = "role",
                                          .kind = PARAM_CHOICE,
                                          .choices = ROLES,
                                          .fallback = "viewer",
                                          .help = "what the user may do"},
                                         {.name = "password",
                                          .kind = PARAM_STRING,
                                          .min = PASSWORD_MIN,
                                          .max = PASSWORD_MAX,
                                          .help = "8 to 256 bytes"},
                                         {0}};

static const struct param password_body[] = {{.name = "password",
                                              .kind = PARAM_STRING,
                                              .min = PASSWORD_MIN,
                                              .max = PASSWORD_MAX,
                                              .help = "8 to 256 bytes"},
                                             {0}};

static const struct param token_body[] = {{.name = "name",
                                           .kind = PARAM_STRING,
                                           .required = true,
                                           .min = 1,
                                           .max = NAME_MAX_BYTES,
                                           .help = "what it is for"},
                                          {.name = "user",
                                           .kind = PARAM_STRING,
                                           .min = 1,
                                           .max = NAME_MAX_BYTES,
                                           .help = "whose it is; default: one's own"},
                                          {.name = "role",
                                           .kind = PARAM_CHOICE,
                                           .choices = ROLES,
                                           .fallback = "viewer",
                                           .help = "at most this"},
                                          {.name = "kind",
                                           .kind = PARAM_CHOICE,
                                           .choices = "api|sensor",
                                           .fallback = "api",
                                           .help = "for scripts, or for a sensor's link"},
                                          {.name = "days",
                                           .kind = PARAM_UINT,
                                           .min = 0,
                                           .max = 3650,
                                           .fallback = "0",
                                           .help = "valid for so many days; 0: for ever"},
                                          {0}};

static const struct param settings_body[] = {
    {.name = "retention_days",
     .kind = PARAM_UINT,
     .min = 1,
     .max = 3650,
     .help = "events are kept so long"},
    {.name = "keep_raw", .kind = PARAM_BOOL, .help = "keep the events' own text too"},
    {.name = "home_net", .kind = PARAM_STRINGS, .max = 256, .help = "networks that are one's own"},
    {.name = "language",
     .kind = PARAM_CHOICE,
     .choices = "zh|en",
     .help = "language of the console"},
    {0}};

#define STATUSES   "new|archived|escalated|all"
#define SEVERITIES "critical|high|medium|low|info"

static const struct param range_params[] = {PARAM_FROM, PARAM_TO, {0}};

static const struct param alerts_params[] = {PARAM_Q,
                                             PARAM_FROM,
                                             PARAM_TO,
                                             {.name = "status",
                                              .kind = PARAM_CHOICE,
                                              .choices = STATUSES,
                                              .fallback = "new",
                                              .help = "what was decided"},
                                             {.name = "severity",
                                              .kind = PARAM_CHOICES,
                                              .choices = SEVERITIES,
                                              .help = "only these, separated by commas"},
                                             {.name = "sort",
                                              .kind = PARAM_CHOICE,
                                              .choices = "last|count|severity",
                                              .fallback = "last",
                                              .help = "order, most first"},
                                             PARAM_LIMIT(500, "100"),
                                             PARAM_CURSOR,
                                             {0}};

static const struct param decide_query[] = {
    PARAM_Q,
    PARAM_FROM,
    PARAM_TO,
    {.name = "status",
     .kind = PARAM_CHOICE,
     .choices = STATUSES,
     .fallback = "new",
     .help = "what was decided"},
    {.name = "severity",
     .kind = PARAM_STRING,
     .max = 64,
     .fallback = "",
     .pattern = "^((critical|high|medium|low|info)(,(critical|high|medium|low|info))*)?$",
     .help = "only these, separated by commas"},
    {0}};

static const struct param decide_body[] = {
    {.name = "ids", .kind = PARAM_STRINGS, .min = 1, .max = 10000, .help = "groups"},
    {.name = "query",
     .kind = PARAM_OBJECT,
     .inner = decide_query,
     .help = "all groups that this finds"},
    {.name = "action",
     .kind = PARAM_CHOICE,
     .required = true,
     .choices = "archive|escalate|reopen",
     .help = "what is decided"},
    {.name = "note", .kind = PARAM_STRING, .max = 2000, .fallback = "", .help = "why"},
    {0}};

static const struct param undo_body[] = {{.name = "undo",
                                          .kind = PARAM_STRING,
                                          .required = true,
                                          .min = 1,
                                          .max = 64,
                                          .help = "the token of the decision"},
                                         {0}};

static const struct param hosts_params[] = {{.name = "q",
                                             .kind = PARAM_STRING,
                                             .max = 256,
                                             .fallback = "",
                                             .help = "an address, a network, or a part of a name"},
                                            PARAM_FROM,
                                            PARAM_TO,
                                            {.name = "sort",
                                             .kind = PARAM_CHOICE,
                                             .choices = "last|events|alerts|bytes|ip",
                                             .fallback = "last",
                                             .help = "order"},
                                            PARAM_LIMIT(500, "100"),
                                            PARAM_CURSOR,
                                            {0}};

static const struct param ip_path[] = {{.name = "ip", .kind = PARAM_IP, .help = "address"}, {0}};

const struct route routes[] = {
#define ROUTE(...) {__VA_ARGS__},
#include "api/routes.def"
#undef ROUTE
};
const size_t routes_n = LEN(routes);
