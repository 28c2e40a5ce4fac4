/* SPDX-License-Identifier: Apache-2.0 */
/* AF_PACKET with a TPACKET_V3 ring: the kernel fills blocks, this end walks them and gives them
 * back. All sockets of a fanout group share the interface; the kernel spreads packets over them by
 * a hash that both directions of a flow have in common, fragments put together first. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rd.h"
#include "packet/capture/capture_priv.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BLOCK_BYTES = 1 << 20,
    BLOCKS = 64,
    FRAME_BYTES = 2048,
    BLOCK_TIMEOUT_MS = 50,
    POLL_MS = 100,
};

struct live_capture {
    char *name;
    int fd;
    uint16_t link;
    bool loopback;
    uint8_t *ring;
    size_t block;                    /* the one being read */
    struct tpacket_block_desc *open; /* not yet given back */
    struct tpacket3_hdr *next;
    uint32_t left;
    struct filter *filter;
};

static bool live_fault(const struct live_capture *l, const char *what, struct err *e)
{
    return err_set(e, errno == EPERM ? ERR_DENIED : ERR_IO, "%s: %s: %m%s", l->name, what,
                   errno == EPERM ? " (CAP_NET_RAW is needed)" : "");
}

/* What the interface's frames begin with. */
static bool find_link(struct live_capture *l, struct err *e)
{
    struct ifreq r = {0};

    span_copy(span_str(l->name), r.ifr_name, sizeof(r.ifr_name));
    if (ioctl(l->fd, SIOCGIFHWADDR, &r) != 0)
        return live_fault(l, "link type", e);
    switch (r.ifr_hwaddr.sa_family) {
    case ARPHRD_ETHER:
        l->link = LINK_ETHERNET;
        return true;
    case ARPHRD_LOOPBACK:
        l->link = LINK_ETHERNET;
        l->loopback = true;
        return true;
    case ARPHRD_NONE:
    case ARPHRD_TUNNEL:
    case ARPHRD_PPP:
        l->link = LINK_RAW;
        return true;
    default:
        return err_set(e, ERR_UNSUPPORTED, "%s: hardware type %u is not supported", l->name,
                       r.ifr_hwaddr.sa_family);
    }
}

static bool make_ring(struct live_capture *l, struct err *e)
{
    int version = TPACKET_V3, on = 1;
    struct tpacket_req3 req = {
        .tp_block_size = BLOCK_BYTES,
        .tp_block_nr = BLOCKS,
        .tp_frame_size = FRAME_BYTES,
        .tp_frame_nr = (unsigned)BLOCK_BYTES / FRAME_BYTES * BLOCKS,
        .tp_retire_blk_tov = BLOCK_TIMEOUT_MS,
    };

    if (setsockopt(l->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0)
        return live_fault(l, "TPACKET_V3", e);
    /* best effort: old kernels tell VLAN tags without being asked */
    (void)setsockopt(l->fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on));
    if (setsockopt(l->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) != 0)
        return live_fault(l, "receive ring", e);
    void *ring =
        mmap(NULL, (size_t)BLOCK_BYTES * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, l->fd, 0);
    if (ring == MAP_FAILED)
        return live_fault(l, "receive ring", e);
    l->ring = ring;
    return true;
}

static bool attach_filter(struct live_capture *l, struct err *e)
{
    if (!l->filter)
        return true;
    struct bpf_program *program = filter_program(l->filter, l->link);
    if (!program)
        return err_set(e, ERR_USAGE, "%s: the capture filter means nothing for this interface",
                       l->name);
    struct sock_filter *code = mem_array(program->bf_len, sizeof(*code));
    for (unsigned i = 0; i < program->bf_len; i++) {
        const struct bpf_insn *in = &program->bf_insns[i];
        code[i] = (struct sock_filter){in->code, in->jt, in->jf, in->k};
    }
    struct sock_fprog prog = {.len = (unsigned short)program->bf_len, .filter = code};
    int r = setsockopt(l->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
    mem_free(code);
    return r == 0 || live_fault(l, "capture filter", e);
}

static bool join(struct live_capture *l, uint16_t fanout_group, struct err *e)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = __builtin_bswap16(ETH_P_ALL)};
    struct packet_mreq promiscuous = {.mr_type = PACKET_MR_PROMISC};

    address.sll_ifindex = (int)if_nametoindex(l->name);
    if (address.sll_ifindex == 0)
        return err_set(e, ERR_NOT_FOUND, "%s: no such interface", l->name);
    if (bind(l->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return live_fault(l, "bind", e);
    promiscuous.mr_ifindex = address.sll_ifindex;
    if (setsockopt(l->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)) !=
        0)
        return live_fault(l, "promiscuous mode", e);
    if (fanout_group) {
        uint32_t fanout = fanout_group | (uint32_t)(PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG)
                                             << 16;
        if (setsockopt(l->fd, SOL_PACKET, PACKET_FANOUT, &fanout, sizeof(fanout)) != 0)
            return live_fault(l, "fanout", e);
    }
    return true;
}

struct live_capture *live_capture_open(const char *interface, const char *filter,
                                       uint16_t fanout_group, struct err *e)
{
    struct live_capture *l = mem_zero(sizeof(*l));

    l->name = mem_strdup(interface);
    /* protocol 0: nothing arrives before the filter is in place */
    l->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    bool ok = l->fd >= 0 || live_fault(l, "packet socket", e);
    if (ok && filter && *filter) {
        l->filter = filter_new(filter, e);
        ok = l->filter != NULL;
    }
    if (ok && if_nametoindex(interface) == 0)
        ok = err_set(e, ERR_NOT_FOUND, "%s: no such interface", interface);
    if (!ok || !find_link(l, e) || !make_ring(l, e) || !attach_filter(l, e) ||
        !join(l, fanout_group, e)) {
        live_capture_close(l);
        return NULL;
    }
    return l;
}

static void give_back(struct live_capture *l)
{
    if (!l->open)
        return;
    __atomic_store_n(&l->open->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    l->open = NULL;
    l->block = (l->block + 1) % BLOCKS;
}

/* Opens the next filled block; IDLE when none came in time. */
static enum capture_state next_block(struct live_capture *l, struct err *e)
{
    struct tpacket_block_desc *b = (void *)(l->ring + l->block * BLOCK_BYTES);
    struct pollfd pfd = {.fd = l->fd, .events = POLLIN | POLLERR};

    if (!(__atomic_load_n(&b->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
        int r = poll(&pfd, 1, POLL_MS);
        if (r < 0 && errno != EINTR) {
            live_fault(l, "poll", e);
            return CAPTURE_FAILED;
        }
        if (r > 0 && pfd.revents & (POLLERR | POLLHUP | POLLNVAL)) {
            int cause = 0;
            socklen_t n = sizeof(cause);
            (void)getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &cause, &n);
            errno = cause ? cause : EIO;
            live_fault(l, "the interface is gone", e);
            return CAPTURE_FAILED;
        }
        if (!(__atomic_load_n(&b->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            return CAPTURE_IDLE;
    }
    l->open = b;
    l->left = b->hdr.bh1.num_pkts;
    l->next = (void *)((uint8_t *)b + b->hdr.bh1.offset_to_first_pkt);
    return CAPTURE_OK;
}

enum capture_state live_capture_next(struct live_capture *l, struct capture_packet *p,
                                     struct capture_stats *stats, struct err *e)
{
    for (;;) {
        while (l->left == 0) {
            give_back(l);
            enum capture_state st = next_block(l, e);
            if (st != CAPTURE_OK)
                return st;
        }
        struct tpacket3_hdr *h = l->next;
        const struct sockaddr_ll *from =
            (const void *)((uint8_t *)h + TPACKET_ALIGN(sizeof(struct tpacket3_hdr)));
        l->left--;
        l->next = (void *)((uint8_t *)h + h->tp_next_offset);
        /* the loop device shows each packet twice */
        if (l->loopback && from->sll_pkttype == PACKET_OUTGOING)
            continue;
        p->ts_ns = (uint64_t)h->tp_sec * NS_PER_S + h->tp_nsec;
        p->number = 0;
        p->data = span_of((uint8_t *)h + h->tp_mac, h->tp_snaplen);
        p->wire_n = h->tp_len;
        p->link = l->link;
        p->vlan_stripped = h->tp_status & TP_STATUS_VLAN_VALID;
        p->vlan = (uint16_t)(h->hv1.tp_vlan_tci & 0xfff);
        stats->packets++;
        stats->bytes += p->data.n;
        if (p->wire_n > p->data.n)
            stats->truncated++;
        return CAPTURE_OK;
    }
}

const char *live_capture_name(const struct live_capture *l)
{
    return l->name;
}

void live_capture_stats(struct live_capture *l, struct capture_stats *stats)
{
    struct tpacket_stats_v3 st = {0};
    socklen_t n = sizeof(st);

    /* the kernel starts again from zero with each reading */
    if (getsockopt(l->fd, SOL_PACKET, PACKET_STATISTICS, &st, &n) == 0) {
        stats->kernel_drops += st.tp_drops;
        stats->ring_freezes += st.tp_freeze_q_cnt;
    }
}

void live_capture_close(struct live_capture *l)
{
    if (!l)
        return;
    if (l->ring)
        munmap(l->ring, (size_t)BLOCK_BYTES * BLOCKS);
    if (l->fd >= 0)
        close(l->fd);
    filter_free(l->filter);
    mem_free(l->name);
    mem_free(l);
}
