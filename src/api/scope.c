/* SPDX-License-Identifier: Apache-2.0 */
/* Administrators see every unit, others their own. */
#include "api/scope.h"

void scope_of(const struct person *who, struct scope *ret)
{
    ret->unit[0] = who->unit;
    ret->store = (struct store_scope){.all = who->role == ROLE_ADMIN,
                                      .units = ret->unit,
                                      .units_n = who->role == ROLE_ADMIN ? 0 : 1};
}

bool scope_sees(const struct person *who, const char *unit)
{
    return who->role == ROLE_ADMIN || strcmp(who->unit, unit) == 0;
}

const char *scope_unit(const struct person *who)
{
    return who->role == ROLE_ADMIN ? "" : who->unit;
}
