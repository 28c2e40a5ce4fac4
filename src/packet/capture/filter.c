/* SPDX-License-Identifier: Apache-2.0 */
/* BPF filters: libpcap compiles the text, its interpreter runs the program on packets of files. */
#include "base/mem.h"
#include "packet/capture/capture_priv.h"

#include <pcap/pcap.h>

enum { FILTER_LINKS = 16, FILTER_SNAP = 262144 };

struct filter {
    char *text;
    size_t n;
    struct {
        uint16_t link;
        bool usable;
        struct bpf_program program;
    } links[FILTER_LINKS];
};

/* The number that libpcap's compiler knows the link type by. */
static int dlt_of(uint16_t link)
{
    switch (link) {
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
        return DLT_RAW;
    default:
        return link;
    }
}

static struct bpf_program *compile(struct filter *f, uint16_t link, struct err *e)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->links[i].link == link)
            return f->links[i].usable ? &f->links[i].program : NULL;
    }
    if (f->n == FILTER_LINKS)
        return NULL;
    size_t at = f->n++;
    f->links[at].link = link;
    pcap_t *dead = pcap_open_dead(dlt_of(link), FILTER_SNAP);
    if (!dead) {
        err_set(e, ERR_NOMEM, "no memory for a capture filter");
        return NULL;
    }
    int r = pcap_compile(dead, &f->links[at].program, f->text, 1, PCAP_NETMASK_UNKNOWN);
    if (r != 0)
        err_set(e, ERR_USAGE, "capture filter \"%s\": %s", f->text, pcap_geterr(dead));
    f->links[at].usable = r == 0;
    pcap_close(dead);
    return r == 0 ? &f->links[at].program : NULL;
}

struct filter *filter_new(const char *text, struct err *e)
{
    struct filter *f = mem_zero(sizeof(*f));

    f->text = mem_strdup(text);
    if (!compile(f, LINK_ETHERNET, e)) {
        filter_free(f);
        return NULL;
    }
    return f;
}

void filter_free(struct filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++) {
        if (f->links[i].usable)
            pcap_freecode(&f->links[i].program);
    }
    mem_free(f->text);
    mem_free(f);
}

struct bpf_program *filter_program(struct filter *f, uint16_t link)
{
    struct err e;

    return compile(f, link, &e);
}

bool filter_pass(struct filter *f, const struct capture_packet *p)
{
    struct bpf_program *program = filter_program(f, p->link);
    struct pcap_pkthdr head = {.caplen = (bpf_u_int32)p->data.n, .len = p->wire_n};

    return program && pcap_offline_filter(program, &head, p->data.p) != 0;
}
