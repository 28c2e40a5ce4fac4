/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds and what is the same for all: copies of the settings, locking, counting. */
#include "output/output.h"

#include "base/mem.h"
#include "output/output_priv.h"

#define OUTPUT(name) extern const struct output_kind output_##name;
#include "output/outputs.def"
#undef OUTPUT

static const struct output_kind *const output_kinds[] = {
#define OUTPUT(name) &output_##name,
#include "output/outputs.def"
#undef OUTPUT
};

static const char *copy(const char *s)
{
    return mem_strdup(s ? s : "");
}

static void output_free(struct output *o)
{
    const char *const strings[] = {o->conf.path,    o->conf.sensor, o->conf.unit,   o->conf.source,
                                   o->conf.program, o->conf.token,  o->conf.ca_file};
    for (size_t i = 0; i < LEN(strings); i++)
        mem_free((void *)(uintptr_t)strings[i]);
    pthread_mutex_destroy(&o->lock);
    mem_free(o);
}

bool output_open(const struct output_conf *conf, struct output **ret, struct err *e)
{
    struct output *o = mem_zero(sizeof(*o));

    o->conf = *conf;
    o->conf.path = copy(conf->path);
    o->conf.sensor = copy(conf->sensor);
    o->conf.unit = copy(conf->unit);
    o->conf.source = copy(conf->source);
    o->conf.program = copy(conf->program);
    o->conf.token = copy(conf->token);
    o->conf.ca_file = copy(conf->ca_file);
    pthread_mutex_init(&o->lock, NULL);
    for (size_t i = 0; i < LEN(output_kinds); i++)
        if (strcmp(output_kinds[i]->name, conf->kind) == 0)
            o->kind = output_kinds[i];
    bool ok = o->kind ? o->kind->open(o, e)
                      : err_set(e, ERR_CONFIG, "there is no output of kind %s", conf->kind);
    if (!ok) {
        output_free(o);
        return false;
    }
    *ret = o;
    return true;
}

void output_write(struct output *o, struct span lines, uint64_t n_events)
{
    if (lines.n == 0)
        return;
    pthread_mutex_lock(&o->lock);
    o->kind->write(o, lines, n_events);
    pthread_mutex_unlock(&o->lock);
}

void output_flush(struct output *o)
{
    pthread_mutex_lock(&o->lock);
    o->kind->flush(o);
    pthread_mutex_unlock(&o->lock);
}

void output_reopen(struct output *o)
{
    if (!o->kind->reopen)
        return;
    pthread_mutex_lock(&o->lock);
    o->kind->reopen(o);
    pthread_mutex_unlock(&o->lock);
}

void output_stats(struct output *o, struct output_stats *ret)
{
    pthread_mutex_lock(&o->lock);
    *ret = o->stats;
    pthread_mutex_unlock(&o->lock);
}

bool output_close(struct output *o, struct err *e)
{
    bool ok = o->kind->close(o, e);

    output_free(o);
    return ok;
}
