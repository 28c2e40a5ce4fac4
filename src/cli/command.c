/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing the command line by the tables. Options may stand anywhere; `--` ends them; --name=value
 * and --name value are the same. A word that is nearly a command or an option is suggested. */
#include "cli/command.h"

#include "base/buf.h"

#include "cli/run.h"

#include <unistd.h>

const struct option_row option_table[OPT_COUNT] = {
#define OPTION(id, name, letter, argument, help) [OPT_##id] = {name, letter, argument, help},
#include "cli/options.def"
#undef OPTION
};

static const enum option_id common_options[] = {OPT_HELP,   OPT_JSON,    OPT_DATA,
                                                OPT_LISTEN, OPT_URL,     OPT_TOKEN,
                                                OPT_QUIET,  OPT_VERBOSE, OPT_COUNT};
static const enum option_id no_options[] = {OPT_COUNT};
static const enum option_id node_options[] = {
    OPT_INTERFACE,     OPT_FOLLOW,        OPT_EVE_SOCKET, OPT_RULES,      OPT_CERTIFICATE,
    OPT_KEY,           OPT_HOSTNAME,      OPT_STORE_URL,  OPT_STORE_USER, OPT_STORE_LISTEN,
    OPT_STORE_LIBRARY, OPT_SENSOR_LISTEN, OPT_SM3,        OPT_NO_CONFINE, OPT_COUNT};
static const enum option_id replay_options[] = {OPT_DEMO, OPT_NO_WAIT, OPT_COUNT};
static const enum option_id query_options[] = {OPT_FROM,   OPT_TO,  OPT_LIMIT, OPT_TOP,
                                               OPT_NUMBER, OPT_ASC, OPT_LIVE,  OPT_COUNT};
static const enum option_id tail_options[] = {OPT_TYPES, OPT_COUNT};
static const enum option_id user_add_options[] = {OPT_ROLE, OPT_PASSWORD_STDIN, OPT_COUNT};
static const enum option_id passwd_options[] = {OPT_PASSWORD_STDIN, OPT_COUNT};
static const enum option_id token_options[] = {OPT_ROLE, OPT_DAYS, OPT_SENSOR, OPT_COUNT};

const struct command commands[] = {
#define COMMAND(...) {__VA_ARGS__},
#include "cli/commands.def"
#undef COMMAND
};
const size_t commands_n = LEN(commands);

static bool allowed(const struct command *cmd, enum option_id id)
{
    for (const enum option_id *o = common_options; *o != OPT_COUNT; o++)
        if (*o == id)
            return true;
    for (const enum option_id *o = cmd ? cmd->options : no_options; *o != OPT_COUNT; o++)
        if (*o == id)
            return true;
    return false;
}

static bool unknown_option(const struct command *cmd, const char *text, const char *name,
                           struct err *e)
{
    const char *best = NULL;
    unsigned least = 3;
    for (unsigned i = 0; i < OPT_COUNT; i++) {
        unsigned d = span_distance(span_str(name), span_str(option_table[i].name));
        if (allowed(cmd, (enum option_id)i) && d < least) {
            least = d;
            best = option_table[i].name;
        }
    }
    if (best)
        return err_set(e, ERR_USAGE, "unknown option %s; did you mean --%s?", text, best);
    return err_set(e, ERR_USAGE, "unknown option %s (see daizong %s%s--help)", text,
                   cmd ? cmd->name : "", cmd ? " " : "");
}

/* "user" alone: says what may follow. False in any case; *is: there are such commands. */
static bool family_alone(const char *word, bool *is, struct err *e)
{
    struct buf b CLEANUP(buf_free) = buf_new(1024);
    struct span first = span_str(word);
    for (size_t i = 0; i < commands_n; i++) {
        struct span name = span_str(commands[i].name);
        if (span_eq(span_split(&name, ' '), first) && name.n > 0)
            buf_printf(&b, "%s%.*s", b.n ? ", " : "", (int)name.n, (const char *)name.p);
    }
    *is = b.n > 0;
    return !*is || err_set(e, ERR_USAGE, "daizong %s needs one of: %s", word, buf_cstr(&b));
}

static bool unknown_command(const char *word, struct err *e)
{
    const char *best = NULL;
    unsigned least = 3;
    for (size_t i = 0; i < commands_n; i++) {
        unsigned d = span_distance(span_str(word), span_str(commands[i].name));
        if (d < least) {
            least = d;
            best = commands[i].name;
        }
    }
    if (best)
        return err_set(e, ERR_USAGE, "unknown command %s; did you mean %s?", word, best);
    return err_set(e, ERR_USAGE, "unknown command %s (see daizong help)", word);
}

/* The command that the first words name; *used gets how many of them. */
static const struct command *find_command(char **words, unsigned n, unsigned *used)
{
    char two[80];
    for (unsigned k = n < 2 ? n : 2; k > 0; k--) {
        if (k == 2)
            snprintf(two, sizeof(two), "%s %s", words[0], words[1]);
        else
            snprintf(two, sizeof(two), "%s", words[0]);
        for (size_t i = 0; i < commands_n; i++)
            if (strcmp(commands[i].name, two) == 0) {
                *used = k;
                return &commands[i];
            }
    }
    return NULL;
}

/* The command's own option of that name before one of another command. */
static enum option_id option_find(const struct command *cmd, const char *name, size_t n,
                                  char letter)
{
    enum option_id other = OPT_COUNT;
    for (unsigned i = 0; i < OPT_COUNT; i++) {
        const struct option_row *o = &option_table[i];
        bool same = name ? strlen(o->name) == n && memcmp(o->name, name, n) == 0
                         : o->letter && o->letter == letter;
        if (same && allowed(cmd, (enum option_id)i))
            return (enum option_id)i;
        if (same && other == OPT_COUNT)
            other = (enum option_id)i;
    }
    return other;
}

static bool take_option(struct cli *c, int argc, char **argv, int *at, struct err *e)
{
    const char *text = argv[*at];
    const char *equals = NULL, *value = NULL;
    enum option_id id;
    char name[64];
    if (text[1] == '-') {
        equals = strchr(text, '=');
        size_t n = equals ? (size_t)(equals - text) - 2 : strlen(text) - 2;
        span_copy(span_of(text + 2, n), name, sizeof(name));
        id = option_find(c->command, text + 2, n, 0);
    } else {
        name[0] = text[1];
        name[1] = '\0';
        id = option_find(c->command, NULL, 0, text[1]);
    }
    if (id == OPT_COUNT || !allowed(c->command, id))
        return unknown_option(c->command, text, name, e);
    const struct option_row *o = &option_table[id];
    if (!o->argument && (equals || (text[1] != '-' && text[2])))
        return err_set(e, ERR_USAGE, "--%s takes no value", o->name);
    if (o->argument) {
        if (equals)
            value = equals + 1;
        else if (text[1] != '-' && text[2])
            value = text + 2;
        else if (*at + 1 < argc)
            value = argv[++*at];
        if (!value || (value == argv[*at] && strncmp(value, "--", 2) == 0 && value[2]))
            return err_set(e, ERR_USAGE, "--%s needs %s: %s", o->name, o->argument, o->help);
    }
    if (c->given[id] == VALUES_MAX)
        return err_set(e, ERR_USAGE, "--%s is given too often", o->name);
    if (value && !*value && (id == OPT_DATA || id == OPT_URL || id == OPT_LISTEN))
        return err_set(e, ERR_USAGE, "--%s is empty: it needs %s", o->name, o->argument);
    c->values[id][c->given[id]++] = value ? value : "";
    return true;
}

static void default_data_dir(struct cli *c)
{
    const char *given = cli_value(c, OPT_DATA);
    const char *home = getenv("HOME"), *xdg = getenv("XDG_DATA_HOME");
    if (!given)
        given = getenv("DAIZONG_DATA");
    if (given && *given)
        snprintf(c->data_dir, sizeof(c->data_dir), "%s", given);
    else if (geteuid() == 0)
        snprintf(c->data_dir, sizeof(c->data_dir), "/var/lib/daizong");
    else if (xdg && *xdg)
        snprintf(c->data_dir, sizeof(c->data_dir), "%s/daizong", xdg);
    else
        snprintf(c->data_dir, sizeof(c->data_dir), "%s/.local/share/daizong", home ? home : "");
    if (c->data_dir[0] != '/') { /* children and sockets need it whole */
        char cwd[4096], text[4096];
        snprintf(text, sizeof(text), "%s", c->data_dir);
        if (getcwd(cwd, sizeof(cwd)))
            snprintf(c->data_dir, sizeof(c->data_dir), "%.2000s/%.2000s", cwd, text);
    }
}

static bool check_counts(const struct cli *c, struct err *e)
{
    const struct command *cmd = c->command;
    if (c->given[OPT_HELP])
        return true;
    if (c->args_n < cmd->min)
        return err_set(e, ERR_USAGE, "daizong %s needs %s", cmd->name, cmd->arguments);
    if (c->args_n > cmd->max)
        return err_set(e, ERR_USAGE, "daizong %s: %s is too much (see daizong %s --help)",
                       cmd->name, c->args[cmd->max], cmd->name);
    return true;
}

/* The first two words that are no options: the command is found before its options are read. */
static unsigned first_words(int argc, char **argv, char **words)
{
    static char version[] = "version";
    unsigned n = 0;
    for (int i = 1; i < argc && n < 2; i++) {
        if (argv[i][0] != '-') {
            words[n++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0) {
            argv[i] = version;
            words[0] = version;
            return 1;
        }
        bool whole = argv[i][1] == '-';
        enum option_id id = whole ? option_find(NULL, argv[i] + 2, strlen(argv[i] + 2), 0)
                                  : option_find(NULL, NULL, 0, argv[i][1]);
        if (id != OPT_COUNT && option_table[id].argument && (whole || !argv[i][2]))
            i++;
    }
    return n;
}

static bool take_command(struct cli *c, int argc, char **argv, unsigned *used, struct err *e)
{
    char *words[2];
    char both[160];
    unsigned n = first_words(argc, argv, words);
    c->command = n ? find_command(words, n, used) : NULL;
    if (!n || c->command)
        return true;
    snprintf(both, sizeof(both), "%s%s%s", words[0], n > 1 ? " " : "", n > 1 ? words[1] : "");
    bool family = strcmp(words[0], "user") == 0 || strcmp(words[0], "rules") == 0 ||
                  strcmp(words[0], "completion") == 0;
    bool known;
    if (n == 1 && !family_alone(words[0], &known, e))
        return false;
    return unknown_command(family ? both : words[0], e);
}

/* "-field:value" after the name of a command that takes a query is a part of the query. */
static bool is_negation(const struct cli *c, const char *text)
{
    return text[1] != '-' && c->command && c->command->max > 1 && strchr(text, ':');
}

static bool take_words(struct cli *c, int argc, char **argv, unsigned used, struct err *e)
{
    bool only_args = false;
    for (int i = 1; i < argc; i++) {
        bool dash = !only_args && argv[i][0] == '-' && argv[i][1];
        if (!only_args && strcmp(argv[i], "--") == 0) {
            only_args = true;
        } else if (dash && (used > 0 || !is_negation(c, argv[i]))) {
            if (!take_option(c, argc, argv, &i, e))
                return false;
        } else if (used > 0) {
            used--;
        } else if (c->args_n < LEN(c->args)) {
            c->args[c->args_n++] = argv[i];
        }
    }
    return true;
}

bool cli_parse(struct cli *c, int argc, char **argv, struct err *e)
{
    unsigned used = 0;
    *c = (struct cli){0};
    if (!take_command(c, argc, argv, &used, e) || !take_words(c, argc, argv, used, e))
        return false;
    default_data_dir(c);
    const char *listen = cli_value(c, OPT_LISTEN);
    const char *from_env = getenv("DAIZONG_LISTEN");
    c->listen = listen ? listen : from_env && *from_env ? from_env : "127.0.0.1:8600";
    c->json = c->given[OPT_JSON] > 0;
    return !c->command || check_counts(c, e);
}
