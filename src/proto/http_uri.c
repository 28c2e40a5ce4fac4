/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets: taken apart as libhtp does, and normalised as its personality IDS does (percent
 * and %u decoding, backslashes, repeated slashes, dot segments, UTF-8 to one byte), without lower
 * casing, so that rules on http.uri see one form of what servers take for the same path. Decoding
 * never grows, so every result fits the room of its input. */
#include "proto/http.h"
#include "proto/http_grammar.h"

/* What a non-Latin-1 code point is shown as. */
enum { REPLACEMENT = '?' };

static struct span until(struct span s, const char *stops)
{
    size_t i = 0;

    while (i < s.n && !(s.p[i] && strchr(stops, s.p[i])))
        i++;
    return span_cut(s, 0, i);
}

/* "//user:password@" in front of a host. */
static void take_credentials(struct span *s, struct http_uri *u)
{
    if (!span_starts(*s, SPAN("//")) || (s->n > 2 && s->p[2] == '/'))
        return;
    struct span rest = span_from(*s, 2);
    size_t at = span_find_byte(rest, '@');
    if (at == rest.n)
        return;
    struct span cred = span_cut(rest, 0, at);
    size_t colon = span_find_byte(cred, ':');
    u->user = span_cut(cred, 0, colon);
    if (colon < cred.n)
        u->password = span_from(cred, colon + 1);
    *s = span_from(rest, at + 1);
}

/* A host, perhaps behind "//". False and *s untouched where there is none. */
static bool take_host(struct span *s, struct span *ret)
{
    struct span r = *s;

    if (span_starts(r, SPAN("//")))
        r = span_from(r, 2);
    if (r.n && r.p[0] == '/')
        return false;
    while (r.n && r.p[0] == ' ')
        r = span_from(r, 1);
    struct span host;
    size_t inside = r.n > 1 && r.p[0] == '[' ? until(span_from(r, 1), "/?#]").n : 0;
    if (inside) {
        size_t n = 1 + inside;
        if (n < r.n && r.p[n] == ']')
            n++;
        host = span_cut(r, 0, n);
    } else {
        host = until(r, "/?#:");
        if (!host.n)
            return false;
    }
    *s = span_from(r, host.n);
    while (host.n && host.p[host.n - 1] == ' ')
        host.n--;
    *ret = host;
    return true;
}

static bool take_port(struct span *s, struct span *ret)
{
    struct span r = *s;

    if (!r.n || r.p[0] != ':')
        return false;
    r = span_from(r, 1);
    while (r.n && r.p[0] == ' ')
        r = span_from(r, 1);
    struct span port = until(r, "/?#");
    if (!port.n)
        return false;
    r = span_from(r, port.n);
    port = until(port, " ");
    if (!port.n)
        return false;
    *s = r;
    *ret = port;
    return true;
}

void http_uri_parse(struct span s, struct http_uri *u)
{
    *u = (struct http_uri){0};
    size_t colon = s.n && s.p[0] != '/' ? span_find_byte(s, ':') : s.n;
    if (colon < s.n) {
        u->scheme = span_cut(s, 0, colon);
        s = span_from(s, colon + 1);
        take_credentials(&s, u);
        if (take_host(&s, &u->host))
            (void)take_port(&s, &u->port);
    }
    struct span path = until(s, "#?");
    if (path.n)
        u->path = path;
    s = span_from(s, path.n);
    if (s.n && s.p[0] == '?') {
        s = span_from(s, 1);
        size_t hash = span_find_byte(s, '#');
        u->query = span_cut(s, 0, hash);
        s = span_from(s, hash);
    }
    if (s.n && s.p[0] == '#')
        u->fragment = span_from(s, 1);
}

uint16_t http_port_number(struct span s)
{
    uint64_t v;

    return span_u64(s, &v) && v <= UINT16_MAX ? (uint16_t)v : 0;
}

/* An IPv6 address between brackets: hex groups, colons, a dotted tail. */
static bool host_valid_v6(struct span s)
{
    struct ip ip;

    return ip_parse(s, &ip) && span_find_byte(s, ':') < s.n;
}

bool http_host_valid(struct span h)
{
    size_t label = 0;

    if (!h.n || h.n > 255)
        return false;
    if (h.p[0] == '[' && h.n > 2 && h.p[h.n - 1] == ']')
        return host_valid_v6(span_cut(h, 1, h.n - 2));
    if (h.p[0] == '.')
        return false;
    for (size_t i = 0; i < h.n; i++) {
        uint8_t ch = h.p[i];
        if (ch == '.') {
            if (i + 1 < h.n && h.p[i + 1] == '.')
                return false;
            label = 0;
            continue;
        }
        /* Letters above ASCII count as alphanumeric where Latin-1 has one. */
        bool latin = ch == 0xaa || ch == 0xb2 || ch == 0xb3 || ch == 0xb5 || ch == 0xb9 ||
                     ch == 0xba || (ch >= 0xbc && ch <= 0xbe) ||
                     (ch >= 0xc0 && ch != 0xd7 && ch != 0xf7);
        if (!ascii_is_alpha(ch) && !ascii_is_digit(ch) && ch != '_' && ch != '-' && !latin)
            return false;
        if (++label > 63)
            return false;
    }
    return true;
}

bool http_host_port(struct span s, struct span *ret_host, struct span *ret_port, bool *ret_valid)
{
    *ret_port = (struct span){s.p, 0};
    if (!take_host(&s, ret_host))
        return false;
    *ret_valid = http_host_valid(*ret_host);
    struct span before = s;
    if (take_port(&s, ret_port))
        *ret_valid = *ret_valid && http_port_number(*ret_port) != 0;
    else if (before.n)
        *ret_valid = false;
    return true;
}

static uint8_t hex2(const uint8_t *p)
{
    return (uint8_t)(ascii_hex(p[0]) << 4 | ascii_hex(p[1]));
}

static bool all_hex(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ascii_hex(p[i]) < 0)
            return false;
    }
    return true;
}

/* Best fit of a two-byte code point to one byte: full-width ASCII, common punctuation. */
static uint8_t best_fit(uint32_t cp)
{
    if (cp < 0x100)
        return (uint8_t)cp;
    if (cp >= 0xff01 && cp <= 0xff5e)
        return (uint8_t)(cp - 0xff01 + 0x21);
    switch (cp) {
    case 0x2010:
    case 0x2011:
    case 0x2013:
    case 0x2014:
    case 0x2212:
    case 0x2500:
        return '-';
    case 0x2018:
    case 0x2019:
    case 0x201b:
    case 0x2032:
    case 0x2035:
    case 0x02b9:
    case 0x02bc:
        return '\'';
    case 0x201c:
    case 0x201d:
    case 0x201e:
    case 0x2033:
    case 0x02ba:
        return '"';
    case 0x201a:
        return ',';
    case 0x2044:
    case 0x2215:
        return '/';
    case 0x2216:
        return '\\';
    case 0x2236:
        return ':';
    case 0x2217:
        return '*';
    case 0x2223:
        return '|';
    case 0x2022:
    case 0x2219:
    case 0x22c5:
        return 0xb7;
    case 0x2039:
    case 0x2329:
    case 0x3008:
        return '<';
    case 0x203a:
    case 0x232a:
    case 0x3009:
        return '>';
    case 0x2000:
    case 0x2001:
    case 0x2002:
    case 0x2003:
    case 0x2004:
    case 0x2005:
    case 0x2006:
    case 0x3000:
        return ' ';
    case 0x0100:
    case 0x0102:
    case 0x0104:
    case 0x01cd:
        return 'A';
    case 0x0101:
    case 0x0103:
    case 0x0105:
    case 0x01ce:
        return 'a';
    case 0x0112:
    case 0x0114:
    case 0x0116:
    case 0x0118:
    case 0x011a:
        return 'E';
    case 0x0113:
    case 0x0115:
    case 0x0117:
    case 0x0119:
    case 0x011b:
        return 'e';
    case 0x0131:
    case 0x0129:
    case 0x012b:
        return 'i';
    case 0x0141:
        return 'L';
    case 0x0142:
        return 'l';
    case 0x0160:
        return 'S';
    case 0x0161:
    case 0x017f:
        return 's';
    case 0x212a:
        return 'K';
    default:
        return REPLACEMENT;
    }
}

/* Undoes percent encodings; an invalid one keeps its '%'. Returns the length of the result, which
 * may be written over the input. */
static size_t decode(const uint8_t *s, size_t n, uint8_t *to)
{
    size_t w = 0;

    for (size_t i = 0; i < n;) {
        if (s[i] == '%' && i + 5 < n && (s[i + 1] | 0x20) == 'u' && all_hex(s + i + 2, 4)) {
            to[w++] = best_fit((uint32_t)hex2(s + i + 2) << 8 | hex2(s + i + 4));
            i += 6;
        } else if (s[i] == '%' && i + 2 < n && all_hex(s + i + 1, 2)) {
            to[w++] = hex2(s + i + 1);
            i += 3;
        } else {
            to[w++] = s[i++];
        }
    }
    return w;
}

/* Backslashes to slashes, runs of slashes to one. */
static size_t fold_slashes(uint8_t *s, size_t n)
{
    size_t w = 0;

    for (size_t i = 0; i < n; i++) {
        uint8_t ch = s[i] == '\\' ? '/' : s[i];
        if (ch == '/' && w && s[w - 1] == '/')
            continue;
        s[w++] = ch;
    }
    return w;
}

/* One UTF-8 character at s: its length, or 0 where it is none; overlong forms are accepted. */
static size_t utf8_char(const uint8_t *s, size_t n, uint32_t *ret)
{
    size_t len = s[0] < 0x80   ? 1
                 : s[0] < 0xc0 ? 0
                 : s[0] < 0xe0 ? 2
                 : s[0] < 0xf0 ? 3
                 : s[0] < 0xf5 ? 4
                               : 0;

    if (!len || len > n)
        return 0;
    uint32_t cp = len == 1 ? s[0] : s[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        cp = cp << 6 | (s[i] & 0x3fu);
    }
    *ret = cp;
    return len;
}

/* UTF-8 to single bytes, invalid sequences to the replacement. */
static size_t fold_utf8(uint8_t *s, size_t n)
{
    size_t w = 0, i = 0;
    uint32_t cp;

    while (i < n) {
        if (s[i] < 0x80) {
            s[w++] = s[i++];
            continue;
        }
        size_t len = utf8_char(s + i, n - i, &cp);
        if (len) {
            s[w++] = best_fit(cp);
            i += len;
            continue;
        }
        /* The valid part of a broken sequence counts as one. */
        size_t want = s[i] < 0xc0 ? 1 : s[i] < 0xe0 ? 2 : s[i] < 0xf0 ? 3 : s[i] < 0xf5 ? 4 : 1;
        size_t have = 1;
        while (have < want && i + have < n && (s[i + have] & 0xc0) == 0x80)
            have++;
        s[w++] = REPLACEMENT;
        i += have;
    }
    return w;
}

static size_t back_one_segment(const uint8_t *s, size_t w)
{
    while (w && s[w - 1] != '/')
        w--;
    return w ? w - 1 : 0;
}

/* Removes dot segments (RFC 3986 5.2.4) in place; a path that ends in one keeps no slash. */
static size_t fold_dots(uint8_t *s, size_t n)
{
    size_t w = 0, i = 0;

    /* prefixes "./" and "../" of a path without slash in front */
    while (i < n && s[i] == '.') {
        if (i + 1 < n && s[i + 1] == '/') {
            i += 2;
        } else if (i + 2 < n && s[i + 1] == '.' && s[i + 2] == '/') {
            i += 3;
        } else if (i + 1 == n || (i + 2 == n && s[i + 1] == '.')) {
            return 0;
        } else {
            break;
        }
    }
    bool dropped = false; /* a segment was just removed: its slash is still owed */
    while (i < n) {
        if (!dropped && s[i] != '/') {
            s[w++] = s[i++];
            continue;
        }
        /* at the slash in front of a segment (taken already where one was dropped) */
        size_t seg = dropped ? i : i + 1;
        if (seg < n && s[seg] == '.' && (seg + 1 == n || s[seg + 1] == '/')) {
            i = seg + 1 == n ? n : seg + 2;
            if (seg + 1 == n)
                return w;
            dropped = true;
        } else if (seg + 1 < n && s[seg] == '.' && s[seg + 1] == '.' &&
                   (seg + 2 == n || s[seg + 2] == '/')) {
            w = back_one_segment(s, w);
            if (seg + 2 == n)
                return w;
            i = seg + 3;
            dropped = true;
        } else {
            s[w++] = '/';
            i = seg;
            dropped = false;
            if (i < n)
                s[w++] = s[i++];
        }
    }
    return w;
}

static struct span normal_path(struct http_tx *tx, struct span path)
{
    uint8_t *p = arena_get(&tx->tx.mem, path.n);

    if (!p)
        return path;
    size_t n = decode(path.p, path.n, p);
    n = fold_slashes(p, n);
    n = fold_utf8(p, n);
    n = fold_dots(p, n);
    return (struct span){p, n};
}

static void normal_host(struct http_tx *tx, struct span host)
{
    uint8_t *p = arena_get(&tx->tx.mem, host.n);

    if (!p)
        return;
    size_t n = decode(host.p, host.n, p);
    for (size_t i = 0; i < n; i++)
        p[i] = ascii_lower(p[i]);
    while (n && p[n - 1] == '.')
        n--;
    tx->uri_host = (struct span){p, n};
    tx->uri_host_invalid |= !http_host_valid(tx->uri_host);
}

/* CONNECT names a host and port alone. */
static void connect_target(struct http_tx *tx)
{
    struct span host, port;
    bool valid;

    if (!http_host_port(tx->uri, &host, &port, &valid))
        return;
    normal_host(tx, host);
    tx->uri_port = http_port_number(port);
    tx->uri_host_invalid |= !valid;
}

static void add_part(struct http_conn *c, struct http_text *t, struct span part, bool twice)
{
    size_t n = decode(part.p, part.n, t->p + t->n);

    if (twice) {
        size_t again = decode(t->p + t->n, n, t->p + t->n);
        if (again < n)
            http_event(c, HTTP_EVENT_DOUBLE_ENCODED_URI);
        n = again;
    }
    t->n += n;
}

void http_uri_normalise(struct http_conn *c, struct http_tx *tx)
{
    struct http_uri u;

    if (tx->method_id == METHOD_CONNECT) {
        connect_target(tx);
        return;
    }
    http_uri_parse(tx->uri, &u);
    if (u.host.p)
        normal_host(tx, u.host);
    if (u.port.p) {
        tx->uri_port = http_port_number(u.port);
        tx->uri_host_invalid |= !tx->uri_port;
    }
    if (u.path.p) {
        tx->path = normal_path(tx, u.path);
        tx->has_path = true;
    }
    struct http_text t = {arena_get(&tx->tx.mem, tx->path.n + u.query.n + u.fragment.n + 2), 0, 0};
    if (!t.p)
        return;
    if (tx->has_path) {
        if (c->conf->double_decode_path) {
            add_part(c, &t, tx->path, false);
            if (t.n < tx->path.n)
                http_event(c, HTTP_EVENT_DOUBLE_ENCODED_URI);
        } else {
            memcpy(t.p, tx->path.p, tx->path.n);
            t.n = tx->path.n;
        }
    }
    if (u.query.p) {
        t.p[t.n++] = '?';
        add_part(c, &t, u.query, c->conf->double_decode_query);
    }
    if (u.fragment.p) {
        t.p[t.n++] = '#';
        add_part(c, &t, u.fragment, false);
    }
    tx->uri_normal = (struct span){t.p, t.n};
}
