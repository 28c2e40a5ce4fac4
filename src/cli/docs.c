/* SPDX-License-Identifier: Apache-2.0 */
/* --help and the manual page, made from the tables of commands and options. */
#include "cli/command.h"

static const enum option_id common[] = {OPT_JSON,  OPT_DATA,  OPT_LISTEN,  OPT_URL,
                                        OPT_TOKEN, OPT_QUIET, OPT_VERBOSE, OPT_HELP};

static void help_option(enum option_id id)
{
    const struct option_row *o = &option_table[id];
    char left[64];
    char letter[8] = "    ";
    if (o->letter)
        snprintf(letter, sizeof(letter), "-%c, ", o->letter);
    snprintf(left, sizeof(left), "%s--%s %s", letter, o->name, o->argument ? o->argument : "");
    printf("  %-28s %s\n", left, o->help);
}

void cli_help(const struct command *one)
{
    if (!one) {
        printf("usage: daizong COMMAND [OPTION...] [ARGUMENT...]\n\ncommands:\n");
        for (size_t i = 0; i < commands_n; i++)
            printf("  %-18s %s\n", commands[i].name, commands[i].help);
        printf("\noptions of every command:\n");
        for (size_t i = 0; i < LEN(common); i++)
            help_option(common[i]);
        printf("\ndaizong COMMAND --help says more. Start with: daizong up\n");
        return;
    }
    printf("usage: daizong %s [OPTION...] %s\n\n%s\n", one->name, one->arguments, one->help);
    if (one->more[0])
        printf("%s\n", one->more);
    printf("\noptions:\n");
    for (const enum option_id *o = one->options; *o != OPT_COUNT; o++)
        help_option(*o);
    for (size_t i = 0; i < LEN(common); i++)
        help_option(common[i]);
}

static void man_option(enum option_id id)
{
    const struct option_row *o = &option_table[id];
    printf(".TP\n");
    if (o->letter)
        printf("\\fB\\-%c\\fR, ", o->letter);
    printf("\\fB\\-\\-%s\\fR", o->name);
    if (o->argument)
        printf(" \\fI%s\\fR", o->argument);
    printf("\n%s\n", o->help);
}

void cli_man(void)
{
    printf(".TH DAIZONG 1 \"2026-01-01\" \"daizong %s\" \"User Commands\"\n.SH NAME\ndaizong \\- "
           "node and "
           "command line of the Daizong situational-awareness platform\n.SH SYNOPSIS\n"
           ".B daizong\n.I COMMAND\n[\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n.SH COMMANDS\n",
           DAIZONG_VERSION);
    for (size_t i = 0; i < commands_n; i++) {
        const struct command *c = &commands[i];
        printf(".SS \"daizong %s%s%s\"\n%s.\n", c->name, c->arguments[0] ? " " : "", c->arguments,
               c->help);
        if (c->more[0])
            printf("%s\n", c->more);
        for (const enum option_id *o = c->options; *o != OPT_COUNT; o++)
            man_option(*o);
    }
    printf(".SH OPTIONS OF EVERY COMMAND\n");
    for (size_t i = 0; i < LEN(common); i++)
        man_option(common[i]);
    printf(".SH EXIT STATUS\n");
    for (unsigned k = 0; k < ERR_KINDS; k++)
        printf(".TP\n%d\n%s\n", err_exit_code((enum err_kind)k), err_name((enum err_kind)k));
    printf(
        ".SH FILES\n.TP\n~/.local/share/daizong, /var/lib/daizong\nthe data folder of a user, of "
        "root\n.SH ENVIRONMENT\n.TP\nDAIZONG_DATA, DAIZONG_LISTEN, DAIZONG_URL, DAIZONG_TOKEN\n"
        "as the options of these names\n");
}
