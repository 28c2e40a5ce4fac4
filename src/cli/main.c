/* SPDX-License-Identifier: Apache-2.0 */
/* The program `daizong`: finds the command, runs it, reports its error once and ends with the exit
 * code that errors.def gives to its kind. */
#include "base/json.h"
#include "base/log.h"
#include "cli/run.h"

static int report(const struct cli *c, const struct err *e)
{
    if (c->json) {
        struct buf b = buf_new(4096);
        buf_printf(&b, "{\"error\":{\"code\":\"%s\",\"message\":", err_name(e->kind));
        json_add_string(&b, span_str(e->text));
        buf_str(&b, "}}");
        fprintf(stderr, "%s\n", buf_cstr(&b));
        buf_free(&b);
    } else {
        fprintf(stderr, "daizong: %s\n", e->text);
    }
    return err_exit_code(e->kind);
}

int main(int argc, char **argv)
{
    static struct cli c;
    struct err e = {0};
    log_set_name("daizong");
    if (!cli_parse(&c, argc, argv, &e))
        return report(&c, &e);
    if (c.given[OPT_VERBOSE])
        log_set_level(c.given[OPT_VERBOSE] > 1 ? LOG_DEBUG : LOG_INFO);
    if (!c.command || c.given[OPT_HELP]) {
        cli_help(c.command);
        return c.command || c.given[OPT_HELP] ? 0 : err_exit_code(ERR_USAGE);
    }
    return c.command->run(&c, &e) ? 0 : report(&c, &e);
}
