load support

# A chain of comparisons, one after each number, as simple generators write it.
chain() {
    {
        echo "ld arch"
        echo "jeq #0xc000003e, next, bad"
        echo "next: ld nr"
        for nr in 0 1 3 5 8 9 10 11 12 13 14 16 17 18 20 21; do echo "jeq #$nr, good"; done
        echo "bad: ret errno(EPERM)"
        echo "good: ret allow"
    } >"$T/chain.s"
    bpfproof asm "$T/chain.s" -o "$T/chain.bpf"
}

@test "a chain gets smaller, is proved equal, and says so" {
    chain
    bpfproof optimize "$T/chain.bpf" -o "$T/small.bpf" --stats 2>"$T/notes"
    grep -q 'PROVED' "$T/notes"
    bpfproof verify "$T/chain.bpf" --against "$T/small.bpf"
    [ "$(stat -c %s "$T/small.bpf")" -lt "$(stat -c %s "$T/chain.bpf")" ]
}

@test "--json has the figures before and after, and writes to --output only" {
    chain
    bpfproof optimize "$T/chain.bpf" -o "$T/small.bpf" --json >"$T/out.json"
    [ "$(json result <"$T/out.json")" = PROVED ]
    before=$(json before.instructions <"$T/out.json")
    after=$(json after.instructions <"$T/out.json")
    [ "$after" -lt "$before" ]
    [ $((after * 8)) -eq "$(stat -c %s "$T/small.bpf")" ]
    [ "$(json before.cached.x86_64 <"$T/out.json")" = "$(json after.cached.x86_64 <"$T/out.json")" ]
}

@test "what cannot be better stays as it is" {
    printf 'ret allow\n' | bpfproof asm - -o "$T/one.bpf"
    bpfproof optimize "$T/one.bpf" -o "$T/same.bpf" 2>/dev/null
    cmp "$T/one.bpf" "$T/same.bpf"
}

@test "no time to prove it: UNKNOWN, and nothing is written" {
    printf 'ld lo32(arg0)\ntax\nld lo32(arg1)\nmul x\njeq #77, yes, no\nyes: ret allow\nno: ret errno(1)\n' |
        bpfproof asm - -o "$T/odd.bpf"
    run bpfproof optimize "$T/odd.bpf" -o "$T/out.bpf" --timeout 0.000001
    [ "$status" -eq 3 ]
    grep -q UNKNOWN <<<"$output"
    [ ! -e "$T/out.bpf" ]
}

@test "a policy, a stack and a refused program are errors that say what to do" {
    chain
    printf 'policy p\nabi x86_64\ndefault allow\n' >"$T/p.policy"
    run bpfproof optimize "$T/p.policy" -o "$T/out.bpf"
    [ "$status" -eq 2 ]
    grep -q 'compile it' <<<"$output"
    run bpfproof optimize "$T/chain.bpf+$T/chain.bpf" -o "$T/out.bpf"
    [ "$status" -eq 2 ]
    grep -q 'stack' <<<"$output"
    printf '\x06\x00\x00\x00\x00\x00\xff' >"$T/torn.bpf"
    run bpfproof optimize "$T/torn.bpf" -o "$T/out.bpf"
    [ "$status" -eq 2 ]
    [ ! -e "$T/out.bpf" ]
}

@test "what is too involved to be made anew is kept as it is, and written" {
    {
        echo "ld lo32(arg0)"
        for _ in $(seq 60); do printf 'tax\nadd x\n'; done
        echo 'ret a'
    } | bpfproof asm - -o "$T/involved.bpf"
    run bpfproof optimize "$T/involved.bpf" -o "$T/out.bpf" --stats
    [ "$status" -eq 0 ]
    [[ $output == *"kept as it is"* && $output == *"too involved"* && $output != *"that counts"* ]]
    cmp "$T/involved.bpf" "$T/out.bpf"
    bpfproof optimize "$T/involved.bpf" --json | python3 -c '
import json, sys
o = json.load(sys.stdin)
assert o["kept_original"] and o["lower_bound"] is None and o["after"]["expected_cost"] is None, o'
}

@test "where the fastest program would be longer than the old one, a shorter one is found that is faster than the shortest" {
    {
        printf 'ld arch\njeq #0xc000003e, start, bad\nstart: ld nr\n'
        for nr in 13 38 51 52 64 86 133 167 208 210 293 325; do printf 'jeq #%d, ok, n%d\nn%d:\n' "$nr" "$nr" "$nr"; done
        printf 'ret kill_process\nok: ret allow\nbad: ret kill_process\n'
    } | bpfproof asm - -o "$T/chain.bpf"
    bpfproof optimize "$T/chain.bpf" -o "$T/a.bpf" --json >"$T/a.json"
    bpfproof optimize "$T/chain.bpf" -o "$T/b.bpf" -Os --json >"$T/b.json"
    python3 -c '
import json, sys
a, b = [json.load(open(path)) for path in sys.argv[1:]]
assert not a["kept_original"] and b["after"]["instructions"] < a["after"]["instructions"] <= a["before"]["instructions"], a
assert a["after"]["expected_cost"] < b["after"]["expected_cost"], (a, b)' "$T/a.json" "$T/b.json"
}

# Whether the result costs no more, by the price of docs/OPTIMIZER.md on kernels that remember, and by what --json says.
no_dearer() {
    python3 -c '
import json, sys
o = json.load(sys.stdin)
before, after = (p["instructions"] + 15 * (p["expected_cost"] + 3 * p["expected_jumps"])
                 for p in (o["before"], o["after"]))
print(before, after)
sys.exit(after > before + 1e-6)'
}

@test "what is as short and executes less, but takes more jumps, is not taken" {
    printf '%s\n' 'ld arch' 'jeq #0x40000003, next, good' 'next: ld nr' 'jeq #0x80, bad' \
        'jeq #0x81, bad' 'jeq #0x15e, bad, good' 'bad: ret errno(EPERM)' 'good: ret allow' |
        bpfproof asm - -o "$T/row.bpf"
    bpfproof optimize "$T/row.bpf" -o "$T/out.bpf" --json >"$T/row.json"
    no_dearer <"$T/row.json"
    cmp "$T/row.bpf" "$T/out.bpf"
    bpfproof optimize "$T/row.bpf" -o "$T/old.bpf" --kernel 5.4 --json >"$T/old.json"
    ! cmp "$T/row.bpf" "$T/old.bpf"
    python3 -c '
import json, sys
o = json.load(sys.stdin)
assert o["after"]["expected_cost"] < o["before"]["expected_cost"], o' <"$T/old.json"
}

@test "what costs the same is left alone" {
    for order in '158 41' '41 158'; do
        set -- $order
        printf '%s\n' 'ld arch' 'jeq #0xc000003e, next, bad' 'next: ld nr' "jeq #$1, bad" \
            "jeq #$2, bad, good" 'bad: ret errno(EPERM)' 'good: ret allow' |
            bpfproof asm - -o "$T/$1.bpf"
        run bpfproof optimize "$T/$1.bpf" -o "$T/out.bpf"
        grep -q 'kept as it is' <<<"$output"
        cmp "$T/$1.bpf" "$T/out.bpf"
    done
    ! cmp "$T/41.bpf" "$T/158.bpf"
}

@test "what was made here is not made worse" {
    for policy in tests/data/container-default.policy examples/*.policy; do
        echo "$policy"
        bpfproof compile "$policy" -o "$T/own.bpf" 2>/dev/null
        bpfproof optimize "$T/own.bpf" -o "$T/out.bpf" --json | no_dearer
    done
}
