/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of DNS share: a message as it was read. Inside the family only. */
#pragma once

#include "proto/conf.h"
#include "proto/dns_name.h"
#include "proto/proto.h"

/* Record types whose data are read. */
enum dns_type {
    T_A = 1,
    T_NS = 2,
    T_CNAME = 5,
    T_SOA = 6,
    T_NULL = 10,
    T_PTR = 12,
    T_MX = 15,
    T_TXT = 16,
    T_AAAA = 28,
    T_SRV = 33,
    T_OPT = 41,
    T_SSHFP = 44,
};

struct dns_record {
    struct dns_record *next;
    struct dns_name name;
    uint16_t type, class;
    uint32_t ttl;
    struct span data;       /* A, AAAA, TXT, NULL, SSHFP, OPT: as on the wire */
    struct dns_name target; /* CNAME, NS, PTR, MX, SOA mname, SRV */
    struct dns_name rname;  /* SOA */
    uint32_t soa[5];        /* serial, refresh, retry, expire, minimum */
    uint16_t srv[3];        /* priority, weight, port */
};

enum dns_section { DNS_QUERIES, DNS_ANSWERS, DNS_AUTHORITIES, DNS_ADDITIONALS, DNS_SECTIONS };

struct dns_tx {
    struct tx tx;
    uint16_t id, flags;
    bool response;
    struct dns_record *section[DNS_SECTIONS];
};

bool dns_log(struct app *app, struct tx *tx, enum dir dir, bool alert, struct event *ev);
