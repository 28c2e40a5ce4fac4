/* SPDX-License-Identifier: Apache-2.0 */
/* What is generated from the field table: the JSON schema of the events, the field catalogue that
 * the console and the query language read, and the reference pages. */
#pragma once

#include "base/buf.h"

/* JSON Schema 2020-12 of one event line; objects admit no undeclared member, an
 * event no object that its type does not have (events.def). */
void schema_write(struct buf *out);
/* {"fields":[{name,type,event,column,help{en,zh}}],"events":[{name,title{en,zh}}]} */
void schema_catalogue(struct buf *out);
/* Markdown: every field by object, with type and help. */
void schema_reference(struct buf *out);
