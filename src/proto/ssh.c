/* SPDX-License-Identifier: Apache-2.0 */
/* SSH (RFC 4253): both banners, and the key exchange offers for HASSH fingerprints (MD5 of the
 * algorithm lists) when the configuration asks for them. After NEWKEYS everything is encrypted and
 * nothing more is read. One transaction a flow. */
#include "base/hex.h"
#include "proto/conf.h"
#include "proto/proto.h"

#include <openssl/evp.h>

enum {
    SSH_BANNER_MOST = 256, /* RFC 4253 4.2: 255 with CR LF */
    SSH_PACKET_MOST = 256 << 10,
    SSH_KEX_MOST = 32 << 10,
    SSH_KEXINIT = 20,
    SSH_NEWKEYS = 21,
};

enum ssh_progress { SSH_START, SSH_BANNER, SSH_KEX, SSH_DONE };

enum ssh_event { SSH_INVALID_BANNER, SSH_LONG_BANNER, SSH_INVALID_RECORD, SSH_LONG_KEX_RECORD };

static const char *const ssh_event_names[] = {
    [SSH_INVALID_BANNER] = "invalid_banner",
    [SSH_LONG_BANNER] = "long_banner",
    [SSH_INVALID_RECORD] = "invalid_record",
    [SSH_LONG_KEX_RECORD] = "long_kex_record",
};

struct ssh_side {
    struct span proto, software; /* on the transaction's arena */
    struct span hassh_string;
    char hassh[33];
    bool done;
};

struct ssh_tx {
    struct tx tx;
    struct ssh_side side[2];
};

struct ssh_state {
    struct ssh_tx *t;
    uint64_t skip[2]; /* bytes of a packet that are passed over */
    bool off;
};

static enum probe ssh_probe(struct span data, enum dir dir, const struct probe_hint *hint,
                            bool *ret_swap)
{
    struct span head = SPAN("SSH-");

    (void)dir;
    (void)hint;
    (void)ret_swap;
    if (data.n < head.n)
        return span_starts(head, data) ? PROBE_MAYBE : PROBE_NO;
    return span_starts(data, head) ? PROBE_YES : PROBE_NO;
}

/* "SSH-2.0-OpenSSH_9.2p1 Debian" (RFC 4253 4.2): version up to the second hyphen, software up to
 * the comment. */
static bool ssh_banner(struct ssh_tx *t, enum dir dir, struct span line)
{
    struct ssh_side *s = &t->side[dir];

    while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n'))
        line.n--;
    if (!span_starts(line, SPAN("SSH-"))) {
        tx_event(&t->tx, SSH_INVALID_BANNER);
        return false;
    }
    struct span rest = span_from(line, 4);
    size_t hyphen = span_find_byte(rest, '-');
    if (hyphen == rest.n) {
        tx_event(&t->tx, SSH_INVALID_BANNER);
        return false;
    }
    struct span software = span_from(rest, hyphen + 1);
    software = span_cut(software, 0, span_find_byte(software, ' '));
    s->proto = arena_dup(&t->tx.mem, span_cut(rest, 0, hyphen));
    s->software = arena_dup(&t->tx.mem, software);
    tx_progress(&t->tx, dir, SSH_BANNER);
    return true;
}

/* HASSH: kex;encryption;mac;compression of the sender's direction. */
static void ssh_kexinit(struct ssh_tx *t, enum dir dir, struct span body)
{
    struct ssh_side *s = &t->side[dir];
    struct verdict v = {0};
    struct rd r = rd_whole(body, &v);
    struct span lists[10];
    uint8_t digest[16];

    rd_skip(&r, 16); /* cookie */
    for (size_t i = 0; i < LEN(lists); i++) {
        size_t n = rd_u32(&r);
        lists[i] = rd_bytes(&r, n);
    }
    if (v.state != RD_OK) {
        tx_event(&t->tx, SSH_INVALID_RECORD);
        return;
    }
    size_t off = dir == DIR_TC; /* lists alternate: client to server, server to client */
    const struct span parts[] = {lists[0], lists[2 + off], lists[4 + off], lists[6 + off]};
    size_t n = 3;
    for (size_t i = 0; i < LEN(parts); i++)
        n += parts[i].n;
    uint8_t *text = arena_get(&t->tx.mem, n);
    if (!text)
        return;
    size_t at = 0;
    for (size_t i = 0; i < LEN(parts); i++) {
        if (i)
            text[at++] = ';';
        memcpy(text + at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    s->hassh_string = span_of(text, at);
    if (EVP_Digest(text, at, digest, NULL, EVP_md5(), NULL) == 1)
        hex_text(span_of(digest, sizeof(digest)), s->hassh);
    tx_progress(&t->tx, dir, SSH_KEX);
}

/* The banner line, if all of it is there; *used counts it. */
static enum parse ssh_line(struct ssh_tx *t, enum dir dir, struct span data, size_t *used)
{
    size_t end = span_find_byte(data, '\n');

    if (end == data.n && data.n < SSH_BANNER_MOST)
        return PARSE_OK;
    if (end >= SSH_BANNER_MOST) {
        tx_event(&t->tx, SSH_LONG_BANNER);
        /* The line goes on: what is known of it stands, the rest is not a packet. */
        if (!ssh_banner(t, dir, span_cut(data, 0, SSH_BANNER_MOST)))
            return PARSE_FAIL;
        if (end == data.n)
            return PARSE_FAIL;
    } else if (!ssh_banner(t, dir, span_cut(data, 0, end))) {
        return PARSE_FAIL;
    }
    *used = end + 1;
    return PARSE_OK;
}

/* One binary packet (RFC 4253 6): length, padding length, message. */
static bool ssh_packet(struct app *app, struct ssh_state *st, enum dir dir, struct span data,
                       size_t *used)
{
    struct ssh_tx *t = st->t;
    size_t n = be32(data.p);

    if (n < 2 || n > SSH_PACKET_MOST) {
        tx_event(&t->tx, SSH_INVALID_RECORD);
        return false;
    }
    uint8_t type = data.p[5];
    if (type == SSH_NEWKEYS) {
        t->side[dir].done = true;
        tx_progress(&t->tx, dir, SSH_DONE);
    }
    if (type == SSH_KEXINIT && app_conf(app)->ssh.hassh) {
        if (n > SSH_KEX_MOST) {
            tx_event(&t->tx, SSH_LONG_KEX_RECORD);
        } else if (data.n < 4 + n) {
            return true; /* wait for all of it */
        } else {
            ssh_kexinit(t, dir, span_cut(data, 6, n - 2));
        }
    }
    size_t have = min_size(data.n, 4 + n);
    st->skip[dir] = 4 + n - have;
    *used += have;
    return true;
}

static enum parse ssh_packets(struct app *app, struct ssh_state *st, enum dir dir, struct span data,
                              size_t *used)
{
    while (*used < data.n && !st->t->side[dir].done) {
        struct span rest = span_from(data, *used);
        size_t before = *used;
        if (st->skip[dir]) {
            size_t n = min_size(rest.n, st->skip[dir]);
            st->skip[dir] -= n;
            *used += n;
            continue;
        }
        if (rest.n < 6)
            break;
        if (!ssh_packet(app, st, dir, rest, used))
            return PARSE_FAIL;
        if (*used == before)
            break;
    }
    return st->t->side[dir].done ? PARSE_DONE : PARSE_OK;
}

static enum parse ssh_parse(struct app *app, enum dir dir, struct span data, unsigned flags,
                            size_t *consumed)
{
    struct ssh_state *st = app_state(app);
    enum parse verdict = PARSE_OK;

    (void)flags;
    if (st->off)
        return PARSE_DONE;
    if (!st->t)
        st->t = (struct ssh_tx *)(void *)app_tx_new(app);
    if (!st->t)
        return PARSE_FAIL;
    if (st->t->tx.progress[dir] < SSH_BANNER) {
        verdict = ssh_line(st->t, dir, data, consumed);
        if (verdict != PARSE_OK || *consumed == 0)
            return verdict;
    }
    verdict = ssh_packets(app, st, dir, data, consumed);
    st->off = st->t->side[DIR_TS].done && st->t->side[DIR_TC].done;
    if (st->off && app_conf(app)->ssh.encrypt_bypass)
        app_bypass(app);
    return verdict;
}

static bool ssh_log_ready(struct app *app, struct tx *tx, enum dir *ret_dir)
{
    uint8_t want = app_conf(app)->ssh.hassh ? SSH_KEX : SSH_BANNER;

    *ret_dir = DIR_TS;
    return tx->progress[DIR_TS] >= want && tx->progress[DIR_TC] >= want;
}

static void ssh_log_side(struct event *ev, const struct ssh_side *s, bool server)
{
    if (!s->proto.p)
        return;
    event_open(ev, server ? F_ssh_server : F_ssh_client);
    event_str(ev, server ? F_ssh_server_proto_version : F_ssh_client_proto_version, s->proto);
    if (s->software.n)
        event_str(ev, server ? F_ssh_server_software_version : F_ssh_client_software_version,
                  s->software);
    if (s->hassh[0]) {
        event_open(ev, server ? F_ssh_server_hassh : F_ssh_client_hassh);
        event_text(ev, server ? F_ssh_server_hassh_hash : F_ssh_client_hassh_hash, s->hassh);
        event_str(ev, server ? F_ssh_server_hassh_string : F_ssh_client_hassh_string,
                  s->hassh_string);
        event_close(ev);
    }
    event_close(ev);
}

static bool ssh_log(struct app *app, struct tx *tx, enum dir dir, bool alert, struct event *ev)
{
    const struct ssh_tx *t = (const struct ssh_tx *)(const void *)tx;

    (void)app;
    (void)dir;
    (void)alert;
    if (!t->side[DIR_TS].proto.p && !t->side[DIR_TC].proto.p)
        return false;
    event_open(ev, F_ssh);
    ssh_log_side(ev, &t->side[DIR_TS], false);
    ssh_log_side(ev, &t->side[DIR_TC], true);
    event_close(ev);
    return true;
}

static void ssh_gone(struct app *app, const struct tx *tx)
{
    struct ssh_state *st = app_state(app);

    if (st->t && &st->t->tx == tx) {
        st->t = NULL;
        st->off = true;
    }
}

static bool ssh_text(struct span s, uint32_t index, struct inspect *ret)
{
    if (index > 0 || s.n == 0)
        return false;
    *ret = (struct inspect){.data = s, .final = true};
    return true;
}

static const struct ssh_side *ssh_side_of(struct tx *tx, enum dir dir)
{
    return &((struct ssh_tx *)(void *)tx)->side[dir];
}

static bool ssh_get_proto(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return ssh_text(ssh_side_of(tx, dir)->proto, index, ret);
}

static bool ssh_get_software(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return ssh_text(ssh_side_of(tx, dir)->software, index, ret);
}

static bool ssh_get_hassh(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return ssh_text(span_str(ssh_side_of(tx, dir)->hassh), index, ret);
}

static bool ssh_get_hassh_string(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret)
{
    return ssh_text(ssh_side_of(tx, dir)->hassh_string, index, ret);
}

enum { TS = 1 << DIR_TS, TC = 1 << DIR_TC };

static const struct proto_buffer ssh_buffers[] = {
    {.name = "ssh.proto",
     .aliases = "ssh_proto",
     .dirs = TS | TC,
     .progress = SSH_BANNER,
     .get = ssh_get_proto,
     .help = "protocol version"},
    {.name = "ssh.software",
     .aliases = "ssh_software",
     .dirs = TS | TC,
     .progress = SSH_BANNER,
     .get = ssh_get_software,
     .help = "software version"},
    {.name = "ssh.hassh",
     .dirs = TS,
     .progress = SSH_KEX,
     .get = ssh_get_hassh,
     .help = "HASSH of the client"},
    {.name = "ssh.hassh.string",
     .dirs = TS,
     .progress = SSH_KEX,
     .get = ssh_get_hassh_string,
     .help = "text the client's HASSH is made of"},
    {.name = "ssh.hassh.server",
     .dirs = TC,
     .progress = SSH_KEX,
     .get = ssh_get_hassh,
     .help = "HASSH of the server"},
    {.name = "ssh.hassh.server.string",
     .dirs = TC,
     .progress = SSH_KEX,
     .get = ssh_get_hassh_string,
     .help = "text the server's HASSH is made of"},
};

const struct proto proto_ssh = {
    .name = "ssh",
    .title = "SSH",
    .transports = TRANSPORT_TCP,
    .one_tx = true,
    .state_size = sizeof(struct ssh_state),
    .tx_size = sizeof(struct ssh_tx),
    .done = {SSH_DONE, SSH_DONE},
    .probe = ssh_probe,
    .parse = ssh_parse,
    .log = ssh_log,
    .log_ready = ssh_log_ready,
    .tx_gone = ssh_gone,
    .buffers = ssh_buffers,
    .n_buffers = LEN(ssh_buffers),
    .event_names = ssh_event_names,
    .n_events = LEN(ssh_event_names),
    .event_type = EVENT_ssh,
};
