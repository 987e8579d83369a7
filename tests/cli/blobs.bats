load support

bats_require_minimum_version 1.5.0

@test "check accepts our programs and names the rule that a broken one breaks" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    run bpfproof check "$T/small.bpf"
    [ "$status" -eq 0 ]
    head -c -8 "$T/small.bpf" >"$T/cut.bpf"
    run bpfproof check "$T/cut.bpf" --json
    [ "$status" -eq 1 ]
    [ "$(json accepted <<<"$output")" = false ]
    json rule <<<"$output"
}

@test "truncated, empty and huge blobs are errors, not crashes" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    head -c 13 "$T/small.bpf" >"$T/odd.bpf"
    run bpfproof check "$T/odd.bpf"
    [ "$status" -eq 2 ]
    : >"$T/empty.bpf"
    run bpfproof check "$T/empty.bpf"
    [ "$status" -ge 1 ]
    [ "$status" -le 2 ]
    head -c 1000000 /dev/zero >"$T/huge.bpf"
    run bpfproof check "$T/huge.bpf"
    [ "$status" -ge 1 ]
    [ "$status" -le 2 ]
    for command in disasm "verify --against $T/small.bpf" "simulate --vectors /dev/null"; do
        run bpfproof $command "$T/odd.bpf"
        [ "$status" -eq 2 ]
    done
}

@test "disasm names fields, calls and actions; asm takes it back" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    run bpfproof disasm "$T/small.bpf"
    [[ $output == *arch* ]]
    [[ $output == *openat* ]]
    [[ $output == *EPERM* ]]
    bpfproof disasm "$T/small.bpf" | bpfproof asm - -o "$T/again.bpf"
    cmp "$T/small.bpf" "$T/again.bpf"
}

@test "simulate: verdicts, counts, the cache, and ignored bits" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    run bpfproof simulate "$T/small.bpf" 'read(0, 0x1000, 10)' 'openat(AT_FDCWD, 0x1000, O_RDONLY)' \
        'openat(AT_FDCWD, 0x1000, O_RDWR)' 'i386:getpid()'
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == *"allow"*"cached"* ]]
    [[ ${lines[1]} == *"allow"* ]]
    [[ ${lines[1]} != *"cached"* ]]
    [[ ${lines[2]} == *"errno(EPERM)"* ]]
    [[ ${lines[3]} == *"kill_process"* ]]
    printf 'policy p\nabi x86_64\ndefault errno(EPERM)\nallow socket(u64(domain) == 1)\n' >"$T/p.policy"
    run bpfproof simulate "$T/p.policy" 'socket(0x100000001, 1, 0)'
    [[ $output == *"bits that the kernel ignores decide here"* ]]
}

@test "simulate --vectors counts what agrees" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    printf 'c000003e\t0\t0\t0\t0\t0\t0\t0\t7fff0000\n# a comment\nc000003e\t-1\t0\t0\t0\t0\t0\t0\t50001\nc000003e\t59\t0\t0\t0\t0\t0\t0\t7fff0000\n' >"$T/v.tsv"
    run bpfproof simulate "$T/small.bpf" --vectors "$T/v.tsv"
    [ "$status" -eq 1 ]
    [[ ${lines[0]} == *"line 4"*"errno(EPERM)"* ]]
    [ "${lines[-1]}" = "2 passed, 1 failed" ]
    sed -i '$d' "$T/v.tsv"
    run bpfproof simulate "$T/small.bpf" --vectors "$T/v.tsv"
    [ "$status" -eq 0 ]
    echo nonsense >>"$T/v.tsv"
    run bpfproof simulate "$T/small.bpf" --vectors "$T/v.tsv"
    [ "$status" -eq 2 ]
}

@test "explain names the rule, its place and the path" {
    run bpfproof explain "$T/small.policy" 'openat(AT_FDCWD, 0x1000, O_RDWR)'
    [ "$status" -eq 0 ]
    [[ $output == *"errno(EPERM)"* ]]
    [[ $output == *"default: no rule matches"* ]]
    [[ $output == *"not met: allow openat"* ]]
    [[ $output == *"path through"* ]]
    run bpfproof explain "$T/small.policy" 'read(0)'
    [[ $output == *"small.policy:5:"* ]]
    run bpfproof explain --args openat
    [[ $output == *dirfd* ]]
    [[ $output == *dfd* ]]
    run bpfproof explain --args opanat
    [ "$status" -eq 2 ]
    [[ $output == *openat* ]]
}

@test "every command prints one JSON object, also when it fails" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    for words in "fmt $T/small.policy" "verify $T/small.policy" "check $T/small.bpf" "disasm $T/small.bpf" \
        "simulate $T/small.bpf read(0)" "explain $T/small.policy read(0)" "explain --args read" "compile $T/none" \
        "asm $T/none" "import oci $T/none" "run $T/none -- true" "simulate $T/small.bpf nonsense("; do
        "$BPFPROOF_BUILD/bpfproof" ${words%% *} --json ${words#* } 2>/dev/null >"$T/out.json" || true
        python3 -c 'import json,sys; assert isinstance(json.load(open(sys.argv[1])), dict)' "$T/out.json"
    done
}

@test "the program of a compile is what the kernel installs and runs under" {
    cat >"$T/run.policy" <<'POLICY'
policy runs
abi x86_64
foreign kill_process
default allow
errno(EXDEV) { uname, mkdir, mkdirat }
POLICY
    [ "$(uname -m)" = x86_64 ] || skip "this machine is no x86_64"
    grep -q Seccomp /proc/self/status || skip "this kernel has no seccomp filters"
    run bpfproof run "$T/run.policy" -- sh -c "mkdir $T/made || exit 3"
    [ "$status" -ne 0 ]
    [[ $output == *"cross-device"* ]]
    [ ! -d "$T/made" ]
    run bpfproof run "$T/run.policy" -- sh -c 'exit 7'
    [ "$status" -eq 7 ]
    # signals that bpfproof ignores are not ignored in what it runs
    run bpfproof run "$T/run.policy" -- sh -c 'kill -PIPE $$; exit 5'
    [ "$status" -eq $((128 + 13)) ]
    run bpfproof check "$T/run.policy"
    [ "$status" -eq 2 ]
    bpfproof compile "$T/run.policy" -o "$T/run.bpf"
    run bpfproof check "$T/run.bpf" --install
    [ "$status" -eq 0 ]
    [[ $output == *"installed"* ]]
}

@test "explain: what is known at each instruction, and which calls take the same path" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    run bpfproof explain "$T/small.bpf" 'openat(AT_FDCWD, 0x1000, O_RDWR)'
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "x86_64:openat("*"errno(EPERM)" ]]
    [[ $output == *"A = arch = 0xc000003e (AUDIT_ARCH_X86_64)"* ]]
    [[ $output == *"A = nr = 257 (openat)"* ]]
    [[ $output == *"(flags)"* ]]
    [[ $output == *"every call takes this path for which"*"nr == 0x101"* ]]
    run bpfproof explain "$T/small.bpf" 'read(0)' --json
    [ "$(json paths.0.0.term <<<"$output")" = arch ]
    [ "$(json paths.0.1.test.holds <<<"$output")" = true ]
    [ "$(json programs.0.verdict <<<"$output")" = allow ]
    [ "$(json verdict <<<"$output")" = allow ]
    last=$(json paths.0 <<<"$output" | python3 -c 'import json,sys; print(json.load(sys.stdin)[-1]["remark"])')
    [ "$last" = "returns allow" ]
}

@test "explain a stack: each filter's word, who decides, and why" {
    for word in 'errno(EPERM)' allow log; do
        printf 'ret %s\n' "$word" | bpfproof asm - -o "$T/${word%%(*}.bpf"
    done
    run bpfproof explain "$T/errno.bpf+$T/allow.bpf+$T/log.bpf" 'read(0)'
    [ "$status" -eq 0 ]
    [[ $output == *": errno(E"*"decided by filter 1 of 3"*"no other returns anything as strict as errno"* ]]
    [[ $output == *"filter 3, the newest: "*"log.bpf: log"* ]]
    [ "$(grep -c '^path through' <<<"$output")" -eq 3 ]
    printf 'ret errno(EPERM)\n' | bpfproof asm - -o "$T/older.bpf"
    printf 'ret errno(EACCES)\n' | bpfproof asm - -o "$T/newer.bpf"
    run bpfproof explain "$T/older.bpf+$T/allow.bpf+$T/newer.bpf" 'read(0)' --json
    [ "$(json verdict <<<"$output")" = "errno(EACCES)" ]
    [ "$(json decided_by <<<"$output")" = 2 ]
    [[ $(json reason <<<"$output") == *"which 2 of them return; of equal actions the newest"* ]]
    run bpfproof explain "$T/allow.bpf+$T/allow.bpf" 'read(0)'
    [[ $output == *"decided by none of the 2 filters: all of them allow"* ]]
}

@test "explain: the terms that it shows have the values that it shows" {
    python3 tests/cli/terms.py "$BPFPROOF_BUILD/bpfproof" "$T"
}

@test "a raw blob that is cut short: the byte, and none of the bytes; text: what is not printable is escaped" {
    printf 'ld nr\njeq #0x1b, yes, no\nyes: ret errno(10)\nno: ret allow\n' | bpfproof asm - -o "$T/whole.bpf"
    head -c -7 "$T/whole.bpf" >"$T/cut.bpf"
    for command in check disasm optimize decompile; do
        run -2 bpfproof $command "$T/cut.bpf"
        [ "$output" = "$T/cut.bpf: byte 24: error: a raw blob is a multiple of 8 bytes, this one has 25: 1 too many" ]
    done
    run -2 --separate-stderr bpfproof check --json "$T/cut.bpf"
    [ "$(json diagnostics.0.byte <<<"$output")" = 24 ]
    printf 'policy x\nabi x86_64\n\033[2J\233 \302\233 \377 allow read\n' >"$T/controls.policy"
    run -2 bpfproof fmt "$T/controls.policy"
    [ "$(LC_ALL=C tr -d '\n\t\040-\176' <<<"$output" | wc -c)" = 0 ]
    grep -qF '\x1b[2J\x9b \xc2\x9b \xff allow read' <<<"$output"
}
