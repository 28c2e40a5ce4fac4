/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of IPv4 options: bits of packet.ip_option_seen. */
#pragma once

enum ip_option {
    IPOPT_RR,
    IPOPT_LSRR,
    IPOPT_EOL,
    IPOPT_NOP,
    IPOPT_TS,
    IPOPT_SEC,
    IPOPT_SSRR,
    IPOPT_SID,
    IPOPT_QS,
    IPOPT_CIPSO,
    IPOPT_RTRALT,
    IPOPT_ESEC,
};
