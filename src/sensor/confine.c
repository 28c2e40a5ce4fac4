/* SPDX-License-Identifier: Apache-2.0 */
/* User and group, no_new_privs, Landlock where the kernel has it (5.13), and a seccomp filter that
 * ends the process at a call outside the list. */
#include "sensor/confine.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The sanitizers' runtimes need calls of their own. */
#if defined(__SANITIZE_ADDRESS__)
enum { CONFINE_CALLS = false };
#else
enum { CONFINE_CALLS = true };
#endif

static bool confine_user(const struct confine_conf *c, struct err *e)
{
    struct passwd *pw = NULL;
    struct group *gr = NULL;

    if (!c->user && !c->group)
        return true;
    if (c->user && !(pw = getpwnam(c->user)))
        return err_set(e, ERR_CONFIG, "run-as.user: there is no user %s", c->user);
    if (c->group && !(gr = getgrnam(c->group)))
        return err_set(e, ERR_CONFIG, "run-as.group: there is no group %s", c->group);
    gid_t gid = gr ? gr->gr_gid : pw ? pw->pw_gid : getgid();
    if (setgroups(1, &gid) != 0 || setresgid(gid, gid, gid) != 0)
        return err_set(e, ERR_DENIED, "cannot become group %s: %m",
                       c->group ? c->group : "of user");
    if (pw && setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
        return err_set(e, ERR_DENIED, "cannot become user %s: %m", c->user);
    return true;
}

static void landlock_path(int ruleset, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access};

    struct stat st;

    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return;
    /* The kernel refuses rights of folders on what is none. */
    if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        log_debug("landlock %s: %m", path);
    close(rule.parent_fd);
}

static void confine_files(const struct confine_conf *c)
{
    const uint64_t read_file = LANDLOCK_ACCESS_FS_READ_FILE, read_dir = LANDLOCK_ACCESS_FS_READ_DIR;
    const uint64_t write = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                           LANDLOCK_ACCESS_FS_REMOVE_FILE | read_file | read_dir;
    /* The file store moves files between its folders, which version 2 has a right for. */
    uint64_t move =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 2
            ? LANDLOCK_ACCESS_FS_REFER
            : 0;
    struct landlock_ruleset_attr attr = {
        .handled_access_fs = write | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                             LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                             LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                             LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | move};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

    if (ruleset < 0) {
        log_info("this kernel has no Landlock: files are guarded by their permissions alone");
        return;
    }
    if (c->write_dir)
        landlock_path(ruleset, c->write_dir, write);
    if (c->store_dir)
        landlock_path(ruleset, c->store_dir, write | move);
    for (const char *const *p = c->read_paths; p && *p; p++)
        landlock_path(ruleset, *p, read_file | read_dir);
    landlock_path(ruleset, "/etc", read_file | read_dir);
    landlock_path(ruleset, "/usr/share/zoneinfo", read_file | read_dir);
    landlock_path(ruleset, "/proc", read_file | read_dir);
    landlock_path(ruleset, "/sys", read_file | read_dir);
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        log_info("Landlock was refused: %m");
    close(ruleset);
}

static bool confine_calls(struct err *e)
{
    static const int allowed[] = {
        SCMP_SYS(read),
        SCMP_SYS(pread64),
        SCMP_SYS(readv),
        SCMP_SYS(write),
        SCMP_SYS(writev),
        SCMP_SYS(open),
        SCMP_SYS(openat),
        SCMP_SYS(close),
        SCMP_SYS(stat),
        SCMP_SYS(fstat),
        SCMP_SYS(lstat),
        SCMP_SYS(newfstatat),
        SCMP_SYS(statx),
        SCMP_SYS(lseek),
        SCMP_SYS(fadvise64),
        SCMP_SYS(rename),
        SCMP_SYS(renameat),
        SCMP_SYS(renameat2),
        SCMP_SYS(unlink),
        SCMP_SYS(unlinkat),
        SCMP_SYS(getdents64),
        SCMP_SYS(fcntl),
        SCMP_SYS(ftruncate),
        SCMP_SYS(utimensat),
        SCMP_SYS(fsync),
        SCMP_SYS(fdatasync),
        SCMP_SYS(access),
        SCMP_SYS(faccessat),
        SCMP_SYS(faccessat2),
        SCMP_SYS(readlink),
        SCMP_SYS(readlinkat),
        SCMP_SYS(mmap),
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(mprotect),
        SCMP_SYS(madvise),
        SCMP_SYS(brk),
        SCMP_SYS(futex),
        SCMP_SYS(clone),
        SCMP_SYS(clone3),
        SCMP_SYS(set_robust_list),
        SCMP_SYS(rseq),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(clock_nanosleep),
        SCMP_SYS(nanosleep),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(time),
        SCMP_SYS(getrandom),
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(sigaltstack),
        SCMP_SYS(tgkill),
        SCMP_SYS(gettid),
        SCMP_SYS(getpid),
        SCMP_SYS(sched_yield),
        SCMP_SYS(sched_getaffinity),
        SCMP_SYS(sched_setaffinity),
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(socket),
        SCMP_SYS(connect),
        SCMP_SYS(sendto),
        SCMP_SYS(sendmsg),
        SCMP_SYS(sendmmsg), /* looking a name up */
        SCMP_SYS(recvfrom),
        SCMP_SYS(recvmsg),
        SCMP_SYS(setsockopt),
        SCMP_SYS(getsockopt),
        SCMP_SYS(getsockname),
        SCMP_SYS(getpeername),
        SCMP_SYS(shutdown),
        SCMP_SYS(bind),
        SCMP_SYS(eventfd2),
        SCMP_SYS(ioctl),
        SCMP_SYS(restart_syscall),
        SCMP_SYS(getrusage),
        SCMP_SYS(sysinfo),
        SCMP_SYS(uname),
        SCMP_SYS(prlimit64),
        SCMP_SYS(getuid),
        SCMP_SYS(geteuid),
        SCMP_SYS(getgid),
        SCMP_SYS(getegid),
        SCMP_SYS(membarrier),
    };
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (!ctx)
        return err_set(e, ERR_UNSUPPORTED, "seccomp: no filter can be made");
    int rc = 0;
    for (size_t i = 0; i < LEN(allowed) && rc == 0; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
    if (rc == 0)
        rc = seccomp_load(ctx);
    seccomp_release(ctx);
    if (rc != 0)
        return err_set(e, ERR_UNSUPPORTED, "seccomp: %s", strerror(-rc));
    return true;
}

bool confine(const struct confine_conf *c, struct err *e)
{
    if (!confine_user(c, e))
        return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set(e, ERR_UNSUPPORTED, "no_new_privs: %m");
    confine_files(c);
    if (CONFINE_CALLS)
        return confine_calls(e);
    log_debug("a sanitizer build is not confined by seccomp");
    return true;
}
