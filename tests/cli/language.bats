# Every example of docs/LANGUAGE.md. Diagnostics call the file example.policy.
load support

setup() {
    T=$BATS_TEST_TMPDIR
    mkdir "$T/blocks" "$T/run"
    python3 tests/cli/language_blocks.py docs/LANGUAGE.md "$T/blocks"
}

# Compiles a block under the name example.policy; its diagnostics go to $T/run/diagnostics.
compile_block() {
    cp "$1" "$T/run/example.policy"
    rm -f "$T/run/example.bpf"
    (cd "$T/run" && bpfproof compile example.policy -o example.bpf >output 2>diagnostics)
}

@test "the page has examples of each kind" {
    [ "$(ls "$T/blocks" | grep -c -- '-good.policy')" -ge 12 ]
    [ "$(ls "$T/blocks" | grep -c -- '-error.policy')" -ge 5 ]
    [ "$(ls "$T/blocks" | grep -c -- '-warning.policy')" -ge 1 ]
}

@test "good examples compile, proved, with nothing to complain about" {
    for block in "$T"/blocks/*-good.policy; do
        echo "line $(basename "$block")"
        compile_block "$block" || { cat "$T/run/diagnostics"; false; }
        cat "$T/run/diagnostics"
        ! grep -E '(error|warning|note):' "$T/run/diagnostics"
        [ -s "$T/run/example.bpf" ]
    done
}

@test "wrong examples are refused with the diagnostics that the page shows" {
    for block in "$T"/blocks/*-error.policy; do
        echo "line $(basename "$block")"
        status=0
        compile_block "$block" || status=$?
        [ "$status" -eq 2 ]
        [ ! -e "$T/run/example.bpf" ]
        diff "${block%.policy}.expected" "$T/run/diagnostics"
    done
}

@test "questionable examples compile with the warnings that the page shows" {
    for block in "$T"/blocks/*-warning.policy; do
        echo "line $(basename "$block")"
        compile_block "$block"
        [ -s "$T/run/example.bpf" ]
        diff "${block%.policy}.expected" <(sed -n '/^example.policy:/,$p' "$T/run/diagnostics")
    done
}

@test "fmt keeps the meaning of every example, and is stable" {
    for block in "$T"/blocks/*-good.policy; do
        echo "line $(basename "$block")"
        bpfproof fmt "$block" >"$T/once.policy"
        bpfproof fmt "$T/once.policy" >"$T/twice.policy"
        cmp "$T/once.policy" "$T/twice.policy"
        bpfproof compile "$block" -o "$T/a.bpf" 2>/dev/null >/dev/null
        bpfproof compile "$T/once.policy" -o "$T/b.bpf" 2>/dev/null >/dev/null
        cmp "$T/a.bpf" "$T/b.bpf"
    done
}
