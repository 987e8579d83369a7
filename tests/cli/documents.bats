load support

@test "docs/ARCHITECTURE.md shows what the stages really print" {
    python3 tests/console.py docs/ARCHITECTURE.md "$BPFPROOF_BUILD/bpfproof"
}

@test "docs/FILTERS.md shows what explain really prints" {
    python3 tests/console.py docs/FILTERS.md "$BPFPROOF_BUILD/bpfproof"
}

@test "docs/AUDIT.md shows what audit really prints" {
    python3 tests/console.py docs/AUDIT.md "$BPFPROOF_BUILD/bpfproof"
}

@test "the README's policy compiles, and its commands exist" {
    sed -n '/^```policy$/,/^```$/{/^```/!p}' README.md >"$T/net.policy"
    grep -q 'policy net' "$T/net.policy"
    bpfproof compile "$T/net.policy" -o "$T/net.bpf"
    for command in $(sed -n 's/^| `\([a-z]*\) .*/\1/p' README.md); do
        bpfproof "$command" --help >/dev/null
    done
}

@test "no document speaks of what is not in the repository" {
    for file in $(grep -oh '](\(docs/\)\?[A-Za-z]*\.md)' README.md CONTRIBUTING.md docs/*.md | tr -d '()]' | sort -u); do
        [ -e "$file" ] || [ -e "docs/$file" ]
    done
}
