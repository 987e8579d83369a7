load support

# One profile, and edits of every kind to it. A row of `diff` is one edit: the calls, and what became of them.
base() {
    cat >"$T/base.policy" <<'POLICY'
policy base
abi x86_64, aarch64
foreign kill_process
default errno(EPERM)
unknown errno(ENOSYS)

const WRITES = O_ACCMODE
group files = { fstat, lseek, ftruncate }

errno(EPERM) kill(sig == SIGKILL)
allow kill
allow { read, write, close, exit_group, brk }
allow @files
allow openat(dirfd == AT_FDCWD && (flags & WRITES) == O_RDONLY)
allow socket(domain == AF_UNIX || domain == AF_INET)
allow mmap((prot & PROT_EXEC) == 0)
allow munmap(length <= 65536)
allow setpriority(prio >= 0)
allow fcntl(cmd in { F_GETFD, F_GETFL })
errno(EACCES) unlinkat
errno(EINVAL) nr 500..510
raw trap(1) if arch == AUDIT_ARCH_X86_64 && nr == 335 && lo32(arg0) == 7
POLICY
}

# The rows alone: neither the names of the filters nor witnesses nor the last line.
rows() { sed -e '/^[AB]: /d' -e '/^    e\.g\. /d' -e '$d'; }

# Applies a sed script to the base; the rows of the diff must be those on standard input.
edit() {
    base
    sed -e "$1" "$T/base.policy" >"$T/new.policy"
    run -1 --separate-stderr bpfproof diff "$T/base.policy" "$T/new.policy"
    grep -q '^REFUTED: .*PROVED: no other' <<<"$output"
    diff <(rows <<<"$output") -
}

bats_require_minimum_version 1.5.0

@test "a call is added" {
    edit 's/, brk }/, brk, getpid }/' <<'ROWS'
x86_64, aarch64 getpid: only B allows; A returns errno(EPERM)
ROWS
}

@test "a call is removed" {
    edit 's/, brk }/ }/' <<'ROWS'
x86_64, aarch64 brk: only A allows; B returns errno(EPERM)
ROWS
}

@test "a condition is tightened" {
    edit 's/sig == SIGKILL/sig == SIGKILL || sig == SIGSTOP/' <<'ROWS'
x86_64, aarch64 kill: A also allows when sig == SIGSTOP; B returns errno(EPERM)
ROWS
}

@test "a condition is loosened" {
    edit 's/ || domain == AF_INET)/ || domain == AF_INET || domain == AF_INET6)/' <<'ROWS'
x86_64, aarch64 socket: B also allows when domain == AF_INET6; A returns errno(EPERM)
ROWS
}

@test "a constant is replaced" {
    edit 's/F_GETFL }/F_SETFD }/' <<'ROWS'
x86_64, aarch64 fcntl: B also allows when cmd == F_SETFD; A returns errno(EPERM)
x86_64, aarch64 fcntl: A also allows when cmd == F_GETFL; B returns errno(EPERM)
ROWS
}

@test "a mask is changed, in a const" {
    edit 's/WRITES = O_ACCMODE/WRITES = O_ACCMODE | O_CREAT/' <<'ROWS'
x86_64, aarch64 openat: A also allows when dirfd == AT_FDCWD && (flags & (O_ACCMODE | O_CREAT)) == (O_RDONLY | O_CREAT); B returns errno(EPERM)
ROWS
}

@test "a mask is changed, in a rule" {
    edit 's/(prot & PROT_EXEC)/(prot \& (PROT_EXEC | PROT_WRITE))/' <<'ROWS'
x86_64, aarch64 mmap: A also allows when (prot & (PROT_WRITE | PROT_EXEC)) == PROT_WRITE; B returns errno(EPERM)
ROWS
}

@test "an errno is changed" {
    edit 's/errno(EACCES) unlinkat/errno(EROFS) unlinkat/' <<'ROWS'
x86_64, aarch64 unlinkat: B returns errno(EROFS) where A returns errno(EACCES)
ROWS
}

@test "the default is changed" {
    edit 's/default errno(EPERM)/default errno(ENOSYS)/' <<'ROWS'
x86_64 every known call but { brk, close, exit_group, fcntl, fstat, ftruncate, kill, lseek, mmap, munmap, openat, read, setpriority, socket, unlinkat, uretprobe, write }; aarch64 every known call but { brk, close, exit_group, fcntl, fstat, ftruncate, kill, lseek, mmap, munmap, openat, read, setpriority, socket, unlinkat, write }: B returns errno(ENOSYS) where A returns errno(EPERM)
x86_64, aarch64 mmap: B returns errno(ENOSYS) where A returns errno(EPERM) when (prot & PROT_EXEC) != 0
x86_64, aarch64 munmap: B returns errno(ENOSYS) where A returns errno(EPERM) when length > 0x10000
x86_64, aarch64 socket: B returns errno(ENOSYS) where A returns errno(EPERM) when !(domain in { AF_UNIX, AF_INET })
x86_64, aarch64 fcntl: B returns errno(ENOSYS) where A returns errno(EPERM) when !(cmd in { F_GETFD, F_GETFL })
x86_64, aarch64 setpriority: B returns errno(ENOSYS) where A returns errno(EPERM) when prio < 0
x86_64, aarch64 openat: B returns errno(ENOSYS) where A returns errno(EPERM) when dirfd != AT_FDCWD || (flags & O_ACCMODE) != O_RDONLY
x86_64 uretprobe: B returns errno(ENOSYS) where A returns errno(EPERM) when lo32(arg0) != 7
ROWS
}

@test "unknown is changed" {
    edit 's/unknown errno(ENOSYS)/unknown kill_thread/' <<'ROWS'
x86_64, aarch64 unknown numbers but nr 500..510: B returns kill_thread where A returns errno(ENOSYS)
ROWS
}

@test "foreign is changed" {
    edit 's/foreign kill_process/foreign kill_thread/' <<'ROWS'
foreign every call: B returns kill_thread where A returns kill_process
ROWS
}

@test "an ABI is added" {
    edit 's/^abi .*/&, riscv64/' <<'ROWS'
riscv64 every known call but { brk, close, exit_group, fcntl, fstat, ftruncate, kill, lseek, mmap, munmap, openat, read, setpriority, socket, unlinkat, write }: B returns errno(EPERM) where A returns kill_process
riscv64 fcntl: B returns errno(EPERM) where A returns kill_process when !(cmd in { F_GETFD, F_GETFL })
riscv64 fcntl: B allows when cmd in { F_GETFD, F_GETFL }; A returns kill_process
riscv64 unlinkat: B returns errno(EACCES) where A returns kill_process
riscv64 { brk, close, exit_group, fstat, ftruncate, lseek, read, write }: only B allows; A returns kill_process
riscv64 openat: B returns errno(EPERM) where A returns kill_process when dirfd != AT_FDCWD || (flags & O_ACCMODE) != O_RDONLY
riscv64 openat: B allows when dirfd == AT_FDCWD && (flags & O_ACCMODE) == O_RDONLY; A returns kill_process
riscv64 kill: B allows when sig != SIGKILL; A returns kill_process
riscv64 kill: B returns errno(EPERM) where A returns kill_process when sig == SIGKILL
riscv64 setpriority: B returns errno(EPERM) where A returns kill_process when prio < 0
riscv64 setpriority: B allows when prio >= 0; A returns kill_process
riscv64 socket: B returns errno(EPERM) where A returns kill_process when !(domain in { AF_UNIX, AF_INET })
riscv64 socket: B allows when domain in { AF_UNIX, AF_INET }; A returns kill_process
riscv64 munmap: B allows when length <= 0x10000; A returns kill_process
riscv64 munmap: B returns errno(EPERM) where A returns kill_process when length > 0x10000
riscv64 mmap: B returns errno(EPERM) where A returns kill_process when (prot & PROT_EXEC) != 0
riscv64 mmap: B allows when (prot & PROT_EXEC) == 0; A returns kill_process
riscv64 unknown numbers but nr 500..510: B returns errno(ENOSYS) where A returns kill_process
riscv64 nr 500..510: B returns errno(EINVAL) where A returns kill_process
ROWS
}

@test "a rule for one ABI is added" {
    edit '$a on aarch64 { allow getuid }' <<'ROWS'
aarch64 getuid: only B allows; A returns errno(EPERM)
ROWS
}

@test "the order of two rules is changed, and it matters" {
    edit '/^errno(EPERM) kill/d; /^allow kill/a errno(EPERM) kill(sig == SIGKILL)' <<'ROWS'
x86_64, aarch64 kill: B also allows when sig == SIGKILL; A returns errno(EPERM)
ROWS
}

@test "the order of rules is changed, and it does not matter" {
    base
    sed '/^allow munmap/d; /^allow kill/i allow munmap(length <= 65536)' "$T/base.policy" >"$T/new.policy"
    run -0 --separate-stderr bpfproof diff "$T/base.policy" "$T/new.policy"
    grep -q '^PROVED: .*: no difference' <<<"$output"
    [ "${#lines[@]}" -eq 1 ]
}

@test "a range of numbers is changed" {
    edit 's/500..510/500..512/' <<'ROWS'
x86_64, aarch64 nr 511..512: B returns errno(EINVAL) where A returns errno(ENOSYS)
ROWS
}

@test "a comparison of 64 bits is changed" {
    edit 's/<= 65536/<= 0x100000000/' <<'ROWS'
x86_64, aarch64 munmap: B also allows when length in { 0x10001..0x100000000 }; A returns errno(EPERM)
ROWS
}

@test "a signed comparison is changed" {
    edit 's/prio >= 0/prio >= -5/' <<'ROWS'
x86_64, aarch64 setpriority: B also allows when prio in { -5..-1 }; A returns errno(EPERM)
ROWS
}

@test "an action becomes log" {
    edit 's/write, //; $a log write' <<'ROWS'
x86_64, aarch64 write: B logs where A allows
ROWS
}

@test "a raw rule is changed" {
    edit 's/== 7$/== 8/' <<'ROWS'
x86_64 uretprobe: B returns errno(EPERM) where A returns trap(1) when lo32(arg0) == 7
x86_64 uretprobe: B returns trap(1) where A returns errno(EPERM) when lo32(arg0) == 8
ROWS
}

@test "a group is changed" {
    edit 's/ftruncate }/ftruncate, fsync }/' <<'ROWS'
x86_64, aarch64 fsync: only B allows; A returns errno(EPERM)
ROWS
}

# Every edit above that the others leave room for.
all_edits='
s/, brk }/, getpid }/
s/sig == SIGKILL/sig == SIGKILL || sig == SIGSTOP/
s/ || domain == AF_INET)/ || domain == AF_INET || domain == AF_INET6)/
s/F_GETFL }/F_SETFD }/
s/WRITES = O_ACCMODE/WRITES = O_ACCMODE | O_CREAT/
s/(prot & PROT_EXEC)/(prot \& (PROT_EXEC | PROT_WRITE))/
s/errno(EACCES) unlinkat/errno(EROFS) unlinkat/
s/default errno(EPERM)/default errno(ENOSYS)/
s/unknown errno(ENOSYS)/unknown kill_thread/
s/foreign kill_process/foreign kill_thread/
s/^abi .*/&, riscv64/
s/500..510/500..512/
s/<= 65536/<= 0x100000000/
s/prio >= 0/prio >= -5/
s/write, //
$a log write
$a on aarch64 { allow getuid }
s/== 7$/== 8/
s/ftruncate }/ftruncate, fsync }/
'

@test "all edits together" {
    edit "$all_edits" <<'ROWS'
x86_64, aarch64 munmap: B also allows when length in { 0x10001..0x100000000 }; A returns errno(EPERM)
x86_64 { fsync, getpid }; aarch64 { fsync, getpid, getuid }: only B allows; A returns errno(EPERM)
x86_64, aarch64 socket: B also allows when domain == AF_INET6; A returns errno(EPERM)
x86_64, aarch64 fcntl: B also allows when cmd == F_SETFD; A returns errno(EPERM)
x86_64, aarch64 setpriority: B also allows when prio in { -5..-1 }; A returns errno(EPERM)
x86_64 uretprobe: B returns errno(ENOSYS) where A returns trap(1) when lo32(arg0) == 7
riscv64 every known call but { close, exit_group, fcntl, fstat, fsync, ftruncate, getpid, kill, lseek, mmap, munmap, openat, read, setpriority, socket, unlinkat, write }: B returns errno(ENOSYS) where A returns kill_process
riscv64 fcntl: B returns errno(ENOSYS) where A returns kill_process when !(cmd in { F_GETFD, F_SETFD })
riscv64 fcntl: B allows when cmd in { F_GETFD, F_SETFD }; A returns kill_process
riscv64 unlinkat: B returns errno(EROFS) where A returns kill_process
riscv64 { close, exit_group, fstat, fsync, ftruncate, getpid, lseek, read }: only B allows; A returns kill_process
riscv64 openat: B returns errno(ENOSYS) where A returns kill_process when dirfd != AT_FDCWD || (flags & (O_ACCMODE | O_CREAT)) != O_RDONLY
riscv64 openat: B allows when dirfd == AT_FDCWD && (flags & (O_ACCMODE | O_CREAT)) == O_RDONLY; A returns kill_process
riscv64 write: only B logs; A returns kill_process
riscv64 kill: B allows when !(sig in { SIGKILL, SIGSTOP }); A returns kill_process
riscv64 kill: B returns errno(EPERM) where A returns kill_process when sig in { SIGKILL, SIGSTOP }
riscv64 setpriority: B returns errno(ENOSYS) where A returns kill_process when prio <= -6
riscv64 setpriority: B allows when prio >= -5; A returns kill_process
riscv64 socket: B returns errno(ENOSYS) where A returns kill_process when !(domain in { AF_UNIX, AF_INET, AF_INET6 })
riscv64 socket: B allows when domain in { AF_UNIX, AF_INET, AF_INET6 }; A returns kill_process
riscv64 munmap: B allows when length <= 0x100000000; A returns kill_process
riscv64 munmap: B returns errno(ENOSYS) where A returns kill_process when length > 0x100000000
riscv64 mmap: B returns errno(ENOSYS) where A returns kill_process when (prot & (PROT_WRITE | PROT_EXEC)) != 0
riscv64 mmap: B allows when (prot & (PROT_WRITE | PROT_EXEC)) == 0; A returns kill_process
riscv64 unknown numbers but nr 500..512; foreign every call: B returns kill_thread where A returns kill_process
riscv64 nr 500..512: B returns errno(EINVAL) where A returns kill_process
x86_64, aarch64 write: B logs where A allows
x86_64, aarch64 mmap: A also allows when (prot & (PROT_WRITE | PROT_EXEC)) == PROT_WRITE; B returns errno(ENOSYS)
x86_64, aarch64 brk: only A allows; B returns errno(ENOSYS)
x86_64, aarch64 kill: A also allows when sig == SIGSTOP; B returns errno(EPERM)
x86_64, aarch64 fcntl: A also allows when cmd == F_GETFL; B returns errno(ENOSYS)
x86_64, aarch64 openat: A also allows when dirfd == AT_FDCWD && (flags & (O_ACCMODE | O_CREAT)) == (O_RDONLY | O_CREAT); B returns errno(ENOSYS)
x86_64 uretprobe: B returns trap(1) where A returns errno(EPERM) when lo32(arg0) == 8
x86_64, aarch64 unknown numbers but nr 500..512: B returns kill_thread where A returns errno(ENOSYS)
x86_64 every known call but { brk, close, exit_group, fcntl, fstat, fsync, ftruncate, getpid, kill, lseek, mmap, munmap, openat, read, setpriority, socket, unlinkat, uretprobe, write }; aarch64 every known call but { brk, close, exit_group, fcntl, fstat, fsync, ftruncate, getpid, getuid, kill, lseek, mmap, munmap, openat, read, setpriority, socket, unlinkat, write }: B returns errno(ENOSYS) where A returns errno(EPERM)
x86_64, aarch64 mmap: B returns errno(ENOSYS) where A returns errno(EPERM) when (prot & PROT_EXEC) != 0
x86_64, aarch64 munmap: B returns errno(ENOSYS) where A returns errno(EPERM) when length > 0x100000000
x86_64, aarch64 socket: B returns errno(ENOSYS) where A returns errno(EPERM) when !(domain in { AF_UNIX, AF_INET, AF_INET6 })
x86_64, aarch64 fcntl: B returns errno(ENOSYS) where A returns errno(EPERM) when !(cmd in { F_GETFD, F_SETFD, F_GETFL })
x86_64, aarch64 setpriority: B returns errno(ENOSYS) where A returns errno(EPERM) when prio <= -6
x86_64, aarch64 openat: B returns errno(ENOSYS) where A returns errno(EPERM) when dirfd != AT_FDCWD || (flags & O_ACCMODE) != O_RDONLY
x86_64, aarch64 unlinkat: B returns errno(EROFS) where A returns errno(EACCES)
x86_64 uretprobe: B returns errno(ENOSYS) where A returns errno(EPERM) when !(lo32(arg0) in { 7, 8 })
x86_64, aarch64 nr 511..512: B returns errno(EINVAL) where A returns errno(ENOSYS)
ROWS
}

@test "every witness shows the difference on both filters" {
    base
    sed -e "$all_edits" "$T/base.policy" >"$T/new.policy"
    run -1 --separate-stderr bpfproof diff --json "$T/base.policy" "$T/new.policy"
    printf '%s' "$output" >"$T/diff.json"
    python3 - "$T" "$BPFPROOF_BUILD/bpfproof" <<'PYTHON'
import json, subprocess, sys
where, program = sys.argv[1:]
found = json.load(open(where + "/diff.json"))
assert found["result"] == "REFUTED"
differences = found["differences"]
assert len(differences) > 900
calls = [d["witness"]["call"] for d in differences]
def verdicts(policy):
    out = subprocess.run([program, "simulate", "--json", f"{where}/{policy}.policy", *calls], capture_output=True)
    return [call["verdict"] for call in json.loads(out.stdout)["calls"]]
old, new = verdicts("base"), verdicts("new")
for d, left, right in zip(differences, old, new):
    assert left != right and d["left"] == left and d["right"] == right, (d, left, right)
    assert d["call"] in d["witness"]["call"] or d["abi"] == "foreign" or "nr" in d["call"] or "unknown" in d["call"], d
PYTHON
}

@test "a policy and its own programs, at every level: no difference" {
    base
    for level in 0 1 2 3 s; do
        bpfproof compile "$T/base.policy" -O$level -o "$T/base.bpf" --accept=arch 2>/dev/null
        run -0 --separate-stderr bpfproof diff "$T/base.policy" "$T/base.bpf"
        grep -q '^PROVED: .*: no difference' <<<"$output"
    done
}

@test "lists in another order, and a filter under itself: no difference" {
    base
    sed 's/{ read, write, close, exit_group, brk }/{ brk, close, exit_group, read, write }/
         s/domain == AF_UNIX || domain == AF_INET/domain in { AF_INET, AF_UNIX }/
         s/prio >= 0/!(prio < 0)/' "$T/base.policy" >"$T/new.policy"
    ! cmp -s "$T/base.policy" "$T/new.policy"
    run -0 bpfproof diff "$T/base.policy" "$T/new.policy"
    run -0 bpfproof diff "$T/base.policy" "$T/new.policy+$T/base.policy" --json
    [ "$(json result <<<"$output")" = PROVED ]
    [ "$(json differences <<<"$output")" = "[]" ]
}

@test "a stack differs where the kernel's precedence says so" {
    printf 'policy a\nabi x86_64\ndefault allow\nerrno(EACCES) chmod\n' >"$T/a.policy"
    printf 'policy b\nabi x86_64\ndefault allow\nerrno(EROFS) { chmod, chown }\nlog chdir\n' >"$T/b.policy"
    run -1 --separate-stderr bpfproof diff "$T/a.policy" "$T/a.policy+$T/b.policy"
    diff <(rows <<<"$output") - <<'ROWS'
x86_64 chdir: B logs where A allows
x86_64 chown: only A allows; B returns errno(EROFS)
x86_64 chmod: B returns errno(EROFS) where A returns errno(EACCES)
ROWS
}

@test "errno names are the ABI's own, and one row may be about several ABIs" {
    printf 'policy a\nabi x86_64, aarch64\ndefault errno(EPERM)\n' >"$T/a.policy"
    sed '$a errno(EDEADLK) { mount, chroot }' "$T/a.policy" >"$T/b.policy"
    run -1 --separate-stderr bpfproof diff "$T/a.policy" "$T/b.policy"
    diff <(rows <<<"$output") - <<'ROWS'
x86_64, aarch64 { chroot, mount }: B returns errno(EDEADLK) where A returns errno(EPERM)
ROWS
}

@test "blobs that compute and return words" {
    printf 'ld lo32(arg0)\nadd #1\njeq #7, yes, no\nyes: ret allow\nno: ret errno(1)\n' | bpfproof asm - -o "$T/a.bpf"
    printf 'ld lo32(arg0)\nadd #2\njeq #7, yes, no\nyes: ret allow\nno: ret errno(1)\n' | bpfproof asm - -o "$T/b.bpf"
    run -1 --separate-stderr bpfproof diff "$T/a.bpf" "$T/b.bpf" --abi x86_64 --json
    for i in 0 1; do
        [ -n "$(json differences.$i.when <<<"$output")" ]
        [ "$(json differences.$i.witness.left <<<"$output")" != "$(json differences.$i.witness.right <<<"$output")" ]
    done
    printf 'ld lo32(arg1)\nret a\n' | bpfproof asm - -o "$T/c.bpf"
    run -1 --separate-stderr bpfproof diff "$T/a.bpf" "$T/c.bpf" --abi x86_64
    grep -q 'ret(lo32(arg1))' <<<"$output"
}

@test "no time: UNKNOWN, never no difference" {
    base
    sed 's/, brk }/ }/' "$T/base.policy" >"$T/new.policy"
    run -3 --separate-stderr bpfproof diff "$T/base.policy" "$T/new.policy" --timeout 0.000001
    grep -q '^UNKNOWN' <<<"$output"
    run -3 bpfproof diff "$T/base.policy" "$T/base.policy" --timeout 0.000001 --json
    [ "$(json result <<<"$output")" = UNKNOWN ]
    [ -n "$(json reason <<<"$output")" ]
}

# A chain of tests on twelve words in turn: lifted, it needs more tests than there is room for.
involved() {
    python3 - <<'PYTHON'
words = [f"{half}32(arg{i})" for i in range(6) for half in ("lo", "hi")]
for i in range(1300):
    print(f"ld {words[i % 12]}\njeq #{7 * i}, y{i}, n{i}\ny{i}: ret errno({i})\nn{i}:", end=" ")
print("ret allow")
PYTHON
}

@test "they differ and the differences cannot be listed: REFUTED, not complete, with a call" {
    involved | bpfproof asm - -o "$T/a.bpf"
    printf 'ret allow\n' | bpfproof asm - -o "$T/b.bpf"
    run -1 --separate-stderr bpfproof diff "$T/a.bpf" "$T/b.bpf" --timeout 1
    grep -q '^REFUTED: they differ; the differences could not be listed' <<<"$output"
    grep -q 'too involved to be lifted' <<<"$output"
    grep -q '^  a call on which they differ: ' <<<"$output"
    run -1 --separate-stderr bpfproof diff "$T/a.bpf" "$T/b.bpf" --timeout 1 --json
    [ "$(json result <<<"$output")" = REFUTED ]
    [ "$(json complete <<<"$output")" = false ]
    [ "$(json differences <<<"$output")" = "[]" ]
    [ "$(json counterexample.left <<<"$output")" != "$(json counterexample.right <<<"$output")" ]
    [ -n "$(json reason <<<"$output")" ]
}

@test "naming an ABI makes a table of its numbers, and the list is still proved complete, in time" {
    printf '.big_endian\nst M[10]\nld hi32(arg3)\nret a\n' | bpfproof asm - -o "$T/a.bpf"
    printf '.big_endian\nst M[10]\nld nr\nret a\n' | bpfproof asm - -o "$T/b.bpf"
    run -1 --separate-stderr bpfproof diff "$T/a.bpf" "$T/b.bpf" --abi ppc64 --timeout 6
    grep -q '^REFUTED: .*PROVED: no other' <<<"$output"
}

@test "usage: one filter, two byte orders, a file that is no filter" {
    base
    printf 'policy b\nabi s390x\ndefault allow\n' >"$T/big.policy"
    run -2 bpfproof diff "$T/base.policy"
    run -2 bpfproof diff "$T/base.policy" "$T/big.policy"
    grep -q 'little-endian machine' <<<"$output"
    printf '\x06\x00\x00\x00\x00\x00\xff' >"$T/torn.bpf"
    run -2 bpfproof diff "$T/base.policy" "$T/torn.bpf"
}

@test "neighbours in the corpus: answered, and every witness shows the difference" {
    [ -n "${BPFPROOF_CORPUS:-}" ] || skip "BPFPROOF_CORPUS is not set"
    for directory in ${BPFPROOF_CORPUS//:/ }; do
        previous=
        for blob in "$directory"/*.bpf; do
            if [ -n "$previous" ]; then
                code=0
                bpfproof diff --json --timeout 20 "$previous" "$blob" >"$T/diff.json" || code=$?
                [ "$code" -le 1 ]
                python3 - "$T/diff.json" <<'PYTHON'
import json, sys
found = json.load(open(sys.argv[1]))
assert found["complete"], found["reason"]
assert (found["result"] == "PROVED") == (not found["differences"])
for d in found["differences"]:
    assert d["witness"]["left_word"] != d["witness"]["right_word"], d
    assert d["witness"]["left"] == d["left"] or "ret(" in d["left"], d
PYTHON
            fi
            previous=$blob
        done
    done
}
