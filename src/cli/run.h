/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that commands.def names, by the file that holds them. */
#pragma once

#include "cli/command.h"

/* cmd_node.c */
bool cmd_up(struct cli *c, struct err *e);
bool cmd_node(struct cli *c, struct err *e);
/* cmd_replay.c */
bool cmd_replay(struct cli *c, struct err *e);
/* cmd_query.c */
bool cmd_query(struct cli *c, struct err *e);
/* cmd_tail.c */
bool cmd_tail(struct cli *c, struct err *e);
/* The last events of the query, oldest first, then those that come in. */
bool follow_events(struct cli *c, uint64_t last, struct err *e);
/* cmd_rules.c */
bool cmd_rules_check(struct cli *c, struct err *e);
/* cmd_user.c */
bool cmd_user_list(struct cli *c, struct err *e);
bool cmd_user_add(struct cli *c, struct err *e);
bool cmd_user_passwd(struct cli *c, struct err *e);
bool cmd_user_delete(struct cli *c, struct err *e);
bool cmd_user_token(struct cli *c, struct err *e);
/* cmd_status.c */
bool cmd_status(struct cli *c, struct err *e);
bool cmd_version(struct cli *c, struct err *e);
/* cmd_docs.c */
bool cmd_completion(struct cli *c, struct err *e);
bool cmd_man(struct cli *c, struct err *e);
bool cmd_help(struct cli *c, struct err *e);
