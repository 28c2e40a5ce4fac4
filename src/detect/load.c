/* SPDX-License-Identifier: Apache-2.0 */
/* The gate's load and free: the front end's ruleset with the engine compiled from it. Apart from
 * ruleset.c so that the front end can be tested and fuzzed without the engine. */
#include "detect/buffers.h"
#include "detect/detect.h"
#include "detect/engine.h"

bool ruleset_load(const struct detect_conf *conf, const char *const *files, size_t n_files,
                  struct ruleset **ret, struct err *e)
{
    struct ruleset *rs;
    if (!ruleset_parse(conf, files, n_files, &rs, e))
        return false;
    struct engine_input in = {.rules = rs->rules,
                              .n_rules = (uint32_t)rs->n_rules,
                              .buffers = rs->catalogue->buffers,
                              .n_buffers = rs->catalogue->n_buffers,
                              .conf = conf};
    if (!engine_compile(&in, &rs->engine, e)) {
        ruleset_release(rs);
        return false;
    }
    *ret = rs;
    return true;
}

void ruleset_free(struct ruleset *r)
{
    if (!r)
        return;
    engine_free(r->engine);
    ruleset_release(r);
}

const struct engine *ruleset_engine(const struct ruleset *r)
{
    return r->engine;
}
