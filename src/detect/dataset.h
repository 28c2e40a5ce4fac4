/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of values that rules look up and change: `dataset` and `datarep`. A set belongs to the
 * ruleset, is shared by all workers under a lock of its own and has a ceiling in bytes. Its file is
 * read at start; what rules add is written back when the ruleset goes. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum dataset_type { DATASET_STRING, DATASET_MD5, DATASET_SHA256, DATASET_IPV4, DATASET_IP };
enum dataset_format {
    DATASET_CSV,    /* a value a line; with a reputation: value,number */
    DATASET_JSON,   /* an array of objects */
    DATASET_NDJSON, /* an object a line */
};

enum { DATASET_NAME = 64, DATASET_BYTES = 100 << 20, DATASET_FILE_BYTES = 512 << 20 };

/* How a file is to be read. */
struct dataset_source {
    uint8_t format;    /* enum dataset_format */
    bool reputation;   /* CSV: a number follows each value */
    struct span value; /* JSON: path of the value in each object, "host.name" */
    struct span array; /* JSON: path of the array, empty: the file is the array */
    bool remove_value; /* JSON: leave the value out of what alerts show */
};

struct dataset_hit {
    uint16_t reputation;
    struct span json; /* what the file says of the value, lives as long as the set; or empty */
};

struct dataset;

struct dataset *dataset_new(const char *name, enum dataset_type type, uint64_t max_bytes);
/* The file that the set is to be written to. */
void dataset_set_save_path(struct dataset *s, const char *path);
const char *dataset_save_path(const struct dataset *s); /* or NULL */
void dataset_free(struct dataset *s);
const char *dataset_name(const struct dataset *s);
enum dataset_type dataset_type(const struct dataset *s);
bool dataset_type_find(struct span name, enum dataset_type *ret);
/* Sets read from JSON do not change: what alerts show points into them. */
bool dataset_is_fixed(const struct dataset *s);

enum dataset_change { DATASET_SAME, DATASET_CHANGED, DATASET_FULL };

/* Values as the buffers have them: raw bytes, 16 or 32 bytes of a digest, 4 or 16 bytes of an
 * address. A value that is not of the set's type is in no set and cannot be added. */
bool dataset_find(struct dataset *s, struct span value, struct dataset_hit *ret);
/* Changed: it was not there before. */
enum dataset_change dataset_add(struct dataset *s, struct span value);
/* True: it was there. */
bool dataset_remove(struct dataset *s, struct span value);

/* dataset_file.c */
/* Reads a file; a missing one is an error. The message names line and fault. */
bool dataset_load(struct dataset *s, const char *path, const struct dataset_source *how,
                  struct err *e) MUST_CHECK;
/* Opens the file that the set is to be written to, now, because later there is no right to. */
bool dataset_open(struct dataset *s, struct err *e) MUST_CHECK;
/* Writes the set out if its file is open. */
bool dataset_save(struct dataset *s, struct err *e) MUST_CHECK;

/* For dataset_file.c: a value with what is known of it, as parsed; the first one wins. */
enum dataset_change dataset_put(struct dataset *s, struct span value, uint16_t reputation,
                                struct span json);
/* A value as text: Base64 of a string, hex of a digest, an address. False: it is none. */
bool dataset_value_read(enum dataset_type t, struct span text, bool base64, struct buf *out);
void dataset_value_write(enum dataset_type t, struct span value, struct buf *out);
/* Calls f with each value. */
void dataset_each(struct dataset *s, void (*f)(void *arg, struct span value), void *arg);
int dataset_fd(const struct dataset *s);
void dataset_set_fd(struct dataset *s, int fd);
void dataset_set_fixed(struct dataset *s);
