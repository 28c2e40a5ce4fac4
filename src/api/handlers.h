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

/* routes_events.c */
void events_run(struct api_call *c);
void event_run(struct api_call *c);
void histogram_run(struct api_call *c);
void top_run(struct api_call *c);

/* routes_jobs.c */
void captures_run(struct api_call *c);
void capture_start_run(struct api_call *c);
void capture_stop_run(struct api_call *c);
void demo_run(struct api_call *c);
void jobs_run(struct api_call *c);
void job_run(struct api_call *c);
void interfaces_run(struct api_call *c);

/* routes_admin.c */
void users_run(struct api_call *c);
void user_post(struct api_call *c);
void user_delete_run(struct api_call *c);
void user_password_put(struct api_call *c);
void tokens_run(struct api_call *c);
void token_post(struct api_call *c);
void token_delete_run(struct api_call *c);
void settings_get(struct api_call *c);
void settings_put(struct api_call *c);

/* routes_alerts.c */
void alerts_run(struct api_call *c);
void alert_run(struct api_call *c);
void decide_run(struct api_call *c);
void undo_run(struct api_call *c);

/* routes_overview.c */
void overview_run(struct api_call *c);

/* routes_hosts.c */
void hosts_run(struct api_call *c);
void host_run(struct api_call *c);

/* routes_sensors.c */
void sensors_run(struct api_call *c);

/* openapi.c */
void openapi_run(struct api_call *c);
