/* SPDX-License-Identifier: Apache-2.0 */
/* --help, the manual page and bash completion, made from the tables of commands and options. */
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
    printf(".TH DAIZONG 1 \"\" \"daizong %s\" \"User Commands\"\n.SH NAME\ndaizong \\- node and "
           "command line of the Daizong situational-awareness platform\n.SH SYNOPSIS\n"
           ".B daizong\n.I COMMAND\n[\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n.SH COMMANDS\n",
           DAIZONG_VERSION);
    for (size_t i = 0; i < commands_n; i++) {
        const struct command *c = &commands[i];
        printf(".SS \"daizong %s %s\"\n%s.\n%s\n", c->name, c->arguments, c->help, c->more);
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

static void words_after(const char *first)
{
    size_t n = strlen(first);
    for (size_t i = 0; i < commands_n; i++)
        if (strncmp(commands[i].name, first, n) == 0 && commands[i].name[n] == ' ')
            printf(" %s", commands[i].name + n + 1);
}

static void first_words(void)
{
    for (size_t i = 0; i < commands_n; i++) {
        size_t n = strcspn(commands[i].name, " ");
        if (i > 0 && strncmp(commands[i - 1].name, commands[i].name, n) == 0 &&
            (commands[i - 1].name[n] == ' ' || !commands[i - 1].name[n]))
            continue;
        printf(" %.*s", (int)n, commands[i].name);
    }
}

void cli_completion(void)
{
    printf("# bash completion of daizong; made by `daizong completion bash`\n_daizong()\n{\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} options\n"
           "    COMPREPLY=()\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        COMPREPLY=($(compgen -W \"");
    first_words();
    printf("\" -- \"$word\"))\n        return\n    fi\n    case \"$command\" in\n");
    for (size_t i = 0; i < commands_n; i++) {
        const char *name = commands[i].name;
        size_t n = strcspn(name, " ");
        if (i > 0 && strncmp(commands[i - 1].name, name, n) == 0 &&
            (commands[i - 1].name[n] == ' ' || !commands[i - 1].name[n]))
            continue;
        char first[32];
        span_copy(span_of(name, n), first, sizeof(first));
        printf("    %s)\n", first);
        if (name[n] == ' ') {
            printf("        if [ \"$COMP_CWORD\" -eq 2 ]; then\n            COMPREPLY=($(compgen "
                   "-W \"");
            words_after(first);
            printf("\" -- \"$word\"))\n            return\n        fi\n");
        }
        printf("        options=\"");
        for (size_t k = i; k < commands_n && strncmp(commands[k].name, first, n) == 0; k++)
            for (const enum option_id *o = commands[k].options; *o != OPT_COUNT; o++)
                printf(" --%s", option_table[*o].name);
        printf("\"\n        ;;\n");
    }
    printf("    esac\n    if [[ $word == -* ]]; then\n        COMPREPLY=($(compgen -W \"$options");
    for (size_t i = 0; i < LEN(common); i++)
        printf(" --%s", option_table[common[i]].name);
    printf(
        "\" -- \"$word\"))\n    else\n        COMPREPLY=($(compgen -f -- \"$word\"))\n    fi\n}\n"
        "complete -o filenames -F _daizong daizong\n");
}
