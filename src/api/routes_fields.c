/* SPDX-License-Identifier: Apache-2.0 */
/* The field catalogue, made of the field table. */
#include "api/handlers.h"
#include "event/schema.h"

void fields_run(struct api_call *c)
{
    schema_catalogue(c->out);
}
