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

const struct route routes[] = {
#define ROUTE(...) {__VA_ARGS__},
#include "api/routes.def"
#undef ROUTE
};
const size_t routes_n = LEN(routes);
