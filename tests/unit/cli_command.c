/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's parsing: commands of one and two words, options anywhere, suggestions. */
#include "cli/command.h"

#include "unit.h"

#include <stdlib.h>

static struct cli c;
static struct err e;

static bool parse(const char *line)
{
    static char text[512];
    char *argv[32] = {(char[]){"daizong"}};
    int argc = 1;
    snprintf(text, sizeof(text), "%s", line);
    for (char *p = text; *p && argc < 31;) {
        argv[argc++] = p;
        p += strcspn(p, " ");
        if (*p)
            *p++ = '\0';
    }
    e = (struct err){0};
    return cli_parse(&c, argc, argv, &e);
}

int main(void)
{
    setenv("DAIZONG_DATA", "/data/here", 1);
    unsetenv("DAIZONG_LISTEN");
    CHECK(parse("up -i eth0 --interface=eth1 --json") && c.given[OPT_INTERFACE] == 2 && c.json);
    CHECK_STR(c.values[OPT_INTERFACE][1], "eth1");
    CHECK_STR(c.data_dir, "/data/here");
    CHECK_STR(c.listen, "127.0.0.1:8600");
    CHECK(parse("--data /x user add ana --role analyst"));
    CHECK_STR(c.command->name, "user add");
    CHECK_STR(c.data_dir, "/x");
    CHECK_STR(c.args[0], "ana");
    CHECK(parse("query proto:TCP -sid:1 -n 5") && c.args_n == 2);
    CHECK_STR(c.args[1], "-sid:1");
    CHECK_STR(cli_value(&c, OPT_LIMIT), "5");
    CHECK(parse("query -- --json") && c.args_n == 1 && !c.json);
    CHECK(parse("--version"));
    CHECK_STR(c.command->name, "version");
    CHECK(parse("") && !c.command);
    CHECK(!parse("quary x") && e.kind == ERR_USAGE && strstr(e.text, "did you mean query"));
    CHECK(!parse("user ad x") && strstr(e.text, "did you mean user add"));
    CHECK(!parse("up --intreface eth0") && strstr(e.text, "did you mean --interface"));
    CHECK(!parse("user") && strstr(e.text, "user needs one of: list, add"));
    CHECK(!parse("rules") && strstr(e.text, "rules needs one of: check"));
    CHECK(!parse("query --top --json") && strstr(e.text, "--top needs FIELD"));
    CHECK(!parse("status --data=") && strstr(e.text, "--data is empty"));
    CHECK(!parse("--nonsense") && !strstr(e.text, "daizong  "));
    CHECK(!parse("status --role admin") && strstr(e.text, "unknown option"));
    CHECK(!parse("user add") && strstr(e.text, "needs NAME"));
    CHECK(!parse("status much") && strstr(e.text, "too much"));
    CHECK(!parse("up --data") && strstr(e.text, "needs DIR"));
    CHECK(!parse("status --json=x") && strstr(e.text, "takes no value"));
    CHECK(parse("user add --help"));
    for (size_t i = 0; i < commands_n; i++) {
        CHECK(commands[i].run && commands[i].help[0] && commands[i].more && commands[i].options);
        char line[64];
        snprintf(line, sizeof(line), "%s --help", commands[i].name);
        CHECK(parse(line) && c.command == &commands[i]);
    }
    return unit_end();
}
