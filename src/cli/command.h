/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of `daizong` as a table: names, arguments, options and help in one place, from which
 * parsing, --help, the man page and shell completion are made (commands.def). */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum { OPTIONS_MAX = 24, VALUES_MAX = 16 };

enum option_id {
#define OPTION(id, name, letter, argument, help) OPT_##id,
#include "cli/options.def"
#undef OPTION
    OPT_COUNT
};

struct option_row {
    const char *name;     /* without dashes */
    char letter;          /* 0: none */
    const char *argument; /* NULL: a switch */
    const char *help;
};

extern const struct option_row option_table[OPT_COUNT];

struct cli;
typedef bool command_run(struct cli *c, struct err *e);

struct command {
    const char *name;              /* "user add" */
    const char *arguments;         /* "NAME", "FILE..." or "" */
    unsigned min, max;             /* arguments */
    const enum option_id *options; /* ends with OPT_COUNT; beside the common ones */
    command_run *run;
    const char *help;
    const char *more; /* further text of --help and the man page, "" for none */
};

extern const struct command commands[];
extern const size_t commands_n;

/* A parsed command line. */
struct cli {
    const struct command *command;
    const char *values[OPT_COUNT][VALUES_MAX]; /* of options; a switch has "" */
    unsigned given[OPT_COUNT];
    const char *args[256];
    unsigned args_n;
    char data_dir[4096];
    const char *listen;
    bool json;
};

/* Fills in c. ERR_USAGE with what is wrong and what was probably meant. */
bool cli_parse(struct cli *c, int argc, char **argv, struct err *e) MUST_CHECK;

static inline const char *cli_value(const struct cli *c, enum option_id id)
{
    return c->given[id] ? c->values[id][c->given[id] - 1] : NULL; /* the last one counts */
}

/* Documentation made from the tables. */
void cli_help(const struct command *one); /* NULL: all */
void cli_completion(const char *shell);   /* "bash", "zsh" or "fish" */
void cli_man(void);
