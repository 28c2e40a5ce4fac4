/* SPDX-License-Identifier: Apache-2.0 */
/* The whole sensor over many captures, each whole, cut at every power of two and with seeded bit
 * flips: reader, decoder, flows, reassembly, protocols, detection, events, as daizong-sensor wires
 * them. Lines of standard input are `CAPTURE [TAB RULES [TAB CONFIGURATION]]`. Every capture has a
 * child process of its own, so that one which ends it does not hide the next; rules and
 * configuration of the command line are loaded once and shared. Events go to standard output, after
 * a line `# CAPTURE INPUT` for each input.
 *
 * A finding is a child that ends otherwise than it should: a sanitizer, an assertion, a leak, more
 * memory or more processor time than the bounds below. Findings go to standard error, the last line
 * there is `N captures, N inputs, N findings`; the exit status is 1 if there were any.
 *
 * usage: sweep [--rules FILE] [--config FILE] [--no-cuts] [--flips N] [--seed N] [--only INPUT]
 *              [--live] */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "sensor/sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* The bounds on one input, for a sanitizer build: processor time, and memory beyond what stood when
 * the capture began. */
enum {
    CPU_S = 20,
    CPU_S_PER_MB = 20,
    MEMORY_MB = 1024,
    FLIPS_PER_INPUT = 16,
    REPORT_MOST = 64 << 10,
    FILE_MOST = 64 << 20,
    COUNTERS = 4096,
};

/* What parent and child both see: where the child is. */
struct place {
    char input[32];
    uint64_t inputs, bytes, slowest_us, memory_kb;
    char slowest[32];
};

static struct {
    const char *rules, *config, *only;
    bool cuts, live;
    unsigned flips;
    uint64_t seed, random;
    unsigned long limit_ticks, ticks;
    uint64_t memory_start_kb;
    struct place *place;
    uint64_t captures, inputs, findings, unread;
} sweep = {.cuts = true, .flips = 4};

const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    /* A short quarantine: memory is bounded here. */
    return "quarantine_size_mb=32:max_allocation_size_mb=1024:detect_leaks=1:handle_abort=1";
}

static uint64_t next_random(void)
{
    sweep.random += 0x9e3779b97f4a7c15u;
    return hash_mix(sweep.random);
}

/* Resident kilobytes; callable from a signal handler. */
static uint64_t resident_kb(void)
{
    char text[64];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    uint64_t pages = 0;

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *at = strchr(text, ' ');
    for (at = at ? at + 1 : text; *at >= '0' && *at <= '9'; at++)
        pages = pages * 10 + (uint64_t)(*at - '0');
    return pages * 4;
}

static void say(const char *what)
{
    if (write(STDERR_FILENO, what, strlen(what)) < 0)
        _exit(9);
}

/* Every quarter of a second of processor time. */
static void on_tick(int sig)
{
    (void)sig;
    uint64_t now = resident_kb();

    if (now > sweep.place->memory_kb)
        sweep.place->memory_kb = now;
    if (now > sweep.memory_start_kb + (uint64_t)MEMORY_MB * 1024) {
        say("sweep: too much memory\n");
        abort();
    }
    if (++sweep.ticks > sweep.limit_ticks) {
        say("sweep: too much processor time\n");
        abort();
    }
}

static void watch(void)
{
    struct sigaction a = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    const struct itimerval quarter = {{0, 250000}, {0, 250000}};

    sweep.memory_start_kb = resident_kb();
    sigaction(SIGPROF, &a, NULL);
    setitimer(ITIMER_PROF, &quarter, NULL);
}

struct run {
    struct sensor shared, own; /* configuration and rules */
    struct sensor *sensor;     /* of this child: one of the two */
    struct output *out;
    int file; /* the input as a file */
    char path[64];
};

static void run_stats(struct run *r, struct worker *w)
{
    static struct counter counters[COUNTERS];
    size_t n = worker_counters(w, counters, COUNTERS);

    for (size_t i = 0; i < w->n_writers; i++) {
        if (!writer_wants(&w->writers[i], EVENT_stats) || !r->sensor->conf.stats_enabled)
            continue;
        write_stats(&w->writers[i], counters, n, 1, w->now_ns ? w->now_ns : clock_now_ns());
        writer_flush(&w->writers[i]);
    }
}

/* A live sensor also lets time pass between packets. */
static void run_idle(struct worker *w)
{
    if (sweep.live && (w->packets & 63) == 0)
        worker_idle(w, w->now_ns + NS_PER_S);
}

static void run_sensor(struct run *r)
{
    struct worker *w = mem_zero(sizeof(*w));
    struct output *outputs[CONF_EVES + 1];
    size_t n_outputs = r->sensor->conf.n_eve;
    struct capture_packet cp;
    struct err e;

    for (size_t i = 0; i < n_outputs; i++)
        outputs[i] = r->out;
    worker_init(w, &r->sensor->conf, r->sensor->rules, outputs, n_outputs);
    struct capture *c = capture_open_file(r->path, NULL, &e);
    if (c) {
        while (capture_next(c, &cp, &e) == CAPTURE_OK) {
            worker_packet(w, &cp);
            run_idle(w);
        }
    } else {
        sweep.unread++;
    }
    worker_end(w);
    run_stats(r, w);
    worker_free(w);
    if (c)
        capture_close(c);
    mem_free(w);
}

static void run_input(struct run *r, const char *name, const uint8_t *p, size_t n,
                      const char *input)
{
    char head[4300];
    struct timespec t0, t1;

    if (sweep.only && strcmp(sweep.only, input) != 0)
        return;
    snprintf(sweep.place->input, sizeof(sweep.place->input), "%s", input);
    must(ftruncate(r->file, 0) == 0);
    for (size_t done = 0; done < n;) {
        ssize_t k = pwrite(r->file, p + done, n - done, (off_t)done);
        must(k > 0);
        done += (size_t)k;
    }
    int head_n = snprintf(head, sizeof(head), "# %s %s\n", name, input);
    output_write(r->out, span_of(head, (size_t)head_n), 0);
    sweep.ticks = 0;
    sweep.limit_ticks = 4 * (CPU_S + CPU_S_PER_MB * (n >> 20));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
    run_sensor(r);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
    on_tick(0);
    uint64_t us = (uint64_t)((t1.tv_sec - t0.tv_sec) * 1000000 + (t1.tv_nsec - t0.tv_nsec) / 1000);
    if (us > sweep.place->slowest_us) {
        sweep.place->slowest_us = us;
        snprintf(sweep.place->slowest, sizeof(sweep.place->slowest), "%s", input);
    }
    sweep.place->inputs++;
    sweep.place->bytes += n;
}

static void run_all(struct run *r, const char *name, const uint8_t *p, size_t n)
{
    char input[32];

    run_input(r, name, p, n, "whole");
    for (size_t cut = 1; sweep.cuts && cut < n; cut *= 2) {
        snprintf(input, sizeof(input), "cut-%zu", cut);
        run_input(r, name, p, cut, input);
    }
    uint8_t *copy = mem_get(n ? n : 1);
    for (unsigned i = 0; n && i < sweep.flips; i++) {
        sweep.random = hash_mix(sweep.seed + i) ^ n;
        memcpy(copy, p, n);
        for (unsigned k = 0; k < FLIPS_PER_INPUT; k++) {
            /* half of them where the first packets stand, the file's head mostly kept */
            size_t reach = k % 2 && n > 4096 ? 4096 : n;
            size_t at = next_random() % reach;
            if (at < 24 && reach > 24 && i % 4)
                at += 24;
            copy[at] ^= (uint8_t)(1u << (next_random() % 8));
        }
        snprintf(input, sizeof(input), "flip-%u", i);
        run_input(r, name, copy, n, input);
    }
    mem_free(copy);
}

static uint8_t *read_file(const char *path, size_t *ret_n)
{
    struct stat st;
    FILE *f = fopen(path, "rbe");

    if (!f || fstat(fileno(f), &st) != 0 || st.st_size > FILE_MOST) {
        fprintf(stderr, "sweep: %s: cannot be read\n", path);
        exit(3);
    }
    uint8_t *p = mem_get((size_t)st.st_size + 1);
    *ret_n = fread(p, 1, (size_t)st.st_size, f);
    fclose(f);
    return p;
}

/* Configuration and rules as the program takes them. A configuration of another program that is
 * refused is passed over: what is wanted are the rules on the packets. */
static bool set_up(struct sensor *s, const char *rules, const char *config)
{
    static struct options options;
    struct err e;

    options = (struct options){.rules_only = rules, .disable_detection = !rules};
    s->options = &options;
    conf_default(&s->conf);
    if (!conf_load(&s->conf, config, NULL, 0, &e)) {
        fprintf(stderr, "sweep: %s\n", e.text);
        conf_free(&s->conf);
        memset(&s->conf, 0, sizeof(s->conf));
        conf_default(&s->conf);
        if (!conf_load(&s->conf, NULL, NULL, 0, &e))
            return false;
    }
    s->conf.decode.checksums = s->conf.stream.checksum_validation = false;
    if (sensor_load_rules(s, &e))
        return true;
    fprintf(stderr, "sweep: %s\n", e.text);
    return false;
}

static void tear_down(struct sensor *s)
{
    if (s->rules)
        ruleset_free(s->rules);
    conf_free(&s->conf);
}

/* The child: one capture, all its inputs. */
static int child(struct run *r, char *line)
{
    char *rules = strchr(line, '\t'), *config = NULL;
    struct err e;

    if (rules) {
        *rules++ = '\0';
        config = strchr(rules, '\t');
        if (config)
            *config++ = '\0';
    }
    watch();
    if ((rules && *rules) || (config && *config)) {
        sweep.limit_ticks = 4 * CPU_S;
        snprintf(sweep.place->input, sizeof(sweep.place->input), "rules");
        if (set_up(&r->own, rules && *rules ? rules : NULL, config && *config ? config : NULL))
            r->sensor = &r->own;
    }
    r->file = memfd_create("input", MFD_CLOEXEC);
    must(r->file >= 0);
    snprintf(r->path, sizeof(r->path), "/proc/self/fd/%d", r->file);
    const struct output_conf o = {.kind = "file", .path = "-"};
    must(output_open(&o, &r->out, &e));
    size_t n;
    uint8_t *p = read_file(line, &n);
    run_all(r, line, p, n);
    mem_free(p);
    bool ok = output_close(r->out, &e);
    tear_down(&r->own);
    return ok ? 0 : 4;
}

static void tell(const char *line, int status, FILE *report)
{
    static char text[REPORT_MOST];

    rewind(report);
    size_t n = fread(text, 1, sizeof(text) - 1, report);
    text[n] = '\0';
    fprintf(stderr, "FINDING %.*s %s: %s %d\n%s\n", (int)strcspn(line, "\t"), line,
            sweep.place->input, WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), text);
}

static void one(struct run *r, char *line)
{
    FILE *report = tmpfile();
    int status = 0;

    must(report);
    memset(sweep.place, 0, sizeof(*sweep.place));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fileno(report), STDERR_FILENO);
        exit(child(r, line));
    }
    must(pid > 0);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    sweep.captures++;
    sweep.inputs += sweep.place->inputs;
    if (status != 0) {
        sweep.findings++;
        tell(line, status, report);
    }
    fprintf(stderr, "%.*s\t%llu\t%llu\t%llu\t%s\t%llu\n", (int)strcspn(line, "\t"), line,
            (unsigned long long)sweep.place->inputs, (unsigned long long)sweep.place->bytes,
            (unsigned long long)sweep.place->slowest_us, sweep.place->slowest,
            (unsigned long long)sweep.place->memory_kb);
    fclose(report);
}

static bool arguments(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--no-cuts") == 0)
            sweep.cuts = false;
        else if (strcmp(argv[i], "--live") == 0)
            sweep.live = true;
        else if (strcmp(argv[i], "--rules") == 0 && more)
            sweep.rules = argv[++i];
        else if (strcmp(argv[i], "--config") == 0 && more)
            sweep.config = argv[++i];
        else if (strcmp(argv[i], "--only") == 0 && more)
            sweep.only = argv[++i];
        else if (strcmp(argv[i], "--flips") == 0 && more)
            sweep.flips = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0 && more)
            sweep.seed = strtoull(argv[++i], NULL, 10);
        else
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static char line[3 * 4200];
    struct run *r = mem_zero(sizeof(*r));

    r->sensor = &r->shared;
    if (!arguments(argc, argv)) {
        fprintf(stderr, "sweep: see the head of tests/corpus/sweep.c\n");
        return 2;
    }
    log_set_level(LOG_ERROR);
    sweep.place =
        mmap(NULL, sizeof(*sweep.place), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(sweep.place != MAP_FAILED);
    if (!set_up(&r->shared, sweep.rules, sweep.config))
        return 2;
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0])
            one(r, line);
    }
    tear_down(&r->shared);
    mem_free(r);
    fprintf(stderr, "%llu captures, %llu inputs, %llu findings\n",
            (unsigned long long)sweep.captures, (unsigned long long)sweep.inputs,
            (unsigned long long)sweep.findings);
    return sweep.findings || !sweep.captures;
}
