/* SPDX-License-Identifier: Apache-2.0 */
/* Live capture on the loop device of a network namespace of its own: what is sent arrives once,
 * the kernel filters, a fanout group shares without loss. Skipped where the kernel lets an ordinary
 * user have no namespace. */
#include "packet/capture/capture.h"

#include "base/rd.h"
#include "unit.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool own_namespace(void)
{
    struct ifreq r = {.ifr_name = "lo"};

    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    bool ok = s >= 0 && ioctl(s, SIOCSIFFLAGS, &r) == 0;
    close(s);
    return ok;
}

static void send_to(uint16_t port, unsigned n)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    for (unsigned i = 0; i < n; i++) {
        uint8_t b[20] = {(uint8_t)i};
        /* nobody listens: the second one may tell of the first one's refusal */
        (void)!sendto(s, b, sizeof(b), 0, (const struct sockaddr *)&to, sizeof(to));
    }
    close(s);
}

/* Takes packets until the source was idle twice; UDP to `port` counted. */
static unsigned take(struct capture *c, uint16_t port, unsigned *ret_all)
{
    struct capture_packet p;
    struct err e;
    unsigned idle = 0, n = 0;

    *ret_all = 0;
    while (idle < 2) {
        enum capture_state st = capture_next(c, &p, &e);
        CHECK(st == CAPTURE_OK || st == CAPTURE_IDLE);
        if (st != CAPTURE_OK) {
            idle++;
            continue;
        }
        ++*ret_all;
        CHECK(p.link == LINK_ETHERNET && p.ts_ns > 1600000000000000000u && p.wire_n == p.data.n);
        if (p.data.n >= 42 && p.data.p[23] == 17 && be16(p.data.p + 36) == port)
            n++;
    }
    return n;
}

int main(void)
{
    struct err e = {0};
    struct capture_stats stats;
    unsigned all;

    if (!own_namespace()) {
        printf("skipped: no network namespace\n");
        return 77;
    }
    struct capture *c = capture_open_live("lo", "udp port 9999", 0, &e);
    CHECK(c != NULL);
    if (!c) {
        fprintf(stderr, "%s\n", e.text);
        return unit_end();
    }
    send_to(9998, 5);
    send_to(9999, 50);
    CHECK(take(c, 9999, &all) == 50 && all == 50);
    CHECK(capture_is_live(c));
    CHECK_STR(capture_name(c), "lo");
    capture_stats(c, &stats);
    CHECK(stats.packets == 50 && stats.kernel_drops == 0 && stats.bytes == 50 * 62);
    capture_close(c);

    struct capture *a = capture_open_live("lo", "udp portrange 10000-10063", 77, &e);
    struct capture *b = capture_open_live("lo", "udp portrange 10000-10063", 77, &e);
    CHECK(a && b);
    for (uint16_t port = 10000; a && b && port < 10064; port++)
        send_to(port, 2);
    unsigned in_a = 0, in_b = 0;
    if (a && b) {
        take(a, 0, &in_a);
        take(b, 0, &in_b);
        CHECK(in_a + in_b == 128 && in_a > 0 && in_b > 0);
        CHECK(in_a % 2 == 0 && in_b % 2 == 0); /* a flow stays with one */
    }
    capture_close(a);
    capture_close(b);
    CHECK(!capture_open_live("nosuchif0", NULL, 0, &e) && e.kind == ERR_NOT_FOUND);
    CHECK(!capture_open_live("lo", "nonsense here", 0, &e) && e.kind == ERR_USAGE);
    return unit_end();
}
