load support

filters() {
    printf 'ld nr\njeq #1, deny, good\ndeny: ret errno(EPERM)\ngood: ret allow\n' | bpfproof asm - -o "$T/a.bpf"
    printf 'ld nr\njeq #1, deny, next\nnext: jeq #2, trap, good\ndeny: ret errno(EACCES)\ntrap: ret trap(3)\ngood: ret allow\n' |
        bpfproof asm - -o "$T/b.bpf"
    printf 'ld lo32(arg0)\njeq #7, log, good\nlog: ret log\ngood: ret allow\n' | bpfproof asm - -o "$T/c.bpf"
}

verdict() { bpfproof simulate "$1" "$2" --json 2>/dev/null | json calls.0.verdict; }

@test "the strictest action wins, and of equal actions the newest filter's data" {
    filters
    bpfproof merge "$T/a.bpf" "$T/b.bpf" "$T/c.bpf" -o "$T/one.bpf" 2>"$T/notes"
    grep -q PROVED "$T/notes"
    [ "$(verdict "$T/one.bpf" 'x86_64:nr(1, 7)')" = 'errno(EACCES)' ]
    [ "$(verdict "$T/one.bpf" 'x86_64:nr(2, 7)')" = 'trap(3)' ]
    [ "$(verdict "$T/one.bpf" 'x86_64:nr(3, 7)')" = 'log' ]
    [ "$(verdict "$T/one.bpf" 'x86_64:nr(3, 8)')" = 'allow' ]
    bpfproof merge "$T/b.bpf" "$T/a.bpf" -o "$T/other.bpf" 2>/dev/null
    [ "$(verdict "$T/other.bpf" 'x86_64:nr(1)')" = 'errno(EPERM)' ]
}

@test "the merged filter is equal to the stack, and smaller" {
    filters
    bpfproof merge "$T/a.bpf+$T/b.bpf" "$T/c.bpf" -o "$T/one.bpf" --json >"$T/out.json"
    [ "$(json result <"$T/out.json")" = PROVED ]
    [ "$(json filters <"$T/out.json")" = 3 ]
    [ "$(json after.instructions <"$T/out.json")" -lt "$(json before.instructions <"$T/out.json")" ]
    bpfproof verify "$T/one.bpf" --against "$T/a.bpf+$T/b.bpf+$T/c.bpf"
    run bpfproof verify "$T/one.bpf" --against "$T/b.bpf+$T/a.bpf+$T/c.bpf"
    [ "$status" -eq 1 ]
}

@test "a policy takes part as what it compiles to" {
    filters
    bpfproof merge "$T/small.policy" "$T/b.bpf" -o "$T/one.bpf" 2>/dev/null
    bpfproof compile "$T/small.policy" -o "$T/small.bpf" 2>/dev/null
    bpfproof verify "$T/one.bpf" --against "$T/small.bpf+$T/b.bpf"
}

@test "stacks that others installed: each one filter, PROVED, none larger, no cached call lost" {
    [ -e ../shared/corpus/STACKS.tsv ] || skip "no ../shared/corpus here"
    tail -n +2 ../shared/corpus/STACKS.tsv | cut -f2 | while read -r line; do
        set --
        for name in $line; do set -- "$@" "../shared/corpus/blobs/$name"; done
        bpfproof merge "$@" -o "$T/one.bpf" --json >"$T/out.json"
        python3 - "$T/out.json" $# <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
before, after = r["before"], r["after"]
assert r["result"] == "PROVED", r
assert after["instructions"] <= before["instructions"], r
assert all(after["cached"][abi] >= n for abi, n in before["cached"].items()), r
if int(sys.argv[2]) == 14:
    assert after["instructions"] <= 0.35 * before["instructions"], r
PY
    done
}
