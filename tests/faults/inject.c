/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that runs out: reading a configuration, loading rules and a replay, each again and again
 * with the n-th allocation failing, that one or all from there on. Linked with --wrap, so that our
 * own code's allocations come through here (those of libraries: failing.c).
 *
 * Where a policy stands behind an allocation (mem_try) the run goes on to its end; anywhere else
 * the program says what it lacked and ends with status 71. Everything else is a finding: a signal,
 * a sanitizer, another status, silence. usage: inject CONFIG RULES CAPTURE */
#include "base/log.h"
#include "base/mem.h"
#include "sensor/sensor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNS = 60, ENDED_EARLY = 71 };

static struct {
    bool counting;
    uint64_t n, fail_at;
    bool on;       /* all from fail_at on */
    bool policies; /* count mem_try alone */
    const char *config, *rules, *capture;
    unsigned passed, failed;
} inject;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t each);
void *__real_realloc(void *p, size_t n);
void *__real_mem_try(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t each);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_mem_try(size_t n);

static bool fails(bool policy)
{
    if (!inject.counting || policy != inject.policies)
        return false;
    uint64_t at = ++inject.n;
    return inject.on ? inject.fail_at && at >= inject.fail_at : at == inject.fail_at;
}

void *__wrap_malloc(size_t n)
{
    return fails(false) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t each)
{
    return fails(false) ? NULL : __real_calloc(n, each);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails(false) ? NULL : __real_realloc(p, n);
}

void *__wrap_mem_try(size_t n)
{
    return fails(true) ? NULL : __real_mem_try(n);
}

static void configuration(struct sensor *s)
{
    struct buf text = buf_new(1 << 20);
    struct err e;

    conf_default(&s->conf);
    if (conf_load(&s->conf, inject.config, NULL, 0, &e))
        conf_explain(&s->conf, &text);
    else
        log_error("%s", e.text);
    buf_free(&text);
    s->conf.decode.checksums = s->conf.stream.checksum_validation = false;
}

static void rules(struct sensor *s)
{
    static struct options options;
    struct err e;

    options = (struct options){.rules_only = inject.rules};
    s->options = &options;
    if (!sensor_load_rules(s, &e))
        log_error("%s", e.text);
}

static void replay(struct sensor *s)
{
    const struct output_conf to = {.kind = "file", .path = "/dev/null"};
    struct output *out, *outputs[CONF_EVES + 1];
    struct worker *w = mem_zero(sizeof(*w));
    struct capture_packet cp;
    struct err e;

    must(output_open(&to, &out, &e));
    for (size_t i = 0; i < s->conf.n_eve; i++)
        outputs[i] = out;
    worker_init(w, &s->conf, s->rules, outputs, s->conf.n_eve);
    struct capture *c = capture_open_file(inject.capture, NULL, &e);
    must(c);
    while (capture_next(c, &cp, &e) == CAPTURE_OK)
        worker_packet(w, &cp);
    worker_end(w);
    worker_free(w);
    capture_close(c);
    must(output_close(out, &e));
    mem_free(w);
}

static void tear_down(struct sensor *s)
{
    if (s->rules)
        ruleset_free(s->rules);
    conf_free(&s->conf);
}

static void (*const steps[])(struct sensor *) = {configuration, rules, replay};
static struct sensor sensor; /* as the steps before left it */

/* Runs the step in a child; *ret_n: how many allocations it made. */
static int in_child(unsigned step, uint64_t fail_at, FILE *report, uint64_t *ret_n)
{
    int status, pipe_fd[2];

    must(pipe(pipe_fd) == 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fileno(report), STDERR_FILENO);
        inject.n = 0;
        inject.fail_at = fail_at;
        inject.counting = true;
        steps[step](&sensor);
        inject.counting = false;
        must(write(pipe_fd[1], &inject.n, sizeof(inject.n)) == sizeof(inject.n));
        tear_down(&sensor);
        exit(0);
    }
    must(pid > 0 && waitpid(pid, &status, 0) == pid);
    close(pipe_fd[1]);
    if (read(pipe_fd[0], ret_n, sizeof(*ret_n)) != sizeof(*ret_n))
        *ret_n = 0;
    close(pipe_fd[0]);
    return status;
}

static void judge(unsigned step, uint64_t at, int status, FILE *report)
{
    static const char *const names[] = {"configuration", "rules", "replay"};
    static char text[16384];

    rewind(report);
    size_t n = fread(text, 1, sizeof(text) - 1, report);
    text[n] = '\0';
    bool ended = WIFEXITED(status) && WEXITSTATUS(status) == ENDED_EARLY &&
                 strncmp(text, "out of memory: ", 15) == 0 && !(inject.policies && step == 2);
    bool good = ended || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
    inject.passed += good;
    inject.failed += !good;
    if (!good)
        printf("FAILED %s, %s %llu%s: status %d\n%s\n", names[step],
               inject.policies ? "mem_try" : "allocation", (unsigned long long)at,
               inject.on ? " and on" : "", status, text);
}

/* Every allocation where there are few, a spread of them where there are many. */
static void each(unsigned step)
{
    uint64_t total = 0;
    FILE *report = tmpfile();

    must(report);
    int status = in_child(step, 0, report, &total);
    judge(step, 0, status, report);
    fclose(report);
    uint64_t stride = total / RUNS + 1;
    for (uint64_t at = 1; at <= total; at += stride) {
        uint64_t n;
        report = tmpfile();
        must(report);
        status = in_child(step, at, report, &n);
        judge(step, at, status, report);
        fclose(report);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    inject.config = argv[1];
    inject.rules = argv[2];
    inject.capture = argv[3];
    log_set_level(LOG_ERROR);
    for (unsigned step = 0; step < LEN(steps); step++) {
        for (unsigned way = 0; way < 4; way++) {
            inject.on = way & 1;
            inject.policies = way & 2;
            each(step);
        }
        steps[step](&sensor);
    }
    tear_down(&sensor);
    printf("%u passed, %u failed\n", inject.passed, inject.failed);
    return inject.failed || !inject.passed;
}
