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
        python3 -c 'import json, sys; r = json.load(sys.stdin); print(r["instructions"], r["expected"], r["lower_bound"], r["expected_cost"])'
}

@test "the container policy keeps its size and its path lengths" {
    read -r size mean bound cost < <(figures --kernel 5.4)
    [ "$size" -le 54 ]
    awk "BEGIN { exit !($mean <= 8.62 && $bound <= $cost) }"
    read -r size mean bound cost < <(figures --kernel 5.4 -Os)
    [ "$size" -le 50 ]
    printf '%s\n' '# counted' '870063 futex' '1056 read' '1080 write' '12266 epoll_pwait' '1991 close' \
        '115769 fstat' '275649 nanosleep' '69749 ppoll' >"$T/counted.profile"
    read -r size mean bound cost < <(figures --kernel 5.4 --profile "$T/counted.profile")
    [ "$size" -le 56 ]
    awk "BEGIN { exit !($cost <= 5.65 && $bound <= $cost) }"
}

@test "a profile with mistakes is refused, with its line" {
    printf '12 read\nread\n7 no_such_call\n' >"$T/bad.profile"
    run bpfproof compile "$T/small.policy" -o "$T/small.bpf" --profile "$T/bad.profile"
    [ "$status" -eq 2 ]
    [[ $output == *"bad.profile:2"* ]]
    [[ $output == *no_such_call* ]]
}

@test "a call that always allows because of its condition is cached at every level" {
    printf 'policy p\nabi x86_64\ndefault kill_process\nallow close(!(fd == 5 && (fd & 4) == 0))\n' >"$T/p.policy"
    for level in -O0 -O1 -O2 -O3 -Os; do
        [ "$(bpfproof compile "$T/p.policy" $level --json | json cached.x86_64)" = 1 ]
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
