/* SPDX-License-Identifier: Apache-2.0 */
/* Checking rules: the sensor compiles them, so it is the one to ask. */
#include "cli/run.h"
#include "node/child.h"

#include <unistd.h>

bool cmd_rules_check(struct cli *c, struct err *e)
{
    char program[4096];
    const char *argv[CHILD_ARGS + 8] = {0};
    size_t n = 0;
    child_program("daizong-sensor", getenv("DAIZONG_SENSOR_PROGRAM"), program, sizeof(program));
    argv[n++] = program;
    argv[n++] = "-T";
    for (unsigned i = 0; i < c->args_n && n + 3 < CHILD_ARGS; i++) {
        argv[n++] = "-S";
        argv[n++] = c->args[i];
    }
    if (c->json)
        argv[n++] = "--json";
    char *args[CHILD_ARGS + 8];
    memcpy(args, argv, sizeof(args));
    fflush(stdout);
    execv(program, args);
    return err_set(e, ERR_UNAVAILABLE, "%s: %m (is it built and beside this program?)", program);
}
