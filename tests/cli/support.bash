# What the command-line tests share. The program is $BPFPROOF_BUILD/bpfproof; the working directory is the repository.
bpfproof() { "$BPFPROOF_BUILD/bpfproof" "$@"; }

# One value of the JSON object on standard input: `json proof`, `json cached.x86_64`.
json() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[int(key)] if isinstance(value, list) else value[key]
print(json.dumps(value) if isinstance(value, (dict, list, bool)) or value is None else value)' "$1"
}

setup() {
    T=$BATS_TEST_TMPDIR
    cat >"$T/small.policy" <<'POLICY'
policy small
abi x86_64
foreign kill_process
default errno(EPERM)
allow { read, write, exit, exit_group, rt_sigreturn, close, brk, mmap, munmap }
allow openat(dirfd == AT_FDCWD && (flags & O_ACCMODE) == O_RDONLY)
prove never permit execve
POLICY
}
