/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that print documentation. */
#include "cli/run.h"

bool cmd_completion(struct cli *c, struct err *e)
{
    (void)e;
    cli_completion(strchr(c->command->name, ' ') + 1);
    return true;
}

bool cmd_man(struct cli *c, struct err *e)
{
    (void)c, (void)e;
    cli_man();
    return true;
}

bool cmd_help(struct cli *c, struct err *e)
{
    char name[200];
    if (c->args_n == 0) {
        cli_help(NULL);
        return true;
    }
    snprintf(name, sizeof(name), "%.90s%s%.90s", c->args[0], c->args_n > 1 ? " " : "",
             c->args_n > 1 ? c->args[1] : "");
    for (size_t i = 0; i < commands_n; i++)
        if (strcmp(commands[i].name, name) == 0) {
            cli_help(&commands[i]);
            return true;
        }
    return err_set(e, ERR_USAGE, "unknown command %s (see daizong help)", name);
}
