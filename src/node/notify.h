/* SPDX-License-Identifier: Apache-2.0 */
/* Telling a service manager how far we are (systemd's protocol: a datagram to $NOTIFY_SOCKET). */
#pragma once

/* Takes the address out of the environment, so that children do not speak for the node. Before any
 * thread begins. */
void notify_open(void);
/* "READY=1", "STOPPING=1"; nothing happens when nobody wants to know. */
void notify(const char *text);
