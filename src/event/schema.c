/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the field table, children of a parent in table order. Cold: run by the generator and once
 * by the node. */
#include "event/schema.h"

#include "base/json.h"
#include "event/field.h"

static void schema_members(struct buf *out, enum field parent, int indent);

static void schema_line(struct buf *out, int indent)
{
    buf_printf(out, "\n%*s", indent * 1, "");
}

/* The largest value that the store's column holds, which is that of the protocol's field. */
static void schema_maximum(struct buf *out, enum field f)
{
    static const uint64_t most[] = {
        [COL_U8] = UINT8_MAX, [COL_U16] = UINT16_MAX, [COL_U32] = UINT32_MAX};
    unsigned c = field_table[f].column;

    if (c < LEN(most) && most[c])
        buf_printf(out, ",\"maximum\":%llu", (unsigned long long)most[c]);
}

static void schema_event_names(struct buf *out)
{
    buf_str(out, "\"enum\":[");
    for (unsigned t = 0; t < EVENT_TYPES; t++)
        buf_printf(out, "%s\"%s\"", t ? "," : "", event_table[t].name);
    buf_str(out, "]");
}

static void schema_type(struct buf *out, enum field f, int indent)
{
    if (f == F_event_type) {
        schema_event_names(out);
        return;
    }
    switch ((enum field_type)field_table[f].type) {
    case T_OBJ:
        schema_members(out, f, indent);
        break;
    case T_LIST:
        buf_str(out, "\"type\":\"array\",\"items\":{");
        schema_members(out, f, indent);
        buf_str(out, "}");
        break;
    case T_MAP:
        buf_str(out, "\"type\":\"object\",\"additionalProperties\":{\"type\":"
                     "[\"integer\",\"string\",\"array\",\"object\"]}");
        break;
    case T_STR:
        buf_str(out, "\"type\":\"string\"");
        break;
    case T_IP:
        buf_str(out, "\"type\":\"string\",\"pattern\":\"^([0-9]{1,3}(\\\\.[0-9]{1,3}){3}|"
                     "[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}(:[0-9]{1,3}(\\\\.[0-9]{1,3}){3})?)$\"");
        break;
    case T_TIME:
        buf_str(out, "\"type\":\"string\",\"pattern\":\"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]"
                     "{2}:[0-9]{2}\\\\.[0-9]{6}[+-][0-9]{4}$\"");
        break;
    case T_UINT:
        buf_str(out, "\"type\":\"integer\",\"minimum\":0");
        schema_maximum(out, f);
        break;
    case T_INT:
        buf_str(out, "\"type\":\"integer\"");
        break;
    case T_BOOL:
        buf_str(out, "\"type\":\"boolean\"");
        break;
    case T_DOUBLE:
        buf_str(out, "\"type\":\"number\"");
        break;
    case T_STRS:
        buf_str(out, "\"type\":\"array\",\"items\":{\"type\":\"string\"}");
        break;
    case T_UINTS:
        buf_str(out, "\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0}");
        break;
    case T_OBJS:
        buf_str(out, "\"type\":\"array\",\"items\":{\"type\":\"object\"}");
        break;
    }
}

static void schema_members(struct buf *out, enum field parent, int indent)
{
    bool first = true;

    buf_str(out, "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
    for (unsigned f = F_root + 1; f < F_COUNT; f++) {
        if (field_table[f].parent != parent)
            continue;
        if (!first)
            buf_byte(out, ',');
        first = false;
        schema_line(out, indent + 1);
        buf_str(out, field_table[f].quoted);
        buf_str(out, "{\"description\":");
        json_add_string(out, span_str(field_table[f].help_en));
        buf_byte(out, ',');
        schema_type(out, f, indent + 1);
        buf_byte(out, '}');
    }
    buf_byte(out, '}');
}

/* Is the field among the words of an event type's objects? */
static bool schema_listed(enum event_type t, enum field f)
{
    const char *at = event_table[t].objects;
    size_t n = field_table[f].key_n;

    while (*at) {
        size_t word = strcspn(at, " ");
        if (word == n && memcmp(at, field_table[f].key, n) == 0)
            return true;
        at += word + (at[word] == ' ');
    }
    return false;
}

static bool schema_listed_anywhere(enum field f)
{
    for (unsigned t = 0; t < EVENT_TYPES; t++)
        if (schema_listed(t, f))
            return true;
    return false;
}

/* What an event of each type must hold, its own object, and what belongs to other types alone. */
static void schema_events(struct buf *out)
{
    buf_str(out, "\"allOf\":[");
    for (unsigned t = 0; t < EVENT_TYPES; t++) {
        const char *name = event_table[t].name;
        bool first = true;
        buf_printf(out,
                   "%s\n {\"if\":{\"properties\":{\"event_type\":{\"const\":\"%s\"}}},"
                   "\"then\":{\"required\":[\"%.*s\"],\"properties\":{",
                   t ? "," : "", name, (int)strcspn(event_table[t].objects, " "),
                   event_table[t].objects);
        for (unsigned f = F_root + 1; f < F_COUNT; f++) {
            if (field_table[f].parent != F_root || schema_listed(t, f) ||
                !schema_listed_anywhere(f))
                continue;
            buf_printf(out, "%s%sfalse", first ? "" : ",", field_table[f].quoted);
            first = false;
        }
        buf_str(out, "}}}");
    }
    buf_str(out, "],\n");
}

void schema_write(struct buf *out)
{
    buf_str(out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n"
                 "\"title\":\"EVE event\",\"required\":[\"timestamp\",\"event_type\"],\n");
    schema_events(out);
    schema_members(out, F_root, 0);
    buf_str(out, "}\n");
}

/* The event type that a field's topmost object belongs to, or "" for the common ones. */
static const char *schema_event_of(enum field f)
{
    while (field_table[f].parent != F_root)
        f = field_table[f].parent;
    enum event_type t = event_type_find(span_str(field_table[f].key));
    if (t != EVENT_TYPES && field_table[f].type == T_OBJ)
        return event_table[t].name;
    return f == F_tcp ? "flow" : "";
}

static void schema_pair(struct buf *out, const char *en, const char *zh)
{
    buf_str(out, "{\"en\":");
    json_add_string(out, span_str(en));
    buf_str(out, ",\"zh\":");
    json_add_string(out, span_str(zh));
    buf_byte(out, '}');
}

void schema_catalogue(struct buf *out)
{
    char path[FIELD_PATH];

    buf_str(out, "{\"fields\":[");
    for (unsigned f = F_root + 1; f < F_COUNT; f++) {
        const struct field_row *r = &field_table[f];
        field_path(f, path, sizeof(path));
        buf_printf(out,
                   "%s{\"name\":\"%s\",\"type\":\"%s\",\"event\":\"%s\",\"column\":%s,\"help\":",
                   f > 1 ? "," : "", path, field_type_name(r->type), schema_event_of(f),
                   r->column != COL_NONE ? "true" : "false");
        schema_pair(out, r->help_en, r->help_zh);
        buf_byte(out, '}');
    }
    buf_str(out, "],\"events\":[");
    for (unsigned t = 0; t < EVENT_TYPES; t++) {
        buf_printf(out, "%s{\"name\":\"%s\",\"title\":", t ? "," : "", event_table[t].name);
        schema_pair(out, event_table[t].title_en, event_table[t].title_zh);
        buf_byte(out, '}');
    }
    buf_str(out, "]}");
}

void schema_reference(struct buf *out)
{
    char path[FIELD_PATH];
    const char *last = NULL;

    buf_str(out, "# Event fields\n\nMade from the field table by `make docs`; do not edit.\n");
    for (unsigned f = F_root + 1; f < F_COUNT; f++) {
        const struct field_row *r = &field_table[f];
        enum field top = f;
        while (field_table[top].parent != F_root)
            top = field_table[top].parent;
        bool common = top == f && r->type != T_OBJ && r->type != T_LIST;
        const char *section = common ? "common" : field_table[top].key;
        if (!last || strcmp(section, last) != 0)
            buf_printf(out, "\n## %s\n\n| field | type | what | 说明 |\n|---|---|---|---|\n",
                       section);
        last = section;
        field_path(f, path, sizeof(path));
        buf_printf(out, "| `%s` | %s%s | %s | %s |\n", path, field_type_name(r->type),
                   r->column != COL_NONE ? ", column" : "", r->help_en, r->help_zh);
    }
}
