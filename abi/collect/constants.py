#!/usr/bin/env python3
"""Makes constants.tsv from the headers of Debian's linux-libc-dev-*-cross and libc6-dev-*-cross.

Usage: constants.py ROOT [ABI...]     (ROOT/usr/TRIPLET/include must exist; needs clang)
To make ROOT:  apt-get download linux-libc-dev-ARCH-cross libc6-dev-ARCH-cross; dpkg -x FILE.deb ROOT

Every object-like macro and every enumerator of the headers below is evaluated by the compiler, for
the target's word size and struct layout, as `const long long v = (long long)(NAME)`; what is no
integer constant is dropped. Kernel headers go first; libc's fill in only names that they lack
(AF_*, SOCK_*, MSG_*, ...: the kernel's own values, which its uapi headers do not carry).
"""
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"

# ABI: (directory below ROOT/usr, clang target, further flags). Where clang has no such target, one
# with the same word size, byte order and struct layout stands in, and names the real one by macros.
AS_HPPA = "-D__hppa__ -D__hppa -U__powerpc__ -U__powerpc -U__PPC__ -U__powerpc64__ -U__PPC64__"
AS_S390 = "-D__s390__ -U__powerpc__ -U__powerpc -U__PPC__"
AS_SH = "-D__sh__ -D__SH4__ -U__i386__ -U__i386"
TARGETS = {
    "x86_64": ("x86_64-linux-gnu", "x86_64-linux-gnu", ""),
    "i386": ("i686-linux-gnu", "i686-linux-gnu", ""),
    "x32": ("x86_64-linux-gnux32", "x86_64-linux-gnux32", ""),
    "arm": ("arm-linux-gnueabi", "arm-linux-gnueabi", ""),
    "armeb": ("arm-linux-gnueabi", "armeb-linux-gnueabi", ""),
    "aarch64": ("aarch64-linux-gnu", "aarch64-linux-gnu", ""),
    "aarch64_be": ("aarch64-linux-gnu", "aarch64_be-linux-gnu", ""),
    "riscv64": ("riscv64-linux-gnu", "riscv64-linux-gnu", ""),
    "riscv32": ("riscv64-linux-gnu", "riscv32-linux-gnu", ""),
    "loongarch64": ("riscv64-linux-gnu", "riscv64-linux-gnu", ""),
    "s390x": ("s390x-linux-gnu", "s390x-linux-gnu", ""),
    "s390": ("s390x-linux-gnu", "powerpc-linux-gnu", AS_S390),
    "ppc64": ("powerpc64-linux-gnu", "powerpc64-linux-gnu", ""),
    "ppc64le": ("powerpc64le-linux-gnu", "powerpc64le-linux-gnu", ""),
    "ppc": ("powerpc-linux-gnu", "powerpc-linux-gnu", ""),
    "mips": ("mips-linux-gnu", "mips-linux-gnu", ""),
    "mipsel": ("mipsel-linux-gnu", "mipsel-linux-gnu", ""),
    "mips64": ("mips64-linux-gnuabi64", "mips64-linux-gnuabi64", ""),
    "mips64el": ("mips64el-linux-gnuabi64", "mips64el-linux-gnuabi64", ""),
    "mipsn32": ("mips64-linux-gnuabin32", "mips64-linux-gnuabin32", ""),
    "mipsn32el": ("mips64el-linux-gnuabin32", "mips64el-linux-gnuabin32", ""),
    "parisc": ("hppa-linux-gnu", "powerpc-linux-gnu", AS_HPPA),
    "parisc64": ("hppa-linux-gnu", "powerpc64-linux-gnu", AS_HPPA + " -D__LP64__"),
    # The m68k ABI aligns nothing to more than two bytes; clang 14 does not know.
    "m68k": ("m68k-linux-gnu", "m68k-linux-gnu", "-fpack-struct=2"),
    "sh": ("sh4-linux-gnu", "i686-linux-gnu", AS_SH + " -D__LITTLE_ENDIAN__"),
    "sheb": ("sh4-linux-gnu", "i686-linux-gnu", AS_SH),
}
# No Debian headers of their own: a parent's, or those of an architecture with generic values.
DERIVED = {"armeb": "arm", "aarch64_be": "aarch64", "riscv32": "riscv64",
           "loongarch64": "riscv64 (generic)", "s390": "s390x", "parisc64": "parisc", "sheb": "sh"}

KERNEL = """asm/errno.h asm/fcntl.h linux/fcntl.h asm/mman.h linux/mman.h asm/signal.h linux/signal.h
asm/ioctls.h asm/termbits.h asm/termios.h asm/socket.h asm/sockios.h linux/sockios.h asm/ptrace.h
linux/ptrace.h asm/prctl.h linux/prctl.h asm/resource.h linux/resource.h asm/stat.h linux/stat.h
asm/poll.h linux/poll.h asm/siginfo.h asm/sembuf.h asm/shmbuf.h asm/ipcbuf.h asm/param.h asm/kvm.h
linux/kvm.h linux/kvm_para.h asm/ldt.h asm/mtrr.h asm/mce.h asm/msr.h asm/vm86.h asm/cachectl.h
asm/sysmips.h asm/hwcap.h asm/auxvec.h linux/auxvec.h asm/bpf_perf_event.h asm/perf_regs.h
asm/sgidefs.h asm/ucontext.h linux/acct.h linux/aio_abi.h linux/audit.h linux/autofs.h
linux/auto_fs.h linux/auto_fs4.h linux/binfmts.h linux/blkpg.h linux/blkzoned.h linux/bpf.h
linux/bpf_common.h linux/btrfs.h linux/cachefiles.h linux/capability.h linux/cdrom.h
linux/close_range.h linux/dm-ioctl.h linux/dma-buf.h linux/dma-heap.h linux/errno.h
linux/errqueue.h linux/eventfd.h linux/eventpoll.h linux/ext4.h linux/falloc.h linux/fanotify.h
linux/fd.h linux/fiemap.h linux/filter.h linux/fs.h linux/fscrypt.h linux/fsverity.h linux/fuse.h
linux/futex.h linux/hdreg.h linux/hidraw.h linux/if.h linux/if_addr.h linux/if_alg.h
linux/if_arp.h linux/if_ether.h linux/if_packet.h linux/if_pppox.h linux/if_tun.h linux/if_vlan.h
linux/if_xdp.h linux/in.h linux/in6.h linux/inotify.h linux/io_uring.h linux/ioctl.h
linux/ioprio.h linux/ip.h linux/ipc.h linux/ipv6.h linux/kcmp.h linux/kd.h linux/kexec.h
linux/keyboard.h linux/keyctl.h linux/landlock.h linux/limits.h linux/loop.h linux/magic.h
linux/major.h linux/membarrier.h linux/memfd.h linux/mempolicy.h linux/module.h linux/mount.h
linux/mqueue.h linux/msg.h linux/mtio.h linux/nbd.h linux/net.h linux/net_namespace.h
linux/net_tstamp.h linux/netlink.h linux/nsfs.h linux/nvme_ioctl.h linux/nvram.h linux/oom.h
linux/openat2.h linux/param.h linux/perf_event.h linux/personality.h linux/pidfd.h
linux/ppp_defs.h linux/ppp-ioctl.h linux/pr.h linux/ptp_clock.h linux/quota.h linux/raid/md_u.h
linux/random.h linux/reboot.h linux/rfkill.h linux/rseq.h linux/rtc.h linux/rtnetlink.h
linux/sched.h linux/sched/types.h linux/seccomp.h linux/securebits.h linux/sem.h linux/serial.h
linux/shm.h linux/signalfd.h linux/socket.h linux/suspend_ioctls.h linux/sync_file.h
linux/sysinfo.h linux/tcp.h linux/termios.h linux/time.h linux/time_types.h linux/timerfd.h
linux/times.h linux/timex.h linux/tiocl.h linux/tls.h linux/tty.h linux/tty_flags.h linux/types.h
linux/ublk_cmd.h linux/udmabuf.h linux/udp.h linux/uinput.h linux/uio.h linux/un.h
linux/usbdevice_fs.h linux/userfaultfd.h linux/utsname.h linux/vduse.h linux/vfio.h linux/vhost.h
linux/vm_sockets.h linux/vt.h linux/wait.h linux/watchdog.h linux/watch_queue.h linux/xattr.h
scsi/sg.h scsi/scsi_ioctl.h""".split()

LIBC = """sys/socket.h fcntl.h unistd.h sys/mman.h sched.h signal.h sys/stat.h sys/wait.h sys/resource.h
sys/epoll.h sys/eventfd.h sys/signalfd.h sys/timerfd.h sys/inotify.h sys/fanotify.h sys/ptrace.h
sys/personality.h sys/prctl.h sys/ioctl.h sys/mount.h sys/swap.h sys/shm.h sys/sem.h sys/msg.h
sys/ipc.h sys/file.h netinet/in.h netinet/tcp.h netinet/udp.h sys/time.h time.h poll.h sys/random.h
sys/reboot.h sys/quota.h sys/xattr.h termios.h sys/un.h netpacket/packet.h sys/timex.h sys/klog.h
sys/statfs.h sys/statvfs.h sys/uio.h errno.h mqueue.h sys/rseq.h aio.h""".split()
# Names that only libc's headers have, and that stand for values of the kernel's interface.
LIBC_NAMES = re.compile(
    r"(AF|PF|SOCK|SOL|MSG|SCM|SHUT|SO|SOMAXCONN|SEEK|MCL|SWAP|EFD|SFD|TFD|IN|EPOLL|GRND|MFD|PRIO|"
    r"RLIMIT|RUSAGE|CLONE|SHM|IPC|LOCK|POSIX_FADV|POSIX_MADV|MNT|MS|PTRACE|RB|Q|TCP|IP|IPV6|IPPROTO|UDP|O|F|"
    r"FD|S|AT|RENAME|SPLICE|FALLOC|MAP|PROT|MADV|MREMAP|SCHED|SIG|SA|SS|CLD|TRAP|BUS|SEGV|ILL|FPE|POLL|"
    r"ITIMER|CLOCK|TIMER|RWF|UMOUNT|FAN|W|P|PER|ADDR|STICKY|WHOLE|SHORT|MMAP|UNAME26|READ|"
    r"INADDR|PACKET|GETPID|GETVAL|SETVAL|GETALL|SETALL|GETNCNT|GETZCNT|SEM|DN|PR|TC|SIOC|TIOC|FIO|"
    r"XATTR|ST|NSIG|UIO)(_|[A-Z0-9]).*|ENOTSUP|[RWXF]_OK|W[A-Z]+|P_[A-Z]+")


# Drawn in by the headers above, and of no use in a filter of system calls.
EXCLUDED = {"linux/input-event-codes.h", "linux/keyboard.h", "linux/if_link.h", "linux/neighbour.h",
            "linux/psci.h", "linux/l2tp.h", "asm/elf.h", "asm/processor-flags.h",
            "asm/perf_regs.h", "linux/major.h", "stdint.h", "limits.h", "endian.h", "netinet/udp.h",
            "bits/sigcontext.h", "sys/select.h", "bits/time.h"}


# Of no use either: a return value; and one whose aligned(8) member -fpack-struct would pack.
EXCLUDED_NAMES = {"MAP_FAILED"}
EXCLUDED_ON = {"m68k": {"PPPIOCGL2TPSTATS"}}


def clang(include, target, flags, source, arguments):
    command = ["clang", "--target=" + target, "-nostdlibinc", "-I", str(source.parent), "-isystem",
               str(include), "-w",
               "-ferror-limit=0", "-fno-color-diagnostics", "-D_GNU_SOURCE", "-xc"]
    return subprocess.run(command + flags.split() + arguments + [str(source)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace")


DEFINITION = re.compile(r"#define ([A-Z][A-Za-z0-9_]*)(?: (.*))?$")
MARKER = re.compile(r'# \d+ "(.*?)"')


def names_of(text, include):
    """{name: header} of the object-like macros and enumerators in preprocessed text."""
    found, file, enum = {}, "", None
    prefix = str(include) + "/"
    for line in text.splitlines():
        marker = MARKER.match(line)
        if marker:
            file = marker.group(1)
            continue
        inside = file.startswith(prefix)
        header = file[len(prefix):]
        definition = DEFINITION.match(line)
        if definition:
            body = definition.group(2)
            if inside and body and '"' not in body:
                found.setdefault(definition.group(1), header)
        if line.startswith("#") or not inside:
            continue
        enum = follow_enum(line, enum, found, header)
    return found


def follow_enum(line, enum, found, header):
    """Notes the enumerators of a line; `enum` is None outside, else whether a name comes next."""
    if enum is None:
        start = re.search(r"\benum\b[^;{()]*(\{|$)", line)
        if not start:
            return None
        line, enum = line[start.end():] if "{" in start.group(0) else "", True
    for token in re.findall(r"[A-Za-z_]\w*|[,{}();]|[^\sA-Za-z_,{}();]+", line):
        if token in "};":
            return None
        if token == "," or token == "{":
            enum = True
        elif enum:
            if re.match(r"[A-Z]\w*$", token):
                found.setdefault(token, header)
            enum = False
    return enum


def evaluate(include, target, flags, header, names, directory):
    """{name: value}. Drops what the compiler refuses, until it refuses nothing."""
    source = Path(directory) / (header.replace("/", "_") + "_values.c")
    names = sorted(names)
    for _ in range(4):
        if not names:
            return {}
        lines = ["#include <stddef.h>", "#include <linux/types.h>", "#include <linux/ioctl.h>",
                 "#include <%s>" % header]
        first = len(lines) + 1
        lines += ["const long long bpfproof_%s = (long long)(%s);" % (name, name) for name in names]
        source.write_text("\n".join(lines) + "\n")
        run = clang(include, target, flags, source, ["-S", "-emit-llvm", "-O0", "-o", "-"])
        if run.returncode == 0:
            break
        bad = {int(n) - first for n in re.findall(r"_values\.c:(\d+):\d+: error", run.stderr)}
        if not bad:
            return {}
        names = [name for i, name in enumerate(names) if i not in bad]
    return {name: int(value) for name, value in
            re.findall(r"@bpfproof_(\w+) = .*?constant i64 (-?\d+)", run.stdout)}


def collect_header(include, target, flags, header, directory):
    source = Path(directory) / (header.replace("/", "_") + ".c")
    source.write_text("#include <stddef.h>\n#include <linux/types.h>\n#include <linux/ioctl.h>\n#include <%s>\n" % header)
    run = clang(include, target, flags, source, ["-E", "-dD"])
    names = names_of(run.stdout, include)
    values = evaluate(include, target, flags, header, names, directory)
    return {name: (value, names[name]) for name, value in values.items()}


def collect(root, abi):
    directory, target, flags = TARGETS[abi]
    include = Path(root) / "usr" / directory / "include"
    constants, libc = {}, {}
    with tempfile.TemporaryDirectory() as scratch:
        # glibc's features.h draws in a list of missing functions, which derived ABIs do not have.
        (Path(scratch) / "gnu").mkdir()
        (Path(scratch) / "gnu" / "stubs.h").write_text("")
        for header in KERNEL + LIBC:
            if not (include / header).exists():
                continue
            for name, (value, file) in collect_header(include, target, flags, header,
                                                       scratch).items():
                if file in EXCLUDED or name in EXCLUDED_NAMES | EXCLUDED_ON.get(abi, set()):
                    continue
                kernel = file.split("/")[0] in KERNEL_DIRECTORIES
                if kernel:
                    constants.setdefault(name, (value, file))
                elif LIBC_NAMES.fullmatch(name):
                    libc.setdefault(name, (value, file))
    for name, found in libc.items():
        constants.setdefault(name, found)
    return constants


KERNEL_DIRECTORIES = {"asm", "asm-generic", "linux", "sound", "drm", "mtd", "scsi"}


def canonical(header):
    """asm/ioctls.h and asm-generic/ioctls.h, bits/fcntl-linux.h and the like are one source."""
    if re.match(r"(asm|asm-generic|bits)/errno(-base)?\.h$", header):
        return "asm/errno.h"
    return re.sub(r"^asm-generic/", "asm/", header)


def write(columns):
    names = sorted({name for column in columns.values() for name in column})
    lines = ["# Named constants: the usual value, and the ABIs where it is another; - where there is none.",
             "# Made by abi/collect/constants.py from Debian 12's cross headers (Linux 6.1, glibc 2.36)."]
    lines += ["# %s: no headers of its own; values of %s, with its own word size." % item
              for item in sorted(DERIVED.items())]
    lines.append("name\tvalue\texceptions\theader")
    for name in names:
        groups = {}
        for abi in TARGETS:
            value = columns[abi].get(name)
            groups.setdefault(str(value[0]) if value else "-", []).append(abi)
        usual = max(groups, key=lambda value: (len(groups[value]), "x86_64" in groups[value]))
        cells = ["%s=%s" % (",".join(abis), value) for value, abis in groups.items()
                 if value != usual]
        header = next(columns[abi][name][1] for abi in TARGETS if name in columns[abi])
        lines.append("\t".join([name, usual, " ".join(cells), canonical(header)]))
    (DATA / "constants.tsv").write_text("\n".join(lines) + "\n")


def main():
    root = sys.argv[1]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda abi: collect(root, abi), sys.argv[2:] or TARGETS))
    columns = dict(zip(sys.argv[2:] or TARGETS, results))
    for abi, constants in columns.items():
        print(abi, len(constants), file=sys.stderr)
    if len(sys.argv) == 2:
        write(columns)
    else:
        for abi, constants in columns.items():
            for name in sorted(constants):
                print(abi, name, *constants[name])


if __name__ == "__main__":
    main()
