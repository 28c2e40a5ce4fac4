/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a node. */
#include "cli/run.h"
#include "node/node.h"

static bool run_node(struct cli *c, bool local_sensors, struct err *e)
{
    struct node_conf conf = {.data_dir = c->data_dir,
                             .listen = c->listen,
                             .certificate = cli_value(c, OPT_CERTIFICATE),
                             .key = cli_value(c, OPT_KEY),
                             .hosts = cli_value(c, OPT_HOSTNAME),
                             .store_url = cli_value(c, OPT_STORE_URL),
                             .store_user = cli_value(c, OPT_STORE_USER),
                             .store_password = getenv("DAIZONG_STORE_PASSWORD"),
                             .store_program = getenv("DAIZONG_STORE_PROGRAM"),
                             .store_library = cli_value(c, OPT_STORE_LIBRARY),
                             .store_listen = cli_value(c, OPT_STORE_LISTEN),
                             .sensor_program = getenv("DAIZONG_SENSOR_PROGRAM"),
                             .sensor_listen = cli_value(c, OPT_SENSOR_LISTEN),
                             .rules = cli_value(c, OPT_RULES),
                             .no_capture = !local_sensors,
                             .no_confine = c->given[OPT_NO_CONFINE] > 0,
                             .json = c->json,
                             .password_sm3 = c->given[OPT_SM3] > 0};
    if (!local_sensors && c->given[OPT_INTERFACE])
        return err_set(e, ERR_USAGE, "daizong node has no local sensors: use daizong up");
    for (unsigned i = 0; i < c->given[OPT_INTERFACE]; i++)
        conf.interfaces[conf.interfaces_n++] = c->values[OPT_INTERFACE][i];
    for (unsigned i = 0; i < c->given[OPT_FOLLOW]; i++)
        conf.follows[conf.follows_n++] = c->values[OPT_FOLLOW][i];
    for (unsigned i = 0; i < c->given[OPT_EVE_SOCKET]; i++)
        conf.eve_sockets[conf.eve_sockets_n++] = c->values[OPT_EVE_SOCKET][i];
    return node_run(&conf, e);
}

bool cmd_up(struct cli *c, struct err *e)
{
    return run_node(c, true, e);
}

bool cmd_node(struct cli *c, struct err *e)
{
    return run_node(c, false, e);
}
