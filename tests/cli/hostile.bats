load support

@test "every command answers every hostile blob with an error that names the rule, exit 1 or 2" {
    python3 tests/cli/hostile.py table "$BPFPROOF_BUILD/bpfproof" "$T"
}

@test "check of a directory of 4096 blobs, one per opcode" {
    python3 tests/cli/hostile.py opcodes "$BPFPROOF_BUILD/bpfproof" "$T"
}

@test "hostile stacks: directories, names, members" {
    printf 'ret allow\n' | bpfproof asm - -o "$T/good.bpf"
    printf '\x20\0\0\0\0\0\0\0' >"$T/refused.bpf"
    mkdir "$T/stack" "$T/void" "$T/mixed" "$T/nested" "$T/odd" "$T/refused"
    cp "$T/good.bpf" "$T/stack/x-10.bpf"
    printf 'ret log\n' | bpfproof asm - -o "$T/stack/x-2.bpf"
    cp "$T/good.bpf" "$T/mixed/1.bpf"
    echo 'notes' >"$T/mixed/README"
    mkdir "$T/nested/inner"
    mkfifo "$T/odd/pipe"
    cp "$T/good.bpf" "$T/refused/1.bpf"
    cp "$T/refused.bpf" "$T/refused/2.bpf"
    run bpfproof disasm "$T/stack"
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == *"x-2.bpf" ]]
    [[ ${lines[2]} == *"x-10.bpf" ]]
    run bpfproof disasm "$T/stack" -f c
    [ "$status" -eq 2 ]
    while read -r name expected; do
        run timeout 20 "$BPFPROOF_BUILD/bpfproof" verify "$T/$name" --against "$T/good.bpf"
        [ "$status" -eq 2 ]
        [[ $output == *"$expected"* ]]
    done <<'TABLE'
void is an empty directory
mixed mixed/README is no blob
nested nested/inner is a directory inside of a directory
odd odd/pipe is no file
refused refused/2.bpf: the kernel would refuse this program (last)
good.bpf+ an empty name
none+good.bpf No such file
TABLE
    run bpfproof disasm "$T/good.bpf+$T/refused.bpf"
    [ "$status" -eq 0 ]
    run bpfproof check "$T/refused" --json
    [ "$status" -eq 1 ]
    [ "$(json rule <<<"$output")" = last ]
    [ "$(json programs.0.accepted <<<"$output")" = true ]
    cp "$T/good.bpf" "$T/a+b.bpf"
    run bpfproof check "$T/a+b.bpf"
    [ "$status" -eq 0 ]
}
