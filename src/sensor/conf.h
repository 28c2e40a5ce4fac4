/* SPDX-License-Identifier: Apache-2.0 */
/* The sensor's settings: Suricata's configuration vocabulary in YAML, its shipped defaults when
 * there is no file, and `--set`. Every key of a file is looked up in conf_keys.def: unknown ones
 * are named with the nearest known key, known ones without effect here are named too. */
#pragma once

#include "detect/detect.h"
#include "flow/stream.h"
#include "packet/decode.h"
#include "proto/conf.h"
#include "sensor/yaml_tree.h"

enum { CONF_EVES = 8, CONF_RULE_FILES = 256 };

struct eve_alert_conf {
    bool payload, payload_printable, packet, http_body, http_body_printable, tagged_packets;
    bool app_metadata, flow, rule_metadata, rule_raw, rule_reference, verdict;
    uint32_t payload_bytes;
};

struct eve_conf {
    char *filename, *filetype; /* regular, unix_stream, unix_dgram */
    bool append;
    uint64_t rotate_bytes; /* 0: never */
    uint32_t rotate_s;
    bool types[EVENT_TYPES];
    bool anomaly_decode, anomaly_stream, anomaly_app, anomaly_packet;
    struct eve_alert_conf alert;
    struct log_conf log;
    bool drop_alerts, drop_all, drop_verdict;
    bool stats_totals, stats_threads, stats_deltas, stats_nulls;
    bool community_id, ethernet, metadata, pcap_file, suricata_version;
    uint16_t community_seed;
};

/* outputs.file-store */
struct filestore_settings {
    bool enabled, write_fileinfo;
    char *dir; /* below the log folder unless absolute */
    uint32_t max_open_files;
};

struct sensor_conf {
    struct yaml *yaml;
    struct decode_conf decode;
    struct flow_conf flow;
    struct stream_conf stream;
    struct proto_conf proto;
    struct detect_conf detect;
    struct eve_conf eve[CONF_EVES];
    size_t n_eve;
    struct filestore_settings filestore;
    bool stats_enabled, stats_decoder_events, stats_stream_events;
    uint32_t stats_interval_s;
    char *rule_path;
    char *rule_files[CONF_RULE_FILES];
    size_t n_rule_files;
    char *log_dir;
    char *user, *group; /* run-as */
    char *node_socket;  /* daizong.node: a socket's path, tcp://… or tls://… */
    char *node_token_file, *node_ca_file; /* daizong.token-file, daizong.ca-file */
    uint64_t node_stream;                 /* daizong.stream; 0: random */
    char *sensor_name, *unit;             /* daizong.sensor-name, daizong.unit */
    uint64_t app_memory_bytes;            /* all application-layer state of one worker */
    bool simulate_ips;
    uint8_t app_error_policy; /* enum exception_policy */
    uint8_t defrag_memcap_policy;
    unsigned warnings;
};

/* The built-in defaults of a program without any configuration file: what Suricata ships. */
void conf_default(struct sensor_conf *c);
/* Reads `path` (NULL: the shipped defaults) and the settings "key=value" of the command line. */
bool conf_load(struct sensor_conf *c, const char *path, const char *const *sets, size_t n_sets,
               struct err *e);
void conf_free(struct sensor_conf *c);
/* -T: what the configuration means, as text. */
void conf_explain(const struct sensor_conf *c, struct buf *out);
/* Names keys that are unknown or without effect, through log_warn; returns how many. */
unsigned conf_check_keys(const struct yaml *root);
/* The outputs section: fills c->eve. */
bool conf_outputs(struct sensor_conf *c, struct yaml *outputs, struct err *e);
/* The sections datasets and default-data-dir. */
bool conf_datasets(struct sensor_conf *c, struct yaml *root, struct err *e);
/* app-layer.protocols.http.libhtp. */
bool conf_http(struct sensor_conf *c, struct yaml *root, struct err *e);
/* Details of http and tls events. */
bool http_log_options(struct http_log_conf *h, struct yaml *y, struct err *e);
bool tls_log_options(struct tls_log_conf *t, struct tls_conf *p, struct yaml *y, struct err *e);
/* What the shipped default configuration logs. */
void conf_outputs_default(struct sensor_conf *c);

/* The sections stream and host-os-policy. */
bool conf_stream(struct sensor_conf *c, struct yaml *root, struct err *e);
/* Exception policies. */
bool conf_policies(struct sensor_conf *c, struct yaml *root, struct err *e);

/* Looking up typed values below a node; a missing key leaves *ret as it is. A value of the wrong
 * form is an error that names file, line and key. */
bool conf_bool(struct yaml *at, const char *path, bool *ret, struct err *e);
bool conf_size32(struct yaml *at, const char *path, uint32_t *ret, struct err *e);
bool conf_size64(struct yaml *at, const char *path, uint64_t *ret, struct err *e);
bool conf_str(struct yaml *at, const char *path, char **ret, struct err *e);
