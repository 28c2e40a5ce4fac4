/* SPDX-License-Identifier: Apache-2.0 */
/* Data of the keywords that run through bytes: pcre, byte_*, isdataat, base64_decode, transforms;
 * and the comparison with a number that all families share. struct content is in rule.h. Part of
 * keyword.h, which is what to include. */
#pragma once

#include "detect/rule.h"

/* A comparison with a number: ttl, itype, dsize, bsize, urilen, seq, dns.opcode, filesize … */
enum uint_op {
    UINT_EQ,
    UINT_NE,
    UINT_LT,
    UINT_LE,
    UINT_GT,
    UINT_GE,
    UINT_RANGE,     /* a < x < b, both exclusive */
    UINT_NOT_RANGE, /* not (a < x < b) */
    UINT_MASK,      /* (x & a) == b */
    UINT_NOT_MASK,  /* (x & a) != b */
};
struct uint_cond {
    uint8_t op; /* enum uint_op */
    uint64_t a, b;
};

static inline bool uint_cond_match(const struct uint_cond *c, uint64_t x)
{
    switch (c->op) {
    case UINT_EQ:
        return x == c->a;
    case UINT_NE:
        return x != c->a;
    case UINT_LT:
        return x < c->a;
    case UINT_LE:
        return x <= c->a;
    case UINT_GT:
        return x > c->a;
    case UINT_GE:
        return x >= c->a;
    case UINT_RANGE:
        return x > c->a && x < c->b;
    case UINT_NOT_RANGE:
        return !(x > c->a && x < c->b);
    case UINT_MASK:
        return (x & c->a) == c->b;
    default:
        return (x & c->a) != c->b;
    }
}

/* pcre */
struct pcre2_real_code_8;
enum pcre_flag {
    PCRE_RELATIVE = 1,
    PCRE_RAWBYTES = 2,
    PCRE_NEGATED = 4,
    PCRE_MATCH_LIMIT = 8,      /* flag O: the configured limits are not applied */
    PCRE_RELATIVE_NEXT = 0x10, /* a later match of the run is relative to this one */
};
struct pcre_capture {
    uint8_t kind; /* enum variable_kind */
    uint32_t id;  /* in ruleset.flowvars, for VARIABLE_ALERT too */
};
enum variable_kind { VARIABLE_NONE, VARIABLE_FLOW, VARIABLE_PACKET, VARIABLE_ALERT };
struct pcre {
    struct pcre2_real_code_8 *code; /* compiled, not yet JIT-compiled; freed with the ruleset */
    const char *pattern;
    uint32_t options; /* PCRE2_* it was compiled with */
    uint8_t flags;    /* enum pcre_flag */
    uint8_t n_captures;
    const struct pcre_capture *captures; /* group i + 1 */
};

/* A number in a rule, or the index of a byte_extract/byte_math variable. */
struct byte_value {
    int64_t n;
    bool is_var;
};

enum byte_flag {
    BYTE_RELATIVE = 1,
    BYTE_STRING = 2, /* digits in `base` instead of binary */
    BYTE_LITTLE = 4,
    BYTE_DCE = 8, /* byte order from DCE/RPC's header */
    BYTE_ALIGN = 0x10,
    BYTE_FROM_BEGINNING = 0x20,
    BYTE_FROM_END = 0x40,
    BYTE_NEGATED = 0x80,
};

/* byte_test: value at offset, & bitmask >> its trailing zeros, compared. */
enum byte_test_op { BYTE_LT, BYTE_GT, BYTE_EQ, BYTE_AND, BYTE_OR, BYTE_GE, BYTE_LE };
struct byte_test {
    struct byte_value n_bytes, offset, value; /* n_bytes 0: a text number of any length */
    uint64_t bitmask;                         /* 0: none */
    uint8_t op, base;                         /* base: 8, 10, 16 or 0 when binary */
    uint8_t shift;                            /* trailing zeros of bitmask */
    uint16_t flags;                           /* enum byte_flag */
};

struct byte_jump {
    struct byte_value n_bytes, offset;
    int32_t post_offset;
    uint32_t multiplier; /* 1: none */
    uint64_t bitmask;    /* 0: none */
    uint8_t base, shift;
    uint16_t flags;
};

/* byte_extract: var = value * multiplier, rounded up to a multiple of align. */
struct byte_extract {
    uint8_t var; /* index into inspection's variables */
    uint8_t n_bytes, base, align;
    uint32_t multiplier;
    int32_t offset;
    uint16_t flags;
};

enum byte_math_op { MATH_ADD, MATH_SUB, MATH_MUL, MATH_DIV, MATH_SHIFT_LEFT, MATH_SHIFT_RIGHT };
struct byte_math {
    uint8_t var, op, base;
    struct byte_value n_bytes, operand;
    int32_t offset;
    uint64_t bitmask; /* 0: none */
    uint8_t shift;
    uint16_t flags;
};

struct isdataat {
    struct byte_value at;
    bool relative, negated, rawbytes;
};

/* base64_decode decodes from `offset` on (relative to the last match if asked) at most n_bytes (0:
 * all); the conditions behind base64_data run on the result. */
struct base64_decode {
    uint32_t n_bytes, offset;
    bool relative;
    struct match *matches; /* of base64_data; NULL: decoding something is enough */
};

struct entropy {
    struct byte_value n_bytes, offset;
    uint8_t op; /* enum uint_op */
    double value, value2;
};

struct absent {
    bool or_else; /* absent, or the other conditions hold */
};

struct rpc {
    bool has_program, has_version, has_procedure;
    uint32_t program, version, procedure;
};

struct asn1 {
    bool bitstring_overflow, double_overflow, relative;
    bool has_oversize, has_absolute_offset;
    uint32_t oversize_length;
    int32_t offset;
};

/* Transforms of a buffer, rule.h's buffer_matches. */
enum transform_kind {
    TRANSFORM_STRIP_WHITESPACE,
    TRANSFORM_COMPRESS_WHITESPACE,
    TRANSFORM_DOTPREFIX,
    TRANSFORM_TO_LOWERCASE,
    TRANSFORM_TO_UPPERCASE,
    TRANSFORM_MD5,
    TRANSFORM_SHA1,
    TRANSFORM_SHA256,
    TRANSFORM_URL_DECODE,
    TRANSFORM_XOR,
    TRANSFORM_PCRE, /* pcrexform: the first capture */
    TRANSFORM_HEADER_LOWERCASE,
    TRANSFORM_STRIP_PSEUDO_HEADERS,
    TRANSFORM_DOMAIN,
    TRANSFORM_TLD,
    TRANSFORM_FROM_BASE64,
    TRANSFORM_GUNZIP,
    TRANSFORM_ZLIB_DEFLATE,
};
enum base64_mode { BASE64_RFC4648, BASE64_RFC2045, BASE64_STRICT };
enum dataset_op { DATASET_OP_ISSET, DATASET_OP_ISNOTSET, DATASET_OP_SET, DATASET_OP_UNSET };
struct dataset;
struct dataset_match {
    struct dataset *set; /* shared, locks itself */
    const char *context; /* under which alerts show what the set says of the value, or NULL */
    uint8_t op;          /* enum dataset_op */
};
struct datarep_match {
    struct dataset *set;
    struct uint_cond cond; /* on the value's reputation */
};
struct transform {
    uint8_t kind;    /* enum transform_kind */
    struct span key; /* xor */
    const struct pcre *pcre;
    uint8_t base64_mode; /* from_base64 */
    uint32_t n_bytes, offset;
    uint32_t max_size; /* gunzip, zlib_deflate */
};
