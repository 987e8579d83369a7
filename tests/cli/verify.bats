load support

@test "a policy and its program are equal; whole agrees" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    for method in partition whole; do
        run bpfproof verify "$T/small.policy" --against "$T/small.bpf" --proof=$method
        [ "$status" -eq 0 ]
        [[ $output == PROVED* ]]
    done
}

@test "a different filter is refuted with a call that replays" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    sed 's/== O_RDONLY/!= O_WRONLY/' "$T/small.policy" >"$T/other.policy"
    for method in partition whole; do
        run bpfproof verify "$T/other.policy" --against "$T/small.bpf" --json --proof=$method
        [ "$status" -eq 1 ]
        [ "$(json result <<<"$output")" = REFUTED ]
        call=$(json counterexample.call <<<"$output")
        bpfproof compile "$T/other.policy" -o "$T/other.bpf"
        [ "$(bpfproof simulate "$T/other.bpf" "$call" --json | json calls.0.verdict)" = "$(json counterexample.left <<<"$output")" ]
        [ "$(bpfproof simulate "$T/small.bpf" "$call" --json | json calls.0.verdict)" = "$(json counterexample.right <<<"$output")" ]
    done
}

@test "at most: a stricter filter is, a looser one is not" {
    sed 's/, brk//' "$T/small.policy" >"$T/strict.policy"
    run bpfproof verify "$T/strict.policy" --at-most --against "$T/small.policy"
    [ "$status" -eq 0 ]
    run bpfproof verify "$T/small.policy" --at-most --against "$T/strict.policy"
    [ "$status" -eq 1 ]
    [[ $output == *"brk("* ]]
}

@test "stacks: one filter per half is together what one filter says" {
    printf 'policy a\nabi x86_64\ndefault allow\nerrno(EPERM) ptrace\n' >"$T/a.policy"
    printf 'policy b\nabi x86_64\ndefault allow\nkill_process ptrace(request == PTRACE_ATTACH)\nerrno(ENOSYS) bpf\n' >"$T/b.policy"
    printf 'policy c\nabi x86_64\ndefault allow\nkill_process ptrace(request == PTRACE_ATTACH)\nerrno(EPERM) ptrace\nerrno(ENOSYS) bpf\n' >"$T/c.policy"
    run bpfproof verify "$T/a.policy+$T/b.policy" --against "$T/c.policy"
    [ "$status" -eq 0 ]
    run bpfproof verify "$T/a.policy" --against "$T/c.policy"
    [ "$status" -eq 1 ]
}

@test "assertions about a blob nobody here wrote" {
    bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    printf 'prove never permit { execve, execveat }\nprove always allow read\nprove never allow openat((flags & O_CREAT) != 0)\n' >"$T/rules"
    run bpfproof verify "$T/small.bpf" --assert "$T/rules"
    [ "$status" -eq 1 ]
    [[ $output == *"PROVED: prove never permit"* ]]
    [[ $output == *"PROVED: prove always allow read"* ]]
    [[ $output == *"REFUTED: prove never allow openat"* ]]
    [[ $output == *"counterexample: x86_64:openat("* ]]
}

@test "a blob with the arch check cut out is caught, and the kernel shows what would have got through" {
    cat >"$T/native.policy" <<'POLICY'
policy native
abi x86_64
foreign errno(ELOOP)
default allow
errno(EPERM) { ptrace, mount }
POLICY
    bpfproof compile "$T/native.policy" -f asm -o "$T/native.asm"
    bpfproof compile "$T/native.policy" -o "$T/native.bpf"
    cat >"$T/cut.asm" <<'ASM'
ld nr
jeq #101, deny
jeq #165, deny
ret allow
deny: ret errno(EPERM)
ASM
    bpfproof asm "$T/cut.asm" -o "$T/cut.bpf"
    run bpfproof verify "$T/native.policy" --against "$T/cut.bpf"
    [ "$status" -eq 1 ]
    [[ $output == *"counterexample"* ]]
}

@test "a limit gives UNKNOWN and exit 3, never success" {
    cat >"$T/hard.policy" <<'POLICY'
policy hard
abi x86_64
default errno(EPERM)
raw allow if lo32(arg0) * lo32(arg1) == 0x12345679 && lo32(arg0) > 1 && lo32(arg1) > 1 && lo32(arg2) * lo32(arg3) * lo32(arg0) == 0x7654321
POLICY
    cat >"$T/hard2.policy" <<'POLICY'
policy hard2
abi x86_64
default errno(EPERM)
raw allow if lo32(arg1) * lo32(arg0) == 0x12345679 && lo32(arg0) > 1 && lo32(arg1) > 1 && lo32(arg0) * lo32(arg3) * lo32(arg2) == 0x7654321
POLICY
    run bpfproof verify "$T/hard.policy" --against "$T/hard2.policy" --timeout 0.000001
    [ "$status" -eq 3 ]
    [[ $output == *UNKNOWN* ]]
}

@test "mixed questions and missing ones are usage errors" {
    run bpfproof verify "$T/small.policy" --at-most
    [ "$status" -eq 2 ]
    bpfproof compile "$T/small.policy" -o "$T/small.bpf"
    run bpfproof verify "$T/small.bpf"
    [ "$status" -eq 2 ]
}

@test "what cannot be stated on an undeclared ABI is proved for every call there, else UNKNOWN" {
    printf 'policy p\nabi x86_64\ndefault errno(EPERM)\nallow read\nprove never permit mmap((prot & PROT_EXEC) != 0)\n' >"$T/p.policy"
    run bpfproof compile "$T/p.policy" -o "$T/p.bpf"
    [ "$status" -eq 0 ]
    [[ $output != *warning* ]]
    # a filter of both ABIs that permits i386's mmap, asked about as if it were for x86_64 only
    printf 'policy p\nabi x86_64, i386\ndefault errno(EPERM)\non i386 { allow mmap }\n' >"$T/both.policy"
    bpfproof compile "$T/both.policy" -o "$T/both.bpf"
    echo 'prove never permit mmap((prot & PROT_EXEC) != 0)' >"$T/rules"
    run bpfproof verify "$T/both.bpf" --abi x86_64 --assert "$T/rules"
    [ "$status" -eq 3 ]
    [[ $output == *UNKNOWN*"i386"* ]]
}

@test "a blob without a check for x32's numbers: on x32 means x32" {
    cat >"$T/deny.asm" <<'ASM'
ld arch
jeq #0xc000003e, native, foreign
native: ld nr
jeq #0x57, deny, rest
rest: ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
ASM
    bpfproof asm "$T/deny.asm" -o "$T/deny.bpf"
    echo 'on x32, x86_64 { prove always errno unlink }' >"$T/rules"
    run bpfproof verify "$T/deny.bpf" --assert "$T/rules"
    [ "$status" -eq 1 ]
    [[ $output == *"x32:unlink("* ]]
    echo 'prove always errno unlink' >"$T/rules"
    run bpfproof verify "$T/deny.bpf" --assert "$T/rules"
    [ "$status" -eq 0 ]
    [[ $output == *"about x86_64 "* ]]
    : >"$T/rules"
    run bpfproof verify "$T/deny.bpf" --assert "$T/rules"
    [ "$status" -eq 2 ]
}

@test "a policy that does not compile can be looked at, and not run" {
    printf 'policy p\nabi x86_64\ndefault kill_process\nerrno(EPERM) close(u64(arg0) == 1)\nallow close\n' >"$T/p.policy"
    run bpfproof simulate "$T/p.policy" 'close(1)'
    [ "$status" -eq 0 ]
    [[ $output == *"errno(EPERM)"*"would not write"* ]]
    run bpfproof run "$T/p.policy" -- true
    [ "$status" -eq 2 ]
    [[ $output == *"not proved"* ]]
}

# One program per ABI, each of which permits the others: alone open, together closed.
two_halves() {
    mkdir "$T/halves"
    cat >"$T/native.asm" <<'ASM'
ld arch
jeq #0xc000003e, native, foreign
native: ld nr
jge #0x40000000, deny, number
number: jeq #59, deny, rest
rest: ret allow
deny: ret errno(EPERM)
foreign: ret allow
ASM
    cat >"$T/foreign.asm" <<'ASM'
ld arch
jeq #0xc000003e, native, foreign
native: ret allow
foreign: ret kill_process
ASM
    bpfproof asm "$T/native.asm" -f json -o "$T/halves/part-2.json"
    bpfproof asm "$T/foreign.asm" -o "$T/halves/part-10.bpf"
}

@test "assertions and at-most about stacks, a directory among them" {
    two_halves
    native=$T/halves/part-2.json foreign=$T/halves/part-10.bpf
    printf 'prove never permit execve\n' >"$T/rules"
    run bpfproof verify "$native" --assert "$T/rules"
    [ "$status" -eq 1 ]
    [[ $output == *"counterexample"* ]]
    for filter in "$native+$foreign" "$T/halves" "$T/halves+$native"; do
        run bpfproof verify "$filter" --assert "$T/rules"
        [ "$status" -eq 0 ]
        [[ $output == *"PROVED: prove never permit execve"* ]]
        bpfproof verify "$filter" --against "$T/halves"
    done
    bpfproof verify "$T/halves" --at-most --against "$native"
    run bpfproof verify "$native" --at-most --against "$T/halves" --json
    [ "$status" -eq 1 ]
    [ "$(json counterexample.left <<<"$output")" = allow ]
    [ "$(json counterexample.right <<<"$output")" = kill_process ]
    (cd "$T" && echo 'prove at_most "halves"' >ceiling && "$BPFPROOF_BUILD/bpfproof" verify halves+halves --assert ceiling)
    run bpfproof verify "$native" --assert "$T/ceiling"
    [ "$status" -eq 1 ]
}

@test "thousands of ranges of numbers against the bit that they are" {
    python3 - >"$T/ranges.policy" <<'PYTHON'
ranges = ", ".join(f"{i * 0x200000:#x}..{i * 0x200000 + 0x1fffff:#x}" for i in range(1, 2048, 2))
print("policy ranges\nabi x86_64\nforeign allow\ndefault allow\n")
print(f"raw errno(EPERM) if nr in {{ {ranges} }}")
PYTHON
    printf 'ld nr\njset #0x200000, yes, no\nyes: ret errno(1)\nno: ret allow\n' | bpfproof asm - -o "$T/bit.bpf"
    printf 'ld nr\njset #0x200000, yes, no\nno: ret allow\nyes: jeq #0xffffffff, no2, deny\nno2: ret allow\ndeny: ret errno(1)\n' |
        bpfproof asm - -o "$T/but.bpf"
    run bpfproof verify "$T/ranges.policy" --against "$T/bit.bpf" --timeout 20
    [ "$status" -eq 0 ]
    run bpfproof verify "$T/ranges.policy" --against "$T/but.bpf" --timeout 20
    [ "$status" -eq 1 ]
    grep -q 'nr(-1)' <<<"$output"
}
