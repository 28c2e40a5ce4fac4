/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock rules by hand (its header is younger than some of the kernels we build on) and a seccomp
 * list of refusals: the engine's own needs are too many to enumerate, what it must not do is not.
 */
#include "embedded/confine.h"

#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const uint64_t fs_read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
/* Renaming between folders, which the engine does, cannot be granted before the second version. */
enum { LANDLOCK_LEAST = 2 };

/* All that this version of Landlock can refuse. */
static uint64_t fs_all(long version)
{
    return (UINT64_C(1) << (version >= 3 ? 15 : 14)) - 1;
}

static bool path_allow(int ruleset, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access};

    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return errno == ENOENT;
    long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
    return rc == 0;
}

static bool files_confine(const char *data_dir, const char *scratch, bool *done, struct err *e)
{
    static const char *const dirs[] = {"/proc", "/sys", "/usr/share/zoneinfo", "/usr/lib/locale"};
    static const char *const files[] = {"/etc/localtime", "/etc/timezone", "/dev/urandom",
                                        "/dev/random"};
    *done = false;
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < LANDLOCK_LEAST)
        return true; /* this kernel has none that would do */
    uint64_t all = fs_all(version);
    struct landlock_ruleset_attr attr = {.handled_access_fs = all};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
    if (ruleset < 0)
        return true;
    bool ok = path_allow(ruleset, data_dir, all & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE) &&
              (!scratch || path_allow(ruleset, scratch, all)) &&
              path_allow(ruleset, "/dev/null",
                         LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
    for (size_t i = 0; ok && i < LEN(dirs); i++)
        ok = path_allow(ruleset, dirs[i], fs_read);
    for (size_t i = 0; ok && i < LEN(files); i++)
        ok = path_allow(ruleset, files[i], LANDLOCK_ACCESS_FS_READ_FILE);
    ok = ok && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    *done = ok;
    return ok || err_set(e, ERR_INTERNAL, "cannot confine file access: %m");
}

static bool calls_confine(struct err *e)
{
    static const int refused[] = {
        SCMP_SYS(execve),
        SCMP_SYS(execveat),
        SCMP_SYS(ptrace),
        SCMP_SYS(connect),
        SCMP_SYS(process_vm_readv),
        SCMP_SYS(process_vm_writev),
        SCMP_SYS(mount),
        SCMP_SYS(umount2),
        SCMP_SYS(pivot_root),
        SCMP_SYS(chroot),
        SCMP_SYS(bpf),
        SCMP_SYS(init_module),
        SCMP_SYS(finit_module),
        SCMP_SYS(delete_module),
        SCMP_SYS(kexec_load),
        SCMP_SYS(keyctl),
        SCMP_SYS(add_key),
        SCMP_SYS(request_key),
        SCMP_SYS(setuid),
        SCMP_SYS(setgid),
        SCMP_SYS(setns),
        SCMP_SYS(unshare),
        SCMP_SYS(reboot),
        SCMP_SYS(swapon),
        SCMP_SYS(userfaultfd),
        SCMP_SYS(open_by_handle_at),
        SCMP_SYS(perf_event_open),
    };
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

    if (!ctx)
        return err_set(e, ERR_NOMEM, "no memory for the list of refused calls");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < LEN(refused); i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
    /* Its own listening sockets are open; nothing else ever needs one. */
    if (rc == 0)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                              SCMP_A0(SCMP_CMP_NE, AF_UNIX));
    if (rc == 0)
        rc = seccomp_load(ctx);
    seccomp_release(ctx);
    if (rc == 0)
        return true;
    errno = -rc;
    return err_set(e, ERR_INTERNAL, "cannot confine system calls: %m");
}

bool confine_self(const char *data_dir, const char *scratch, struct confine_done *done,
                  struct err *e)
{
    struct rlimit none = {0, 0};

    *done = (struct confine_done){0};
    setrlimit(RLIMIT_CORE, &none);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set(e, ERR_INTERNAL, "cannot give up new privileges: %m");
    if (!files_confine(data_dir, scratch, &done->files, e) || !calls_confine(e))
        return false;
    done->calls = true;
    return true;
}
