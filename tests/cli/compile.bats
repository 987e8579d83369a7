load support

@test "compile writes a proved program and says so" {
    run bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    [ "$status" -eq 0 ]
    [[ $output == *"PROVED; arch isolation PROVED, width safety PROVED"* ]]
    [[ $output == *"PROVED: prove never permit execve"* ]]
    [ -s "$T/small.bpf" ]
    [ $(($(stat -c %s "$T/small.bpf") % 8)) -eq 0 ]
}

@test "compile --json has the keys that machines rely on" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf" --stats --json >"$T/out.json"
    [ "$(json proof <"$T/out.json")" = PROVED ]
    [ "$(json arch_isolation <"$T/out.json")" = PROVED ]
    [ "$(json width_safety <"$T/out.json")" = PROVED ]
    [ "$(json cached.x86_64 <"$T/out.json")" = 9 ]
    [ "$(json instructions <"$T/out.json")" = $(($(stat -c %s "$T/small.bpf") / 8)) ]
    json proof_ms <"$T/out.json"
    json expected <"$T/out.json"
    json worst <"$T/out.json"
}

@test "a thousand rules about one call are looked through in bounded memory" {
    { printf 'policy many\nabi x86_64\nforeign kill_process\ndefault errno(EPERM)\n'
      awk 'BEGIN { for (i = 0; i < 1000; i++) printf "errno(%d) ioctl(arg%d == %d)\n", 2 + i % 2, i % 3, i * 1049 }'
    } >"$T/many.policy"
    bpfproof compile "$T/many.policy" -O1 -o "$T/many.bpf" --stats 2>"$T/notes"
    grep -q 'rules that can never decide: 0, looked for in [0-9.]* ms$' "$T/notes"
    nm "$BPFPROOF_BUILD/bpfproof" | grep -q __asan_init && skip "the sanitizer reserves more"
    (ulimit -v 400000; bpfproof compile "$T/many.policy" -O1 --json -o "$T/many.bpf" >"$T/out.json")
    [ "$(json unsettled_rules <"$T/out.json")" = 0 ]
}

@test "every output format says the same program" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    for format in c decimal json asm; do
        bpfproof compile "$T/small.policy" -f $format -o "$T/small.$format"
        if [ $format = asm ]; then
            bpfproof asm "$T/small.asm" -o "$T/again.bpf"
        else
            bpfproof disasm "$T/small.$format" -f bin -o "$T/again.bpf"
        fi
        cmp "$T/small.bpf" "$T/again.bpf"
    done
    bpfproof compile "$T/small.policy" -f dot | grep -q digraph
}

@test "a refuted statement writes nothing and exits 1, with a call that shows it" {
    echo 'prove never permit openat' >>"$T/small.policy"
    run bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    [ "$status" -eq 1 ]
    [[ $output == *"REFUTED: prove never permit openat"* ]]
    [[ $output == *"counterexample: x86_64:openat("* ]]
    [ ! -e "$T/small.bpf" ]
}

@test "a refused compile keeps the file that was there" {
    echo old >"$T/small.bpf"
    echo 'prove never permit read' >>"$T/small.policy"
    run bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    [ "$status" -eq 1 ]
    [ "$(cat "$T/small.bpf")" = old ]
    [ "$(ls "$T" | grep -c small.bpf)" -eq 1 ]
}

@test "bits that the kernel ignores: a bypass fails the compile unless it is accepted, and is printed even then" {
    cat >"$T/wide.policy" <<'POLICY'
policy wide
abi x86_64
default errno(EPERM)
errno(EACCES) socket(u64(domain) == 16)
allow socket
POLICY
    run bpfproof compile "$T/wide.policy" -o "$T/wide.bpf"
    [ "$status" -eq 1 ]
    [[ $output == *"width safety: REFUTED"* ]]
    [[ $output == *"is the same call for the kernel"* ]]
    [ ! -e "$T/wide.bpf" ]
    run bpfproof compile "$T/wide.policy" -o "$T/wide.bpf" --accept=width
    [ "$status" -eq 0 ]
    [[ $output == *"width safety: REFUTED"* ]]
    [ -s "$T/wide.bpf" ]
}

@test "a check that ignored bits can only make stricter is DENIES_ONLY" {
    printf 'policy p\nabi x86_64\ndefault errno(EPERM)\nallow socket(u64(domain) == 1)\n' >"$T/p.policy"
    bpfproof compile "$T/p.policy" -o "$T/p.bpf" --json >"$T/out.json"
    [ "$(json width_safety <"$T/out.json")" = DENIES_ONLY ]
}

@test "foreign allow is refuted by arch isolation, and --accept=arch goes on" {
    printf 'policy p\nabi x86_64\nforeign allow\ndefault kill_process\nallow read\n' >"$T/p.policy"
    run bpfproof compile "$T/p.policy" -o "$T/p.bpf"
    [ "$status" -eq 1 ]
    [[ $output == *"arch isolation: REFUTED"* ]]
    run bpfproof compile "$T/p.policy" -o "$T/p.bpf" --accept=arch
    [ "$status" -eq 0 ]
    [[ $output == *"arch isolation: REFUTED"* ]]
}

@test "a policy that cannot fit is a clear error" {
    { printf 'policy big\nabi x86_64\ndefault kill_process\n'
      for i in $(seq 0 2999); do echo "errno($((i % 4000 + 1))) nr $((2 * i))"; done; } >"$T/big.policy"
    run bpfproof compile "$T/big.policy" -o "$T/big.bpf"
    [ "$status" -ne 0 ]
    [[ $output == *4096* ]]
    [ ! -e "$T/big.bpf" ]
}

@test "every stage can be dumped" {
    run bpfproof compile "$T/small.policy" -o "$T/small.bpf" --dump=policy,dag,select,layout
    [ "$status" -eq 0 ]
    for stage in policy dag select layout; do [[ $output == *"== $stage =="* ]]; done
}

@test "the proof obligations leave as SMT-LIB, and another run of Z3 agrees" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf" --proof=whole --emit-smt2 "$T/small.smt2"
    grep -q check-sat "$T/small.smt2"
    command -v z3 >/dev/null || skip "no z3 program"
    run z3 "$T/small.smt2"
    [[ $output == *unsat* ]]
    ! grep -qx sat <<<"$output"
}

@test "usage errors and missing files exit 2" {
    run bpfproof compile
    [ "$status" -eq 2 ]
    run bpfproof compile "$T/none.policy"
    [ "$status" -eq 2 ]
    [[ $output == *"none.policy"* ]]
    run bpfproof compile "$T/small.policy" -O7
    [ "$status" -eq 2 ]
    run bpfproof compil "$T/small.policy"
    [ "$status" -eq 2 ]
    [[ $output == *"did you mean"* ]]
    run bpfproof compile "$T/small.policy" -o "$T/no/such/dir/x.bpf"
    [ "$status" -eq 2 ]
}

@test "a full disk is an error and leaves nothing half-written" {
    run bpfproof compile "$T/small.policy" -o /dev/full
    [ "$status" -eq 2 ]
    [[ $output == *"No space left"* ]]
    run sh -c '"$BPFPROOF_BUILD/bpfproof" compile "$1" -f asm >/dev/full' sh "$T/small.policy"
    [ "$status" -eq 2 ]
}

@test "version and help, for every command with an example" {
    run bpfproof --version
    [ "$status" -eq 0 ]
    [[ $output == *"Z3 4."* ]]
    for command in compile fmt verify check disasm asm simulate explain import run; do
        run bpfproof $command --help
        [ "$status" -eq 0 ]
        [[ $output == *"Example"* ]]
        [[ $output == *"bpfproof $command"* ]]
        [[ $output == *"--json"* ]]
        [[ $output == *"--timeout"* ]]
    done
}

@test "fmt is stable and keeps the meaning" {
    bpfproof fmt "$T/small.policy" >"$T/one.policy"
    bpfproof fmt "$T/one.policy" >"$T/two.policy"
    cmp "$T/one.policy" "$T/two.policy"
    bpfproof compile "$T/small.policy" -o "$T/a.bpf"
    bpfproof compile "$T/one.policy" -o "$T/b.bpf"
    cmp "$T/a.bpf" "$T/b.bpf"
}

# A container runtime's list of 291 calls; a kernel that remembers none of them.
figures() { # options: prints instructions, mean and longest path over the permitted calls
    bpfproof compile "$BATS_TEST_DIRNAME/../data/container-default.policy" --json "$@" -o "$T/figures.bpf" |
        python3 -c 'import json, sys; r = json.load(sys.stdin); print(r["instructions"], r["expected"], r["lower_bound"], r["expected_cost"], r["expected_jumps"])'
}

@test "the container policy keeps its size and its path lengths" {
    read -r size mean bound cost jumps < <(figures --kernel 5.4)
    [ "$size" -le 54 ]
    awk "BEGIN { exit !($mean <= 8.62 && $bound <= $cost) }"
    read -r size mean bound cost jumps < <(figures --kernel 5.4 -Os)
    [ "$size" -le 50 ]
    printf '%s\n' '# counted' '870063 futex' '1056 read' '1080 write' '12266 epoll_pwait' '1991 close' \
        '115769 fstat' '275649 nanosleep' '69749 ppoll' >"$T/counted.profile"
    read -r size mean bound cost jumps < <(figures --kernel 5.4 --profile "$T/counted.profile")
    [ "$size" -le 56 ]
    awk "BEGIN { exit !($cost <= 5.65 && $bound <= $cost) }"
    # Where permitted calls are remembered: few jumps on the ways that are left.
    read -r size mean bound cost jumps < <(figures)
    [ "$size" -le 54 ]
    awk "BEGIN { exit !($cost <= 10.05 && $jumps <= 2.1 && $bound <= $cost) }"
}

@test "a profile with mistakes is refused, with its line" {
    printf '12 read\nread\n7 no_such_call\n' >"$T/bad.profile"
    run bpfproof compile "$T/small.policy" -o "$T/small.bpf" --profile "$T/bad.profile"
    [ "$status" -eq 2 ]
    [[ $output == *"bad.profile:2"* ]]
    [[ $output == *no_such_call* ]]
}

@test "a profile that says nothing, or is no text, is refused with its place" {
    refused() { # printf format, what is said
        printf "$1" >"$T/bad.profile"
        run bpfproof compile "$T/small.policy" -o "$T/small.bpf" --profile "$T/bad.profile"
        [ "$status" -eq 2 ]
        [[ $output == *"bad.profile:$2"* ]]
        [ ! -e "$T/small.bpf" ]
    }
    refused '# counts\n0 read\n0 write\n' "2:1: error: nothing is counted: every count is 0"
    refused '5 read\n3 wri\0te\n' "2:1: error: a NUL byte: a profile is text"
    refused '\xef\xbb\xbf5 read\n' "1:1: error: the file begins with a UTF-8 byte order mark"
}

@test "a profile's calls that the filter is not for are not counted, and named" {
    counts() { json expected_cost <"$1"; }
    printf '7 futex\n5 read\n' >"$T/own.profile"
    printf '7 futex\n500 aarch64:read\n500 s390x:read\n500 x32:read\n500 arch(0x123):nr(7)\n5 read\n' >"$T/mixed.profile"
    bpfproof compile "$T/small.policy" -o "$T/a.bpf" --profile "$T/own.profile" --json >"$T/own.json"
    bpfproof compile "$T/small.policy" -o "$T/b.bpf" --profile "$T/mixed.profile" --json >"$T/mixed.json" 2>"$T/notes"
    cmp "$T/a.bpf" "$T/b.bpf"
    [ "$(counts "$T/own.json")" = "$(counts "$T/mixed.json")" ]
    for place in 2:1 3:1 4:1 5:1; do grep -q "mixed.profile:$place: warning: not counted" "$T/notes"; done
    bpfproof optimize "$T/a.bpf" -o "$T/o.bpf" --profile "$T/mixed.profile" --json >"$T/mixed.json" 2>"$T/notes"
    [ "$(grep -c 'warning: not counted' "$T/notes")" -eq 4 ]
    bpfproof optimize "$T/a.bpf" -o "$T/o.bpf" --profile "$T/own.profile" --json >"$T/own.json"
    [ "$(json after.expected_cost <"$T/own.json")" = "$(json after.expected_cost <"$T/mixed.json")" ]
    printf '5 aarch64:read\n' >"$T/mixed.profile"
    run bpfproof compile "$T/small.policy" -o "$T/b.bpf" --profile "$T/mixed.profile"
    [ "$status" -eq 0 ]
    [[ $output == *"mixed.profile counts no call of this filter"* ]]
}

@test "numbers of options: what is too large is refused, and the range is said" {
    for kernel in 4294967301.4 5.4294967300 5 5. .4 5.4.1 +5.4 5.-1; do
        run bpfproof compile "$T/small.policy" -o "$T/small.bpf" --kernel "$kernel"
        [ "$status" -eq 2 ]
        [[ $output == *"a kernel version is two numbers"* ]]
    done
    for lambda in inf 1e308 0 -1 nan x; do
        run bpfproof compile "$T/small.policy" -o "$T/small.bpf" --lambda "$lambda"
        [ "$status" -eq 2 ]
        [[ $output == *"above 0 and up to 1e6"* ]]
    done
    [ ! -e "$T/small.bpf" ]
    bpfproof compile "$T/small.policy" -o "$T/small.bpf" --kernel 5.4 --lambda 1e6
}

@test "a call that always allows because of its condition is cached at every level" {
    printf 'policy p\nabi x86_64\ndefault kill_process\nallow close(!(fd == 5 && (fd & 4) == 0))\n' >"$T/p.policy"
    for level in -O0 -O1 -O2 -O3 -Os; do
        [ "$(bpfproof compile "$T/p.policy" $level --json | json cached.x86_64)" = 1 ]
    done
}

@test "parts of a word that together leave no way but one are cached at every level" {
    cat >"$T/p" <<'POLICY'
policy parts
abi x86_64
foreign kill_process
default errno(EPERM)
allow openat((flags & O_CREAT) == 0)
allow openat((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
allow openat((flags & O_EXCL) == 0)
errno(2) fcntl((cmd & 1) != 0 && (cmd & 2) != 0 && (cmd & 3) != 3)
allow fcntl
POLICY
    for level in -O0 -O1 -O2 -O3 -Os; do
        [ "$(bpfproof compile "$T/p" $level --json | json cached.x86_64)" -eq 2 ]
    done
}

@test "numbers that are looked at behind arguments, at every level" {
    cat >"$T/p" <<'POLICY'
policy behind
abi x86_64
default kill_process
raw trace(1) if (arg1) != 0
raw errno(EPERM) if (nr in { 232, 0x40000000, 0x80000000, 0xc0000000 } || (arg2) == 2 && nr == 0 || (nr & 0x117) == 0 && (nr > 379 || (arch & 0x17b) != 0) || nr != 0 && arch == 144)
raw log if (arg1) != 1 && nr in { 16..31, 48..63, 80..95, 112..127, 144..159, 176..191, 208..223, 240..255, 272..287, 304..319, 336..351 }
POLICY
    for level in -O0 -O1 -O2 -O3 -Os; do
        [ "$(bpfproof compile "$T/p" $level --accept=arch,width --json | json proof)" = PROVED ]
    done
}

@test "no program is below the lower bound, -Os is never longer, and a long sparse set fits" {
    for abis in x86_64 i386 'x86_64, x32'; do
        for rules in '' 'allow read' 'allow futex' 'errno(38) { read, write, open }' 'allow nr 0..255'; do
            printf 'policy b\nabi %s\nforeign kill_process\ndefault errno(1)\n%s\n' "$abis" "$rules" >"$T/b"
            bpfproof compile "$T/b" --json | python3 -c '
import json, sys
o = json.load(sys.stdin)
assert o["expected_cost"] >= o["lower_bound"] - 1e-9 > 0, o'
        done
    done
    python3 -c '
import random
random.seed(4)
print("policy long\nabi x86_64\nforeign kill_process\ndefault errno(1)\nallow ioctl(cmd in {", ", ".join(hex(v) for v in random.sample(range(1 << 32), 4000)), "})")' >"$T/long"
    [ "$(bpfproof compile "$T/long" -O1 --json | json instructions)" -le 4096 ]
    python3 -c '
import random
random.seed(5)
print("policy long\nabi x86_64\nforeign kill_process\ndefault errno(1)\nallow ioctl(cmd in {", ", ".join(hex(v) for v in random.sample(range(1 << 32), 80)), "})")' >"$T/sparse"
    [ "$(bpfproof compile "$T/sparse" -Os --json | json instructions)" -le 92 ]
    for policy in examples/database-worker.policy examples/container-small.policy; do
        [ "$(bpfproof compile "$policy" -Os --json | json instructions)" -le "$(bpfproof compile "$policy" -O3 --json | json instructions)" ]
    done
}

@test "width safety is about the declared tokens, whatever bits of others a rule tests" {
    cat >"$T/bits.policy" <<'POLICY'
policy bits
abi x86_64
foreign kill_process
default errno(EPERM)
raw errno(EACCES) if arch in { 0x20000000, 0x40000000, 0x60000000, 0x80000000, 0xa0000000, 0xe0000000 } || (arch & 0x20000) != 0
allow { read, write, socket(domain == AF_UNIX) }
POLICY
    run bpfproof compile "$T/bits.policy" -o "$T/bits.bpf" --timeout 30
    [ "$status" -eq 0 ]
    [[ $output == *"width safety PROVED"* ]]
    sed -i 's/domain == AF_UNIX/lo32(domain) == AF_UNIX \&\& hi32(domain) != 7/' "$T/bits.policy"
    run bpfproof compile "$T/bits.policy" -o "$T/bits.bpf" --timeout 30
    [[ $output == *"width safety DENIES_ONLY"* ]]
    sed -i 's/domain) == AF_UNIX .*/domain) == 1 || hi32(domain) == 7) }/' "$T/bits.policy"
    run bpfproof compile "$T/bits.policy" -o "$T/bits.bpf" --timeout 30
    [ "$status" -eq 1 ]
    [[ $output == *"width safety REFUTED"* ]]
}

@test "width safety looks at ABIs that share a token, each by itself and together" {
    for abis in x32 x86_64,x32; do
        printf 'policy p\nabi %s\nforeign kill_process\ndefault errno(EPERM)\non x32 { allow socket(lo32(domain) == 1 || hi32(domain) == 7) }\n' \
            "$abis" >"$T/p.policy"
        run bpfproof compile "$T/p.policy" -o "$T/p.bpf"
        [ "$status" -eq 1 ]
        [[ $output == *"width safety: REFUTED"* ]]
        [[ $output == *"x32:socket"* ]]
    done
}
