/* SPDX-License-Identifier: Apache-2.0 */
/* struct capture is one of two kinds of sources: a file or an interface. */
#include "packet/capture/capture.h"

#include "base/mem.h"
#include "packet/capture/capture_priv.h"

struct capture *capture_open_file(const char *path, const char *filter, struct err *e)
{
    struct file_capture *f = file_capture_open(path, filter, e);

    if (!f)
        return NULL;
    struct capture *c = mem_zero(sizeof(*c));
    c->file = f;
    return c;
}

struct capture *capture_open_live(const char *interface, const char *filter, uint16_t fanout_group,
                                  struct err *e)
{
    struct live_capture *l = live_capture_open(interface, filter, fanout_group, e);

    if (!l)
        return NULL;
    struct capture *c = mem_zero(sizeof(*c));
    c->live = l;
    return c;
}

enum capture_state capture_next(struct capture *c, struct capture_packet *p, struct err *e)
{
    if (c->file)
        return file_capture_next(c->file, p, &c->stats, e);
    return live_capture_next(c->live, p, &c->stats, e);
}

const char *capture_name(const struct capture *c)
{
    return c->file ? file_capture_name(c->file) : live_capture_name(c->live);
}

bool capture_is_live(const struct capture *c)
{
    return c->live != NULL;
}

void capture_stats(struct capture *c, struct capture_stats *ret)
{
    if (c->live)
        live_capture_stats(c->live, &c->stats);
    *ret = c->stats;
}

void capture_close(struct capture *c)
{
    if (!c)
        return;
    file_capture_close(c->file);
    live_capture_close(c->live);
    mem_free(c);
}
