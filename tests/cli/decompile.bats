load support

# There and back: what is decompiled, and what becomes of it, are proved equal to the blob.
round_trip() {
    bpfproof decompile "$1" -o "$T/out.policy" 2>"$T/notes" || return 1
    grep -q PROVED "$T/notes" || return 1
    bpfproof verify "$T/out.policy" --against "$1" >"$T/verified" 2>&1 || return 1
    bpfproof compile "$T/out.policy" -o "$T/out.bpf" --accept=arch,width 2>"$T/compiled" || return 1
    bpfproof verify "$T/out.bpf" --against "$1" >>"$T/verified" 2>&1 || return 1
    [ "$(grep -c '^PROVED' "$T/verified")" -eq 2 ]
}

assemble() {
    cat >"$T/filter.s"
    bpfproof asm "$T/filter.s" -o "$T/filter.bpf"
}

@test "a policy that was compiled comes back" {
    cat >"$T/in.policy" <<'POLICY'
policy "out"

abi x86_64, i386
foreign kill_process
default errno(EPERM)
unknown errno(ENOSYS)

allow fcntl(cmd == F_GETFL || cmd == F_SETFL && (arg & ~(O_APPEND | O_NONBLOCK)) == 0)
allow openat(dirfd == AT_FDCWD && (flags & O_ACCMODE) == O_RDONLY)
allow socket(domain in { AF_UNIX, AF_INET } && type == SOCK_STREAM)

allow { close, exit_group, read, write }
POLICY
    bpfproof compile "$T/in.policy" -o "$T/out.bpf"
    bpfproof decompile "$T/out.bpf" 2>/dev/null | diff "$T/in.policy" -
}

@test "the examples come back as policies that are proved equal" {
    for policy in examples/*.policy; do
        bpfproof compile "$policy" -o "$T/example.bpf" 2>/dev/null
        round_trip "$T/example.bpf"
        [ "$(grep -c 'raw\|u64\|lo32\|hi32' "$T/out.policy")" -eq 0 ]
    done
}

@test "registers only where the filter looks at other bits than the kernel" {
    assemble <<'TEXT'
ld arch
jeq #0xc000003e, next, bad
next: ld nr
jeq #3, close, other
other: jeq #41, socket, bad
close: ld lo32(arg0)
jeq #7, good, bad
socket: ld hi32(arg0)
jeq #0, low, bad
low: ld lo32(arg0)
jeq #1, good, bad
good: ret allow
bad: ret errno(EPERM)
TEXT
    round_trip "$T/filter.bpf"
    grep -q 'allow close(fd == 7)' "$T/out.policy"
    grep -q 'allow socket(u64(domain) == AF_UNIX)' "$T/out.policy"
    grep -q '^# u64' "$T/out.policy"
}

@test "a filter that refuses registers that are no extended ints is said by the ints" {
    assemble <<'TEXT'
ld arch
jeq #0xc000003e, next, bad
next: ld nr
jeq #62, kill, bad
kill: ld hi32(arg1)
jeq #0, value, sign
sign: jeq #0xffffffff, negative, trap
negative: ld lo32(arg1)
jset #0x80000000, bad, trap
value: ld lo32(arg1)
jeq #15, good, bad
trap: ret trap(2)
good: ret allow
bad: ret errno(EPERM)
TEXT
    round_trip "$T/filter.bpf"
    grep -q 'allow kill(sig == SIGTERM)' "$T/out.policy"
    grep -q 'trap(2) kill(u64(sig) in { 0x100000000..0xffffffff7fffffff })' "$T/out.policy"
}

@test "raw rules only for what nothing else says, and with the reason" {
    assemble <<'TEXT'
ld arch
jeq #0xc000003e, next, bad
next: ld nr
jeq #0, read, other
other: jeq #1, write, bad
read: ld lo32(ip)
jgt #0x1000, good, odd
write: ld lo32(arg1)
tax
ld lo32(arg2)
add x
jeq #8, good, bad
odd: ret #1
good: ret allow
bad: ret errno(EPERM)
TEXT
    round_trip "$T/filter.bpf"
    grep -q '^# raw: it looks at the instruction pointer; read' "$T/out.policy"
    grep -q '^# raw: it computes with words of the input; write' "$T/out.policy"
    bpfproof decompile "$T/filter.bpf" --json >"$T/out.json"
    [ "$(json result <"$T/out.json")" = PROVED ]
    [ "$(json raw_rules <"$T/out.json")" -eq "$(grep -c '^raw ' "$T/out.policy")" ]
    [ "$(json instructions <"$T/out.json")" -eq 15 ]
    [ "$(json lines <"$T/out.json")" -eq "$(grep -c '^ *[^# ]' "$T/out.policy")" ]
    [ "$(json raw_reasons.0 <"$T/out.json")" = "it looks at the instruction pointer" ]
    json policy <"$T/out.json" | cmp - <(cat "$T/out.policy"; echo)
}

@test "a filter that does not test arch" {
    assemble <<'TEXT'
ld nr
jeq #59, bad, good
good: ret allow
bad: ret errno(EPERM)
TEXT
    round_trip "$T/filter.bpf"
    grep -q 'errno(EPERM) execve' "$T/out.policy"
    grep -q '^raw errno(EPERM) if arch != AUDIT_ARCH_X86_64 && nr == 59' "$T/out.policy"
}

@test "one program for one ABI, which permits every other token" {
    assemble <<'TEXT'
ld arch
jeq #0x40000003, next, good
next: ld nr
jeq #102, bad, good
good: ret allow
bad: ret errno(EAFNOSUPPORT)
TEXT
    round_trip "$T/filter.bpf"
    [ "$(grep -v '^$' "$T/out.policy" | tail -n +2)" = "abi i386
foreign allow
default allow
errno(EAFNOSUPPORT) socketcall" ]
}

@test "x32 is declared where its numbers have a verdict of their own" {
    assemble <<'TEXT'
ld arch
jeq #0xc000003e, next, bad
next: ld nr
jset #0x40000000, x32, plain
plain: jeq #0, good, bad
x32: ret trap(1)
good: ret allow
bad: ret kill_process
TEXT
    round_trip "$T/filter.bpf"
    grep -q '^abi x86_64, x32$' "$T/out.policy"
    grep -q '    trap(1) nr 0x40000000..0x7fffffff' "$T/out.policy"
}

@test "bits of the number that make thousands of ranges are said as bits" {
    assemble <<'TEXT'
ld nr
jeq #9, l4, l2
l2: jset #0x200000, l3, l4
l3: ret errno(38)
l4: ret errno(2)
TEXT
    round_trip "$T/filter.bpf"
    [ "$(grep -c '^[^#]' "$T/out.policy")" -lt 12 ]
    grep -q '(nr & 0x200000) != 0' "$T/out.policy"
    grep -q '^# raw: it tests bits of the number that make no ranges' "$T/out.policy"
}

@test "no time to prove it: UNKNOWN, and nothing is written" {
    printf 'ld lo32(arg0)\ntax\nld lo32(arg1)\nmul x\njeq #77, yes, no\nyes: ret allow\nno: ret errno(1)\n' |
        bpfproof asm - -o "$T/odd.bpf"
    run bpfproof decompile "$T/odd.bpf" -o "$T/out.policy" --timeout 0.000001
    [ "$status" -eq 3 ]
    grep -q UNKNOWN <<<"$output"
    [ ! -e "$T/out.policy" ]
}

@test "a policy, a stack and a torn program are errors that say what to do" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf" 2>/dev/null
    run bpfproof decompile "$T/small.policy"
    [ "$status" -eq 2 ]
    grep -q 'policy already' <<<"$output"
    run bpfproof decompile "$T/small.bpf+$T/small.bpf"
    [ "$status" -eq 2 ]
    grep -q 'merge' <<<"$output"
    head -c 7 "$T/small.bpf" >"$T/torn.bpf"
    run bpfproof decompile "$T/torn.bpf"
    [ "$status" -eq 2 ]
}

@test "real filters: all proved, short, and the raw layer in few" {
    [ -n "${BPFPROOF_CORPUS:-}" ] || skip "no BPFPROOF_CORPUS"
    for directory in ${BPFPROOF_CORPUS//:/ }; do
        for blob in "$directory"/*.bpf; do
            round_trip "$blob"
            bpfproof decompile "$blob" --json >"$T/out.json" 2>/dev/null
            echo "$(json instructions <"$T/out.json") $(json lines <"$T/out.json") $(json raw_rules <"$T/out.json")"
        done
    done >"$T/figures"
    [ "$(awk '$3 > 0' "$T/figures" | wc -l)" -le 15 ]
    awk '$1 > 100 { print $2 / $1 }' "$T/figures" | sort -n >"$T/ratios"
    awk '{ r[NR] = $1 } END { exit !(NR == 0 || r[int((NR + 1) / 2)] < 0.25) }' "$T/ratios"
}
