/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers that routes.def names, by the file that holds them. */
#pragma once

#include "api/route.h"

/* routes_session.c */
void session_post(struct api_call *c);
void session_get(struct api_call *c);
void session_delete(struct api_call *c);
void session_password(struct api_call *c);

/* routes_fields.c */
void fields_run(struct api_call *c);
