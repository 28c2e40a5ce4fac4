/* SPDX-License-Identifier: Apache-2.0 */
/* Classes and reference systems: the shipped tables, and the readers of their files. Both formats
 * are one fact a line, "config classification: name,text,priority" and "config reference: system
 * prefix", with # for comments. */
#include "detect/classification.h"

#include "base/mem.h"

#include <stdio.h>
#include <sys/stat.h>

static const struct class_info shipped_classes[] = {
    {"not-suspicious", "Not Suspicious Traffic", 3},
    {"unknown", "Unknown Traffic", 3},
    {"bad-unknown", "Potentially Bad Traffic", 2},
    {"attempted-recon", "Attempted Information Leak", 2},
    {"successful-recon-limited", "Information Leak", 2},
    {"successful-recon-largescale", "Large Scale Information Leak", 2},
    {"attempted-dos", "Attempted Denial of Service", 2},
    {"successful-dos", "Denial of Service", 2},
    {"attempted-user", "Attempted User Privilege Gain", 1},
    {"unsuccessful-user", "Unsuccessful User Privilege Gain", 1},
    {"successful-user", "Successful User Privilege Gain", 1},
    {"attempted-admin", "Attempted Administrator Privilege Gain", 1},
    {"successful-admin", "Successful Administrator Privilege Gain", 1},
    {"rpc-portmap-decode", "Decode of an RPC Query", 2},
    {"shellcode-detect", "Executable code was detected", 1},
    {"string-detect", "A suspicious string was detected", 3},
    {"suspicious-filename-detect", "A suspicious filename was detected", 2},
    {"suspicious-login", "An attempted login using a suspicious username was detected", 2},
    {"system-call-detect", "A system call was detected", 2},
    {"tcp-connection", "A TCP connection was detected", 4},
    {"trojan-activity", "A Network Trojan was detected", 1},
    {"unusual-client-port-connection", "A client was using an unusual port", 2},
    {"network-scan", "Detection of a Network Scan", 3},
    {"denial-of-service", "Detection of a Denial of Service Attack", 2},
    {"non-standard-protocol", "Detection of a non-standard protocol or event", 2},
    {"protocol-command-decode", "Generic Protocol Command Decode", 3},
    {"web-application-activity", "access to a potentially vulnerable web application", 2},
    {"web-application-attack", "Web Application Attack", 1},
    {"misc-activity", "Misc activity", 3},
    {"misc-attack", "Misc Attack", 2},
    {"icmp-event", "Generic ICMP event", 3},
    {"inappropriate-content", "Inappropriate Content was Detected", 1},
    {"policy-violation", "Potential Corporate Privacy Violation", 1},
    {"default-login-attempt", "Attempt to login by a default username and password", 2},
    {"targeted-activity", "Targeted Malicious Activity was Detected", 1},
    {"exploit-kit", "Exploit Kit Activity Detected", 1},
    {"external-ip-check", "Device Retrieving External IP Address Detected", 2},
    {"domain-c2", "Domain Observed Used for C2 Detected", 1},
    {"pup-activity", "Possibly Unwanted Program Detected", 2},
    {"credential-theft", "Successful Credential Theft Detected", 1},
    {"social-engineering", "Possible Social Engineering Attempted", 2},
    {"coin-mining", "Crypto Currency Mining Activity Detected", 2},
    {"command-and-control", "Malware Command and Control Activity Detected", 1},
};

struct reference {
    const char *system, *prefix;
};

static const struct reference shipped_references[] = {
    {"cve", "https://cve.mitre.org/cgi-bin/cvename.cgi?name="},
    {"nessus", "https://www.tenable.com/plugins/nessus/"},
    {"url", "https://"},
    {"McAfee", "https://vil.nai.com/vil/content/v_"},
    {"bid", "https://www.securityfocus.com/bid/"},
    {"bugtraq", "https://www.securityfocus.com/bid/"},
    {"md5", "https://www.threatexpert.com/report.aspx?md5="},
    {"secunia", "https://www.secunia.com/advisories/"},
    {"arachNIDS", "https://www.whitehats.com/info/IDS"},
    {"exploitdb", "https://www.exploit-db.com/exploits/"},
    {"msft", "https://technet.microsoft.com/security/bulletin/"},
    {"et", "https://doc.emergingthreats.net/"},
    {"etpro", "https://doc.emergingthreatspro.com/"},
    {"telus", "https://"},
    {"xforce", "http://xforce.iss.net/xforce/xfdb/"},
    {"osvdb", "http://osvdb.org/show/osvdb/"},
    {"threatexpert", "http://www.threatexpert.com/report.aspx?md5="},
    {"openpacket", "https://www.openpacket.org/capture/grab/"},
    {"securitytracker", "http://securitytracker.com/id?"},
};

enum { LIST_FILE_BYTES = 4 << 20 };

struct class_list {
    struct class_info **v;
    size_t n;
    uint32_t bad;
};

struct reference_list {
    struct reference *v;
    size_t n;
    uint32_t bad;
};

static char *copy(struct span s)
{
    return mem_printf("%.*s", (int)s.n, (const char *)s.p);
}

bool text_file_read(const char *file, size_t max_bytes, char **ret, size_t *ret_n, struct err *e)
{
    FILE *f = fopen(file, "re");
    struct stat st;
    if (!f)
        return err_set(e, ERR_IO, "%s: %m", file);
    size_t cap = fstat(fileno(f), &st) == 0 && st.st_size > 0 ? (size_t)st.st_size + 1 : 65536;
    char *p = mem_get(min_size(cap, max_bytes + 1));
    size_t n = 0;
    bool ok = true;
    for (;;) {
        size_t got = fread(p + n, 1, min_size(cap, max_bytes + 1) - n, f);
        n += got;
        if (n > max_bytes) {
            ok = err_set(e, ERR_FULL, "%s: larger than %zu bytes", file, max_bytes);
            break;
        }
        if (!got) {
            if (ferror(f))
                ok = err_set(e, ERR_IO, "%s: %m", file);
            break;
        }
        if (n == min_size(cap, max_bytes + 1)) {
            cap *= 2;
            p = mem_resize(p, min_size(cap, max_bytes + 1));
        }
    }
    fclose(f);
    if (!ok) {
        mem_free(p);
        return false;
    }
    *ret = p;
    *ret_n = n;
    return true;
}

/* Calls line for what follows `head` on each line; counts those where it is not well formed. */
static bool config_read(const char *file, struct span head,
                        bool (*line)(void *list, struct span rest), void *list, uint32_t *bad,
                        struct err *e)
{
    char *text;
    size_t n;
    if (!text_file_read(file, LIST_FILE_BYTES, &text, &n, e))
        return false;
    struct span rest = span_of(text, n);
    while (rest.n) {
        struct span l = span_trim(span_split(&rest, '\n'));
        if (!l.n || l.p[0] == '#')
            continue;
        if (!span_starts(l, head) || !line(list, span_trim(span_from(l, head.n))))
            ++*bad;
    }
    mem_free(text);
    return true;
}

const struct class_info *class_find(const struct class_list *l, struct span name)
{
    for (size_t i = 0; i < l->n; i++)
        if (span_ieq(span_str(l->v[i]->name), name))
            return l->v[i];
    return NULL;
}

const struct class_info *class_add(struct class_list *l, struct span name, struct span text,
                                   uint8_t priority)
{
    struct class_info *c = mem_zero(sizeof(*c));
    c->name = copy(name);
    c->text = copy(text);
    c->priority = priority;
    l->v = mem_resize(l->v, (l->n + 1) * sizeof(*l->v));
    l->v[l->n++] = c;
    return c;
}

static bool class_line(void *list, struct span rest)
{
    uint64_t priority;
    struct span name = span_trim(span_split(&rest, ','));
    struct span text = span_trim(span_split(&rest, ','));
    if (!name.n || !text.n || !span_u64(span_trim(rest), &priority) || priority > 255)
        return false;
    if (!class_find(list, name))
        class_add(list, name, text, (uint8_t)priority);
    return true;
}

bool class_list_load(const char *file, struct class_list **ret, struct err *e)
{
    struct class_list *l = mem_zero(sizeof(*l));
    if (file && !config_read(file, SPAN("config classification:"), class_line, l, &l->bad, e)) {
        class_list_free(l);
        return false;
    }
    for (size_t i = 0; !file && i < LEN(shipped_classes); i++)
        class_add(l, span_str(shipped_classes[i].name), span_str(shipped_classes[i].text),
                  shipped_classes[i].priority);
    *ret = l;
    return true;
}

void class_list_free(struct class_list *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++) {
        char *name, *text;
        memcpy(&name, &l->v[i]->name, sizeof(name));
        memcpy(&text, &l->v[i]->text, sizeof(text));
        mem_free(name);
        mem_free(text);
        mem_free(l->v[i]);
    }
    mem_free(l->v);
    mem_free(l);
}

uint32_t class_list_bad_lines(const struct class_list *l)
{
    return l->bad;
}

const char *reference_prefix(const struct reference_list *l, struct span system)
{
    for (size_t i = 0; i < l->n; i++)
        if (span_ieq(span_str(l->v[i].system), system))
            return l->v[i].prefix;
    return NULL;
}

const char *reference_add(struct reference_list *l, struct span system, struct span prefix)
{
    l->v = mem_resize(l->v, (l->n + 1) * sizeof(*l->v));
    l->v[l->n] = (struct reference){copy(system), copy(prefix)};
    return l->v[l->n++].prefix;
}

static bool reference_line(void *list, struct span rest)
{
    size_t n = 0;
    while (n < rest.n && !ascii_is_space(rest.p[n]))
        n++;
    struct span prefix = span_trim(span_from(rest, n));
    if (!n || !prefix.n)
        return false;
    if (!reference_prefix(list, span_cut(rest, 0, n)))
        reference_add(list, span_cut(rest, 0, n), prefix);
    return true;
}

bool reference_list_load(const char *file, struct reference_list **ret, struct err *e)
{
    struct reference_list *l = mem_zero(sizeof(*l));
    if (file && !config_read(file, SPAN("config reference:"), reference_line, l, &l->bad, e)) {
        reference_list_free(l);
        return false;
    }
    for (size_t i = 0; !file && i < LEN(shipped_references); i++)
        reference_add(l, span_str(shipped_references[i].system),
                      span_str(shipped_references[i].prefix));
    *ret = l;
    return true;
}

void reference_list_free(struct reference_list *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++) {
        char *system, *prefix;
        memcpy(&system, &l->v[i].system, sizeof(system));
        memcpy(&prefix, &l->v[i].prefix, sizeof(prefix));
        mem_free(system);
        mem_free(prefix);
    }
    mem_free(l->v);
    mem_free(l);
}

uint32_t reference_list_bad_lines(const struct reference_list *l)
{
    return l->bad;
}
