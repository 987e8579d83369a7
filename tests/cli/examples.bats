# Every policy of examples/: proved, with nothing to complain about, and each of its statements can fail.
load support

policies() { ls examples/*.policy; }

@test "there are at least six, and each states what it proves" {
    [ "$(policies | wc -l)" -ge 6 ]
    for policy in $(policies); do
        echo "$policy"
        [ "$(grep -c '^prove ' "$policy")" -ge 2 ]
    done
}

@test "each compiles without a warning, all proofs PROVED" {
    for policy in $(policies); do
        echo "$policy"
        bpfproof compile "$policy" -o "$T/out.bpf" --json >"$T/out.json" 2>"$T/diagnostics" ||
            { cat "$T/diagnostics"; false; }
        ! grep -E '(error|warning):' "$T/diagnostics"
        [ "$(json proof <"$T/out.json")" = PROVED ]
        [ "$(json arch_isolation <"$T/out.json")" = PROVED ]
        [ "$(json width_safety <"$T/out.json")" = PROVED ]
        bpfproof check "$T/out.bpf"
    done
}

# The `prove never` statements of a policy, each on one line.
never() {
    python3 -c '
import re, sys
for statement in re.findall(r"^prove never (?:[^{\n]*\{[^}]*\}[^\n]*|[^\n]*)$", open(sys.argv[1]).read(), re.M):
    print(" ".join(statement.split()))' "$1"
}

@test "a policy that allows everything keeps none of their promises" {
    cat >"$T/open.policy" <<'POLICY'
policy open
abi x86_64, aarch64
foreign kill_process
default allow
POLICY
    for policy in $(policies); do
        never "$policy" >"$T/statements"
        [ -s "$T/statements" ]
        while read -r statement; do
            echo "$policy: $statement"
            # with the lines that go on with it
            awk '/^[^ ]/ { on = /^const / } on' "$policy" >"$T/statement.policy"
            echo "$statement" >>"$T/statement.policy"
            run bpfproof verify "$T/open.policy" --assert "$T/statement.policy"
            echo "$output"
            # What only other ABIs have stays denied: they are foreign.
            [ "$status" -eq 1 ] || [[ $statement == *" socketcall" ]]
        done <"$T/statements"
    done
}

@test "strict allows the four calls and nothing else" {
    bpfproof compile examples/strict.policy -o "$T/strict.bpf"
    for call in 'read(0, 0x1000, 1)' 'write(1, 0x1000, 1)' 'exit(0)' 'rt_sigreturn()'; do
        [ "$(bpfproof simulate "$T/strict.bpf" "x86_64:$call" --json 2>/dev/null | json calls.0.verdict)" = allow ]
    done
    for call in 'exit_group(0)' 'openat(AT_FDCWD, 0x1000, 0)' 'i386:write(1, 0x1000, 1)'; do
        [ "$(bpfproof simulate "$T/strict.bpf" "$call" --json 2>/dev/null | json calls.0.verdict)" = kill_thread ]
    done
}

@test "every policy is at most the ceiling" {
    for policy in $(policies); do
        [ "$policy" != examples/container-small.policy ] || continue
        echo "$policy"
        bpfproof verify "$policy" --against examples/ceiling.policy --at-most
    done
}

@test "each is in the form that fmt prints" {
    for policy in examples/*.policy examples/include/*.policy; do
        bpfproof fmt "$policy" | diff "$policy" -
    done
}

@test "a shell lives in the small container, where no file becomes set-user-ID" {
    grep -q '^Seccomp:' /proc/self/status || skip "this kernel has no seccomp"
    run bpfproof run examples/container-small.policy -- /bin/sh -c 'ls / >/dev/null && echo lives | cat'
    [ "$status" -eq 0 ]
    [[ $output == *lives* ]]
    touch "$T/file"
    run bpfproof run examples/container-small.policy -- chmod 4755 "$T/file"
    [ "$status" -ne 0 ]
    [ ! -u "$T/file" ]
}
