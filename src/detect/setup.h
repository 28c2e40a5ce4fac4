/* SPDX-License-Identifier: Apache-2.0 */
/* The workshop of one rule: what the set-up function of a keyword gets to read, and the tools with
 * which it puts conditions into the rule. A set-up function checks the option's value, allocates
 * its data on the ruleset's arena and places it with build_add; on a fault it returns
 * rule_fail(...). Inside the front end only. */
#pragma once

#include "detect/buffers.h"
#include "detect/keyword.h"
#include "detect/lex.h"
#include "detect/vars.h"

enum keyword_flag {
    KF_VALUE = 1,     /* needs a value */
    KF_OPTIONAL = 2,  /* may have one */
    KF_NOVALUE = 4,   /* must not */
    KF_NEGATE = 8,    /* `!` before the value negates; taken off */
    KF_QUOTED = 0x10, /* the value must be quoted; quotes taken off */
    KF_QUOTES = 0x20, /* the value may be quoted */
};

struct option {
    struct span name, value; /* value without negation and quotes, escapes as written */
    bool has_value, negated;
    uint16_t keyword; /* enum keyword_id */
    uint16_t index;   /* buffer, value or foreign protocol that the name stands for */
};

struct build;
typedef bool setup_fn(struct build *b, const struct option *o);

struct keyword {
    const char *name, *aliases;
    setup_fn *setup;
    uint8_t flags; /* enum keyword_flag */
    const char *help;
};
extern const struct keyword keyword_table[KEYWORDS];

struct name_table; /* interned names: flowbits, …; names.h */

/* What all rules of a ruleset share while loading. */
struct loader {
    struct ruleset *rs;
    struct arena *a; /* &rs->arena */
    const struct detect_conf *conf;
    const struct catalogue *catalogue;
    struct rule_vars *own_vars; /* when the configuration brings none */
    const struct rule_vars *vars;
    struct class_list *classes;
    struct reference_list *references;
    struct name_table *strings; /* every text that many rules share */
    struct name_table *flowbits, *xbits, *flowints, *flowvars;
    struct name_table *addresses, *ports; /* sets by their text */
    const char *file;
    size_t cap_rules, cap_compiled, cap_diagnostics;
};

enum { BUILD_PLACED = 1024, BUILD_VARS = 32, BUILD_TRANSFORMS = 16 };
enum { PLACE_NONE = -1 };

/* A condition that runs through bytes, in rule order, and where it belongs. */
struct placed {
    struct match *m;
    const uint8_t *at; /* its keyword */
    int32_t list;      /* enum match_list: LIST_PAYLOAD, LIST_BASE64, LIST_BUFFER + index */
    struct buffer_matches *run;
    struct base64_decode *base64;
};

struct build {
    struct loader *l;
    struct rule *r;
    const struct lex_rule *text;
    const uint8_t *at; /* token being worked on, for positions */
    /* where contents go: PLACE_NONE (payload, unless a modifier says otherwise), LIST_BASE64,
     * LIST_BUFFER + index */
    int32_t list;
    struct buffer_matches *run; /* of list; NULL until its first condition */
    uint8_t list_dirs;          /* direction said with the sticky buffer, or 0 */
    const uint8_t *list_at;     /* where it was named */
    bool list_fresh;            /* the sticky buffer has no condition yet */
    struct transform transforms[BUILD_TRANSFORMS];
    uint16_t n_transforms;
    struct base64_decode *base64; /* the last one */
    struct placed placed[BUILD_PLACED];
    uint32_t n_placed;
    struct match *packet_tail, *tx_tail, *post_tail;
    struct buffer_matches *runs_tail;
    const char *vars[BUILD_VARS];
    uint8_t n_vars;
    bool foreign;                  /* asks for something of a protocol that is not parsed */
    uint8_t dirs_needed, dirs_any; /* of buffers and values: bits that only they allow */
    bool has_sid, has_rev, has_msg, has_gid, has_classtype, has_flow, has_threshold, has_filter;
    bool wants_packet, wants_stream; /* packet keywords, only_stream … */
    bool silent;                     /* `requires` is not fulfilled: left out without a message */
    const struct match *last;        /* the condition added last, for prefilter */
    bool failed;
    char reason[320];
    const char *keyword;
};

/* Records why the rule cannot load, at the current token, and returns false. */
bool rule_fail(struct build *b, const char *fmt, ...) PRINTF_LIKE(2, 3) COLD;
/* The same at a place inside the option. */
bool rule_fail_at(struct build *b, const uint8_t *at, const char *fmt, ...) PRINTF_LIKE(3, 4) COLD;
/* Records a reserve; the rule loads. */
void rule_warn(struct build *b, const char *fmt, ...) PRINTF_LIKE(2, 3) COLD;

/* n zeroed bytes of the ruleset's arena. */
void *build_get(struct build *b, size_t n);
/* A copy of s on the arena, as a C string shared by all that ask for the same. */
const char *build_str(struct build *b, struct span s);

/* Adds a condition to LIST_PACKET, LIST_TX or LIST_POST. */
void build_add(struct build *b, enum match_list list, enum keyword_id kind, const void *data);
/* Adds a condition on the packet itself: the rule is tried on packets, not on the stream. */
void build_add_packet(struct build *b, enum keyword_id kind, const void *data);
/* Adds a condition that runs through bytes, where contents go now. `relative`: where the last such
 * condition went. NULL after a failure. */
struct placed *build_place(struct build *b, enum keyword_id kind, const void *data, bool relative);
/* The last condition of one of two kinds where contents go now, or NULL. */
struct placed *build_last(struct build *b, enum keyword_id kind, enum keyword_id or_kind);
/* The run of conditions on a buffer without transforms, made if there is none. */
struct buffer_matches *build_run(struct build *b, uint16_t buffer);
/* The data of a condition that is still being built. */
static inline void *match_data(const struct match *m)
{
    void *p;
    memcpy(&p, &m->data, sizeof(p));
    return p;
}
/* Adds a content to a buffer whatever the sticky buffer is; that one must be PLACE_NONE. */
bool content_on_buffer(struct build *b, struct content *c, uint16_t buffer);
/* A sticky buffer begins. */
bool build_sticky(struct build *b, uint16_t buffer);
/* The protocol is needed: sets rule.app or fails when another one is set. */
bool build_app(struct build *b, uint8_t app);
/* The number of a byte_extract or byte_math variable, or -1. */
int build_var(const struct build *b, struct span name);
/* Declares one; false when it is there already or there are too many. */
bool build_var_add(struct build *b, struct span name, uint8_t *ret);
/* Number of a name in one of the loader's tables. */
uint32_t build_name(struct build *b, struct name_table *t, struct span name);

/* "5", ">5", "<=5", "!5", "1-10", "1<>10", "&0x40=0x40": a comparison; `max` is the largest value.
 * Fails the rule when it is none. */
bool parse_uint_cond(struct build *b, struct span text, uint64_t max, struct uint_cond *ret);
/* Decimal or 0x-hexadecimal, with a unit (kb, mib …) where units is set. */
bool parse_uint(struct span text, bool units, uint64_t *ret);
/* Decimal with sign. */
bool parse_int(struct span text, int64_t min, int64_t max, int64_t *ret);
/* The next element of a comma-separated list, trimmed. */
struct span next_element(struct span *rest);
/* pcrexform: compiles an expression with exactly one group. */
bool pcre_transform(struct build *b, struct span text, const struct pcre **ret);
/* keyword_dataset.c: makes the data sets of the configuration. */
bool datasets_preset(struct loader *l, struct err *e) MUST_CHECK;
/* Takes off escapes and |hex|: the bytes of a content. */
bool parse_content(struct build *b, struct span text, struct span *ret);
/* "http1:request_started" in the header: the rule applies from that state on. */
bool rule_hook(struct build *b, struct span state);
/* The last checks when all options are set up: directions, protocols, what is inspected where;
 * builds the lists. */
bool rule_finish(struct build *b);

#define KEYWORD(id, name, aliases, setup, match, flags, help) setup_fn setup_##setup;
#include "detect/keywords.def"
#undef KEYWORD
