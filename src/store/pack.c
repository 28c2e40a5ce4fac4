/* SPDX-License-Identifier: Apache-2.0 */
/* One ZSTD context, used again for each block: it keeps some MB. */
#include "store/pack.h"

#include "base/mem.h"
#include "base/must.h"

#include <zstd.h>

enum {
    /* The fast levels lose more space than they save time on lines that repeat their keys. */
    LEVEL = 1,
    STEP = 256 << 10,
};

struct packer {
    ZSTD_CCtx *z;
};

struct packer *packer_new(void)
{
    struct packer *p = mem_zero(sizeof(*p));

    p->z = ZSTD_createCCtx();
    must(p->z != NULL);
    must(!ZSTD_isError(ZSTD_CCtx_setParameter(p->z, ZSTD_c_compressionLevel, LEVEL)));
    return p;
}

void packer_free(struct packer *p)
{
    if (!p)
        return;
    ZSTD_freeCCtx(p->z);
    mem_free(p);
}

static bool step(struct packer *p, ZSTD_inBuffer *in, ZSTD_EndDirective how, struct buf *out)
{
    size_t left = 1;

    while (in->pos < in->size || (how == ZSTD_e_end && left > 0)) {
        if (!buf_room(out, STEP))
            return false;
        ZSTD_outBuffer to = {out->p + out->n, STEP, 0};
        left = ZSTD_compressStream2(p->z, &to, in, how);
        must(!ZSTD_isError(left)); /* memory apart there is no way to fail */
        out->n += to.pos;
    }
    return true;
}

bool packer_pack(struct packer *p, const struct span *pieces, size_t n, struct buf *out,
                 struct err *e)
{
    ZSTD_inBuffer none = {NULL, 0, 0};
    bool ok = true;

    buf_clear(out);
    must(!ZSTD_isError(ZSTD_CCtx_reset(p->z, ZSTD_reset_session_only)));
    for (size_t i = 0; ok && i < n; i++) {
        ZSTD_inBuffer in = {pieces[i].p, pieces[i].n, 0};
        ok = step(p, &in, ZSTD_e_continue, out);
    }
    return (ok && step(p, &none, ZSTD_e_end, out)) ||
           err_set(e, ERR_NOMEM, "a packed batch of events is too large");
}
