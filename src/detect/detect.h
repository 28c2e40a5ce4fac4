/* SPDX-License-Identifier: Apache-2.0 */
/* The detection engine as the sensor sees it: load rules into an immutable ruleset, then run it on
 * every packet with what its flow and application layer hold. Rule language, compilation and
 * prefilter are behind this gate. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "event/event.h"
#include "flow/flow.h"
#include "packet/packet.h"
#include "proto/app.h"

/* One message about a rule file: which rule could not be loaded (or only with a reserve), where and
 * why. */
struct diagnostic {
    const char *file;
    uint32_t line, column; /* from 1 */
    uint32_t sid;          /* 0 when it was not found */
    const char *keyword;   /* or NULL */
    const char *reason;
    bool warning; /* the rule was loaded all the same */
};

/* A data set of the configuration. */
struct dataset_preset {
    const char *name, *type, *load, *save; /* paths: in the data folder unless absolute */
    bool state;                            /* load and save are one, which need not be there yet */
    uint64_t memcap;
};

struct rule_vars; /* address and port variables, detect/vars.h */

struct detect_conf {
    struct rule_vars *vars;
    const char *classification_file; /* NULL: what Suricata ships */
    const char *reference_file;
    const char *threshold_file;
    bool inline_mode; /* drop rules drop (simulated or real) */
    uint32_t inspection_recursion_limit;
    uint32_t pcre_match_limit, pcre_recursion_limit;
    uint32_t max_alerts;   /* per packet (packet-alert-max), 15 */
    const char *cache_dir; /* compiled pattern databases, or NULL */
    bool guess_tx;         /* stream alerts name the only live transaction */
    uint32_t stream_tx_log_limit;
    bool alert_metadata, alert_raw_rule, alert_references; /* what alert events hold */
    const char *data_dir; /* where sets that rules change are kept; NULL: this folder */
    bool dataset_no_write, dataset_absolute; /* may rules save sets, and anywhere? */
    uint64_t dataset_memcap;                 /* bytes of a set, 0: 100 MiB */
    struct dataset_preset datasets[32];
    size_t n_datasets;
    const char *iprep_categories; /* NULL: there are no reputations */
    char *iprep_files[32];
    size_t n_iprep_files;
    bool ja3_off, ja4_off, hassh_off; /* switched off: rules on them cannot load */
    char action_order[4]; /* p(ass), d(rop), r(eject), a(lert) as rules are tried; zeros: so */
};

struct ruleset;

void detect_conf_default(struct detect_conf *c);
/* Loads rule files (paths; globs are the caller's). Rules that cannot load are diagnosed, the
 * others load. False only when nothing could be read or compiled at all. */
bool ruleset_load(const struct detect_conf *conf, const char *const *files, size_t n_files,
                  struct ruleset **ret, struct err *e);
void ruleset_free(struct ruleset *r);
/* Does a rule ask for file digests of n bytes (16 MD5, 20 SHA-1, 32 SHA-256)? */
bool ruleset_wants_digest(const struct ruleset *r, unsigned n);
/* Does a rule look into a buffer whose name starts so ("ja3", "ssh.hassh")? */
bool ruleset_wants_buffer(const struct ruleset *r, const char *prefix);
/* Does a rule ask for this enum stream_event? */
bool ruleset_wants_stream_event(const struct ruleset *r, unsigned event);
/* Opens the files that data sets are to be written to, before rights are given up; writes them at
 * the end. */
bool ruleset_data_open(struct ruleset *r, struct err *e) MUST_CHECK;
bool ruleset_data_save(struct ruleset *r, struct err *e) MUST_CHECK;
size_t ruleset_active(const struct ruleset *r); /* rules found that are not commented out */
size_t ruleset_loaded(const struct ruleset *r);
size_t ruleset_failed(const struct ruleset *r);
size_t ruleset_skipped(const struct ruleset *r); /* left out by what they require */
const struct diagnostic *ruleset_diagnostics(const struct ruleset *r, size_t *ret_n);
/* {"rules":{"active","loaded","failed"},"diagnostics":[…]} */
void ruleset_report_json(const struct ruleset *r, struct buf *out);
void ruleset_report_text(const struct ruleset *r, struct buf *out);

struct alert_context {
    const char *key;
    struct span json; /* one line */
};

/* One alert of a packet, newest pass first; strings live with the ruleset. */
struct alert {
    const struct rule *rule;
    struct tx *tx; /* the transaction it matched in, or NULL */
    uint64_t tx_id;
    bool has_tx, tx_guessed, stream, dropped, from_frame;
    uint8_t n_context;
    const struct alert_context *context; /* what data sets say of the values that matched */
    bool passed; /* a pass rule ended the packet's inspection: EVE's verdict */
    uint8_t dir;
};

struct alerts {
    size_t n;
    struct alert list[64];
    uint32_t suppressed, overflowed;
    bool drop, reject, pass;
    bool tagged;                    /* a `tag` wants this packet logged, with or without alerts */
    const struct alert *dropped_by; /* the first rule that dropped, logged or not; or NULL */
    struct alert dropping;
};

struct detect; /* one per worker: scratch, thresholds' view, statistics */

struct detect *detect_new(const struct ruleset *r, const struct detect_conf *conf);
void detect_free(struct detect *d);
/* Inspects one packet after stream and application layer have seen it; fills *alerts (cleared
 * first) in the order in which they are to be logged, marks inspected transactions and lets raw
 * stream data go. `a` may be NULL. */
void detect_packet(struct detect *d, struct packet *p, struct flow *f, struct app *a,
                   struct alerts *alerts);
/* The flow ends: frees what detect hung on it. */
void detect_flow_free(struct detect *d, struct flow *f);
/* Opens the alert object and writes what detection knows; the caller closes it. */
void detect_alert_log(const struct detect *d, const struct alert *a, const struct packet *p,
                      struct event *ev);
/* Writes metadata (flowbits, flowints…) if there is any; false if not. With d (may be NULL) also
 * what rules captured of p, if p is the packet it inspected last. */
bool detect_metadata_log(const struct detect *d, const struct packet *p, const struct flow *f,
                         const struct ruleset *r, struct event *ev);
/* The rule's text, sid, gid and action of an alert. */
uint32_t alert_sid(const struct alert *a);
bool alert_is_silent(const struct alert *a); /* noalert: nothing is logged */

enum counter_detect {
#define DETECT_COUNTER(id, name) DTC_##id,
#include "detect/detect_counters.def"
#undef DETECT_COUNTER
    DETECT_COUNTERS
};
const char *detect_counter_name(enum counter_detect c);
const uint64_t *detect_counters(const struct detect *d);

/* --list-keywords: every keyword with its help, from keywords.def and the protocols' buffers. */
void keywords_list(struct buf *out, bool csv);
