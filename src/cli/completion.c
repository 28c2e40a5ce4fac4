/* SPDX-License-Identifier: Apache-2.0 */
/* Completion scripts for bash, zsh and fish, made from the tables of commands and options. */
#include "cli/command.h"

static const enum option_id common[] = {OPT_JSON,  OPT_DATA,  OPT_LISTEN,  OPT_URL,
                                        OPT_TOKEN, OPT_QUIET, OPT_VERBOSE, OPT_HELP};

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

static void complete_bash(void)
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

/* Text inside single quotes of the shell; q is how a quote itself stands there. */
static void quoted(const char *text, const char *q)
{
    putchar('\'');
    for (const char *p = text; *p; p++)
        if (*p == '\'')
            printf("%s", q);
        else
            putchar(*p);
    putchar('\'');
}

static void zsh_option(enum option_id id)
{
    const struct option_row *o = &option_table[id];
    char text[300];
    size_t n = 0;
    n += (size_t)snprintf(text, sizeof(text), "--%s%s[", o->name, o->argument ? "=" : "");
    for (const char *p = o->help; *p && n + 4 < sizeof(text); p++) {
        if (strchr("[]:", *p))
            text[n++] = '\\';
        text[n++] = *p;
    }
    snprintf(text + n, sizeof(text) - n, "]%s%s%s", o->argument ? ":" : "",
             o->argument ? o->argument : "", o->argument ? ":_files" : "");
    printf(" \\\n            ");
    quoted(text, "'\\''");
}

static void complete_zsh(void)
{
    printf("#compdef daizong\n# zsh completion of daizong; made by `daizong completion zsh`\n"
           "_daizong()\n{\n    local -a commands\n    commands=(\n");
    for (size_t i = 0; i < commands_n; i++) {
        char text[300];
        snprintf(text, sizeof(text), "%s:%s", commands[i].name, commands[i].help);
        printf("        ");
        quoted(text, "'\\''");
        printf("\n");
    }
    printf(
        "    )\n    if (( CURRENT == 2 )); then\n        local -a first\n"
        "        first=(${(u)${commands%%%%:*}%%%% *})\n        compadd -a first\n        return\n"
        "    fi\n    if (( CURRENT == 3 )); then\n        local -a second\n"
        "        second=(${${(M)commands%%%%:*:#$words[2] *}#* })\n"
        "        (( $#second )) && { compadd -a second; return }\n    fi\n"
        "    local command=$words[2]\n"
        "    (( ${commands[(I)$words[2] $words[3]:*]} )) && command=\"$words[2] $words[3]\"\n"
        "    case $command in\n");
    for (size_t i = 0; i < commands_n; i++) {
        printf("    ");
        quoted(commands[i].name, "'\\''");
        printf(")\n        _arguments");
        for (const enum option_id *o = commands[i].options; *o != OPT_COUNT; o++)
            zsh_option(*o);
        for (size_t k = 0; k < LEN(common); k++)
            zsh_option(common[k]);
        printf(" \\\n            '*:file:_files'\n        ;;\n");
    }
    printf("    esac\n}\ncompdef _daizong daizong\n");
}

static void fish_option(const char *condition, enum option_id id)
{
    const struct option_row *o = &option_table[id];
    printf("complete -c daizong%s%s", condition[0] ? " -n " : "", condition);
    printf(" -l %s", o->name);
    if (o->letter)
        printf(" -s %c", o->letter);
    printf("%s -d ", o->argument ? " -r" : "");
    quoted(o->help, "\\'");
    printf("\n");
}

static void complete_fish(void)
{
    printf("# fish completion of daizong; made by `daizong completion fish`\n");
    for (size_t i = 0; i < commands_n; i++) {
        const struct command *c = &commands[i];
        char first[32], condition[100];
        size_t n = strcspn(c->name, " ");
        span_copy(span_of(c->name, n), first, sizeof(first));
        printf("complete -c daizong -f -n __fish_use_subcommand -a %s -d ", first);
        quoted(c->name[n] ? "" : c->help, "\\'");
        printf("\n");
        snprintf(condition, sizeof(condition), "'__fish_seen_subcommand_from %s'", first);
        if (c->name[n]) {
            printf("complete -c daizong -f -n %s -a %s -d ", condition, c->name + n + 1);
            quoted(c->help, "\\'");
            printf("\n");
            snprintf(condition, sizeof(condition),
                     "'__fish_seen_subcommand_from %s; and "
                     "__fish_seen_subcommand_from %s'",
                     first, c->name + n + 1);
        }
        for (const enum option_id *o = c->options; *o != OPT_COUNT; o++)
            fish_option(condition, *o);
    }
    for (size_t k = 0; k < LEN(common); k++)
        fish_option("", common[k]);
}

void cli_completion(const char *shell)
{
    if (strcmp(shell, "zsh") == 0)
        complete_zsh();
    else if (strcmp(shell, "fish") == 0)
        complete_fish();
    else
        complete_bash();
}
