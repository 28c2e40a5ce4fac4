/* SPDX-License-Identifier: Apache-2.0 */
/* A socket for each message: there are two in a life. */
#include "node/notify.h"

#include "base/log.h"
#include "base/span.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address;
static socklen_t address_n;

void notify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t n = path ? strlen(path) : 0;
    if (n > 1 && n < sizeof(address.sun_path) && (path[0] == '/' || path[0] == '@')) {
        address.sun_family = AF_UNIX;
        memcpy(address.sun_path, path, n);
        if (path[0] == '@')
            address.sun_path[0] = '\0';
        address_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    }
    unsetenv("NOTIFY_SOCKET");
}

void notify(const char *text)
{
    if (!address_n)
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                         address_n) < 0)
        log_info("the service manager cannot be told: %m");
    if (fd >= 0)
        close(fd);
}
