/* SPDX-License-Identifier: Apache-2.0 */
/* daizong-sensor: reads options, configuration and rules, then runs. Everything that can be wrong
 * about them is said here, once, with what to do. */
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "event/schema.h"
#include "sensor/sensor.h"

#include <malloc.h>
#include <openssl/evp.h>
#include <sys/stat.h>

static int fail(const struct err *e)
{
    log_error("%s", e->text);
    return e->kind == ERR_USAGE || e->kind == ERR_CONFIG ? err_exit_code(e->kind) : 1;
}

static void print(struct buf *b)
{
    fwrite(buf_span(b).p, 1, b->n, stdout);
    buf_free(b);
}

/* The modes that print and end; false: none was asked for. */
static bool main_lists(const struct options *o)
{
    struct buf b = buf_new(4u << 20);

    if (o->help)
        options_help();
    else if (o->version)
        printf("daizong-sensor %s\n", DAIZONG_VERSION);
    else if (o->build_info)
        printf("daizong-sensor %s\ncompiler: %s\nmatcher: Vectorscan, PCRE2\ncapture: files, "
               "AF_PACKET\n",
               DAIZONG_VERSION, __VERSION__);
    else if (o->list_keywords)
        keywords_list(&b, o->list_csv);
    else if (o->list_fields)
        schema_reference(&b);
    else if (o->list_runmodes)
        printf("single\nworkers\nautofp\n");
    else if (o->list_protocols)
        for (unsigned i = 1; i < PROTO_COUNT; i++)
            printf("%s\n", proto_table[i]->name);
    else
        return false;
    print(&b);
    return true;
}

static bool main_sources(const struct options *o, struct err *e)
{
    struct stat st;

    if (o->test)
        return true;
    if (o->n_files && o->n_interfaces)
        return err_set(e, ERR_USAGE, "-r and -i together: choose captures or interfaces");
    if (!o->n_files && !o->n_interfaces)
        return err_set(e, ERR_USAGE,
                       "nothing to watch: name a capture (-r FILE) or an interface "
                       "(-i NAME); --help explains");
    for (size_t i = 0; i < o->n_files; i++)
        if (strcmp(o->files[i], "-") != 0 && stat(o->files[i], &st) != 0)
            return err_set(e, ERR_IO, "-r %s: %m", o->files[i]);
    if (o->log_dir && (stat(o->log_dir, &st) != 0 || !S_ISDIR(st.st_mode)))
        return err_set(e, ERR_IO, "-l %s: is not a folder; make it first", o->log_dir);
    return true;
}

static bool main_filter(struct options *o, struct err *e)
{
    char text[8192];

    if (!o->filter_file)
        return true;
    FILE *f = fopen(o->filter_file, "re");
    if (!f)
        return err_set(e, ERR_IO, "-F %s: %m", o->filter_file);
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (text[i] == '\n' || text[i] == '\r')
            text[i] = ' ';
    mem_free(o->filter);
    o->filter = mem_strdup(text);
    return true;
}

static bool main_conf(struct sensor *s, struct err *e)
{
    const struct options *o = s->options;
    struct sensor_conf *c = &s->conf;

    conf_default(c);
    c->simulate_ips = o->simulate_ips;
    if (!conf_load(c, o->config, o->sets, o->n_sets, e))
        return false;
    if (o->checksums_set) {
        c->decode.checksums = o->checksums;
        c->decode.checksums_auto = false; /* what is said is done */
        if (!o->checksums)
            c->stream.checksum_validation = false;
    }
    if (o->node) {
        mem_free(c->node_socket);
        c->node_socket = mem_strdup(o->node);
        /* A node takes the place of the shipped file output. */
        if (!o->config && !o->log_dir) {
            mem_free(c->eve[0].filename);
            mem_free(c->eve[0].filetype);
            c->n_eve = 0;
        }
    }
    if (o->unit) {
        mem_free(c->unit);
        c->unit = mem_strdup(o->unit);
    }
    if (o->sensor_name) {
        mem_free(c->sensor_name);
        c->sensor_name = mem_strdup(o->sensor_name);
    }
    return true;
}

static int main_test(const struct sensor *s)
{
    struct buf b = buf_new(64u << 20);

    if (s->options->json) {
        if (s->rules)
            ruleset_report_json(s->rules, &b);
        else
            buf_str(&b, "{\"rules\":{\"active\":0,\"loaded\":0,\"failed\":0},\"diagnostics\":[]}");
        buf_byte(&b, '\n');
    } else {
        conf_explain(&s->conf, &b);
        if (s->rules)
            ruleset_report_text(s->rules, &b);
    }
    print(&b);
    bool bad = s->rules && ruleset_failed(s->rules) > 0 && s->options->init_errors_fatal;
    return bad ? 1 : 0;
}

static int main_run(struct sensor *s)
{
    struct err e;

    if (!main_conf(s, &e) || !sensor_load_rules(s, &e))
        return fail(&e);
    if (s->options->test)
        return main_test(s);
    if (s->rules)
        sensor_rules_say(s->rules);
    if (s->rules && s->options->init_errors_fatal && ruleset_failed(s->rules) > 0) {
        log_error("%zu rules cannot be loaded (--init-errors-fatal)", ruleset_failed(s->rules));
        return 1;
    }
    return sensor_run(s, &e) ? 0 : fail(&e);
}

/* The crypto library sets itself up at its first use, and does not always survive running out of
 * memory there: that first use is here, not amid traffic. */
static bool main_crypto(struct err *e)
{
    const EVP_MD *const kinds[] = {EVP_md5(), EVP_sha1(), EVP_sha256(), EVP_sm3()};
    uint8_t digest[EVP_MAX_MD_SIZE];

    for (size_t i = 0; i < LEN(kinds); i++)
        if (EVP_Digest("", 0, digest, NULL, kinds[i], NULL) != 1)
            return err_set(e, ERR_INTERNAL, "the crypto library does not make digests");
    return true;
}

int main(int argc, char **argv)
{
    struct options o;
    struct err e;
    struct sensor *s = mem_zero(sizeof(*s));

    log_set_name("daizong-sensor");
    hash_seed_random();
    if (!main_crypto(&e) || !options_read(&o, argc, argv, &e) || !main_filter(&o, &e)) {
        mem_free(s);
        return fail(&e);
    }
    if (main_lists(&o)) {
        mem_free(s);
        return 0;
    }
    log_set_level(o.verbose > 1 ? LOG_DEBUG : o.verbose ? LOG_INFO : LOG_NOTICE);
    if (!main_sources(&o, &e)) {
        mem_free(s);
        return fail(&e);
    }
    s->options = &o;
    int status = main_run(s);
    if (s->rules)
        ruleset_free(s->rules);
    conf_free(&s->conf);
    mem_free(o.filter);
    mem_free(s);
    return status;
}
