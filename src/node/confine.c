/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities and Landlock are a thread's and pass to what it starts, so this runs in the only
 * thread. Root's power over files shrinks to reading them (a data folder or a program may be in
 * somebody's closed home); "no root" makes uid 0 an ordinary user at exec, so that children get
 * what is in the ambient set and no more. The seccomp list names refusals and not permissions,
 * because children inherit it and the engine's own needs are too many to enumerate. */
#include "node/confine.h"

#include "base/log.h"
#include "base/span.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The sanitizers' runtimes need ptrace. */
#if defined(__SANITIZE_ADDRESS__)
enum { CONFINE_CALLS = false };
#else
enum { CONFINE_CALLS = true };
#endif

#define CAP_BIT(cap) (UINT64_C(1) << (cap))
#define CAPS_NET     (CAP_BIT(CAP_NET_RAW) | CAP_BIT(CAP_NET_ADMIN))

static bool caps_get(uint64_t *permitted)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    if (syscall(SYS_capget, &head, data) != 0)
        return false;
    *permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
    return true;
}

static bool caps_set(uint64_t effective, uint64_t permitted)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    for (unsigned i = 0; i < 2; i++)
        data[i] = (struct __user_cap_data_struct){.effective = (uint32_t)(effective >> 32 * i),
                                                  .permitted = (uint32_t)(permitted >> 32 * i),
                                                  .inheritable = (uint32_t)(permitted >> 32 * i)};
    return syscall(SYS_capset, &head, data) == 0;
}

static bool drop_capabilities(const struct node_confine *c, struct err *e)
{
    struct stat st;
    uint64_t have = 0, own = 0;
    if (!caps_get(&have))
        return err_set(e, ERR_UNSUPPORTED, "capabilities cannot be read: %m");
    if (geteuid() == 0) {
        own = CAP_BIT(CAP_DAC_READ_SEARCH);
        if (stat(c->data_dir, &st) == 0 && st.st_uid != 0)
            own |= CAP_BIT(CAP_DAC_OVERRIDE);
    }
    uint64_t keep = have & (own | (c->capturing ? CAPS_NET : 0));
    if (have & CAP_BIT(CAP_SETPCAP)) {
        for (unsigned cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
            if (!(keep & CAP_BIT(cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
                return err_set(e, ERR_DENIED, "capability %u cannot be dropped: %m", cap);
        if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) != 0)
            return err_set(e, ERR_DENIED, "root's privileges cannot be dropped: %m");
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (!caps_set(have & own, keep))
        return err_set(e, ERR_DENIED, "capabilities cannot be dropped: %m");
    for (unsigned cap = 0; cap < 64; cap++)
        if ((keep & CAP_BIT(cap)) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0)
            log_info("capability %u cannot be handed to sensors: %m", cap);
    return true;
}

/* --- files --- */

/* Every right to change something that this version of Landlock knows; reading is left alone. */
static uint64_t write_rights(long version)
{
    uint64_t all = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                   LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                   LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                   LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                   LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
    const uint64_t refer = UINT64_C(1) << 13, truncate = UINT64_C(1) << 14;
    return all | refer | (version >= 3 ? truncate : 0);
}

static bool permit(int ruleset, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights,
                                              .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return errno == ENOENT;
    long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
    return rc == 0;
}

static bool permit_socket(int ruleset, const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    span_copy(slash ? span_of(path, slash == path ? 1 : (size_t)(slash - path)) : SPAN("."), folder,
              sizeof(folder));
    return permit(ruleset, folder, LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE);
}

/* *version gets Landlock's, 0 when the kernel has none that would do (the second can rename between
 * folders, which the store does). */
static bool confine_files(const struct node_confine *c, long *version, struct err *e)
{
    *version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (*version < 2) {
        *version = 0;
        return true;
    }
    const uint64_t all = write_rights(*version);
    struct landlock_ruleset_attr attr = {.handled_access_fs = all};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
    bool ok = ruleset >= 0 && permit(ruleset, c->data_dir, all) &&
              permit(ruleset, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE);
    for (size_t i = 0; i < c->socket_paths_n; i++)
        ok = ok && permit_socket(ruleset, c->socket_paths[i]);
    ok = ok && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    if (!ok)
        err_set(e, ERR_UNSUPPORTED, "Landlock was refused: %m");
    if (ruleset >= 0)
        close(ruleset);
    return ok;
}

/* --- calls --- */

static bool confine_calls(struct err *e)
{
    static const int refused[] = {
        SCMP_SYS(ptrace),
        SCMP_SYS(process_vm_readv),
        SCMP_SYS(process_vm_writev),
        SCMP_SYS(mount),
        SCMP_SYS(umount2),
        SCMP_SYS(pivot_root),
        SCMP_SYS(chroot),
        SCMP_SYS(open_tree),
        SCMP_SYS(move_mount),
        SCMP_SYS(fsopen),
        SCMP_SYS(fsconfig),
        SCMP_SYS(fsmount),
        SCMP_SYS(fspick),
        SCMP_SYS(unshare),
        SCMP_SYS(setns),
        SCMP_SYS(init_module),
        SCMP_SYS(finit_module),
        SCMP_SYS(delete_module),
        SCMP_SYS(kexec_load),
        SCMP_SYS(kexec_file_load),
        SCMP_SYS(reboot),
        SCMP_SYS(swapon),
        SCMP_SYS(swapoff),
        SCMP_SYS(bpf),
        SCMP_SYS(userfaultfd),
        SCMP_SYS(perf_event_open),
        SCMP_SYS(add_key),
        SCMP_SYS(request_key),
        SCMP_SYS(keyctl),
        SCMP_SYS(acct),
        SCMP_SYS(quotactl),
        SCMP_SYS(settimeofday),
        SCMP_SYS(clock_settime),
        SCMP_SYS(adjtimex),
        SCMP_SYS(clock_adjtime),
        SCMP_SYS(sethostname),
        SCMP_SYS(setdomainname),
        SCMP_SYS(syslog),
        SCMP_SYS(vhangup),
        SCMP_SYS(iopl),
        SCMP_SYS(ioperm),
        SCMP_SYS(open_by_handle_at),
        SCMP_SYS(mknod),
        SCMP_SYS(mknodat),
        SCMP_SYS(personality),
        SCMP_SYS(kcmp),
        SCMP_SYS(io_uring_setup),
        SCMP_SYS(io_uring_enter),
        SCMP_SYS(capset),
        SCMP_SYS(io_uring_register),
        SCMP_SYS(lookup_dcookie),
        SCMP_SYS(nfsservctl),
        SCMP_SYS(uselib),
        SCMP_SYS(ustat),
    };
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    if (!ctx)
        return err_set(e, ERR_UNSUPPORTED, "seccomp: no filter can be made");
    int rc = 0;
    for (size_t i = 0; i < LEN(refused) && rc == 0; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
    /* No namespaces of one's own: they give a process capabilities inside. clone3 hides its flags
     * from a filter; without it libraries take clone. */
    if (rc == 0)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    static const uint64_t spaces[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWNET,
                                      CLONE_NEWPID,  CLONE_NEWIPC, CLONE_NEWUTS};
    for (size_t i = 0; i < LEN(spaces) && rc == 0; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, spaces[i], spaces[i]));
    if (rc == 0)
        rc = seccomp_load(ctx);
    seccomp_release(ctx);
    return rc == 0 || err_set(e, ERR_UNSUPPORTED, "seccomp: %s", strerror(-rc));
}

bool node_confine(const struct node_confine *c, struct err *e)
{
    long landlock = 0;
    if (!drop_capabilities(c, e))
        return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set(e, ERR_UNSUPPORTED, "no_new_privs: %m");
    if (!confine_files(c, &landlock, e) || (CONFINE_CALLS && !confine_calls(e)))
        return false;
    if (landlock)
        log_info("confined: capabilities, system calls, and files by Landlock %ld", landlock);
    else
        log_info("confined: capabilities and system calls; this kernel has no Landlock for files");
    return true;
}
