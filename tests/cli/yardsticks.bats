load support

# Filters and profiles that others made, beside the repository where they are at hand.
shared() {
    [ -e "../shared/$1" ] || skip "no ../shared/$1 here"
    F=../shared/$1
}

peer() {
    shared bench/docker291.policy
    output=$(bpfproof verify "$F" --against "../shared/bench/peers/$1" --proof="$3" --json 2>/dev/null) || true
    [ "$(json result <<<"$output")" = "$2" ]
    if [ "$2" = REFUTED ]; then
        call=$(json counterexample.call <<<"$output")
        [ "$(bpfproof simulate "../shared/bench/peers/$1" "$call" --json 2>/dev/null | json calls.0.verdict)" = "$(json counterexample.right <<<"$output")" ]
        [ "$(json counterexample.left_word <<<"$output")" != "$(json counterexample.right_word <<<"$output")" ]
    fi
}

@test "peers that mean the same are PROVED, by both methods" {
    for method in partition whole; do
        peer docker291-libseccomp1.bpf PROVED $method
        peer docker291-libseccomp2.bpf PROVED $method
    done
    bpfproof verify ../shared/bench/peers/docker291-libseccomp1.bpf --against ../shared/bench/peers/docker291-libseccomp2.bpf
}

@test "peers that mean something else are REFUTED, each with a witness, by both methods" {
    for method in partition whole; do
        peer docker291-kafel.bpf REFUTED $method
        peer docker291-minijail.bpf REFUTED $method
        peer docker291-seccompiler.bpf REFUTED $method
    done
}

@test "three ABIs, a thousand instructions: PROVED, by both methods" {
    shared corpus/blobs/docker-crun.bpf
    for method in partition whole; do
        run bpfproof verify "$F" --against ../shared/corpus/blobs/docker-libseccomp-o2.bpf --proof=$method
        [ "$status" -eq 0 ]
    done
}

@test "every captured filter is accepted, disassembles and assembles to itself, and equals itself" {
    shared corpus/blobs
    for blob in "$F"/*.bpf; do
        bpfproof check "$blob"
        bpfproof disasm "$blob" | bpfproof asm - -o "$T/again.bpf"
        cmp "$blob" "$T/again.bpf"
    done
}

@test "a real profile: imported, compiled, proved" {
    shared corpus/policies/oci/moby-default.json
    bpfproof import oci "$F" -o "$T/d.policy"
    bpfproof compile "$T/d.policy" -o "$T/d.bpf" --stats --json >"$T/out.json"
    for key in proof arch_isolation width_safety; do [ "$(json $key <"$T/out.json")" = PROVED ]; done
    [ "$(json cached.x86_64 <"$T/out.json")" -gt 200 ]
    bpfproof check "$T/d.bpf"
}

# A figure of the object in $output is no larger than this.
at_most() {
    [ "$(json "$1" <<<"$output")" -le "$2" ] || { echo "$1: $(json "$1" <<<"$output"), wanted at most $2"; return 1; }
}

@test "the sizes that can be reached are reached: one ABI" {
    shared bench/docker291.policy
    output=$(bpfproof compile "$F" --kernel 5.4 --json -o "$T/a.bpf" 2>/dev/null)
    at_most instructions 54
    output=$(bpfproof compile "$F" --kernel 5.4 --json -o "$T/a.bpf" --profile ../shared/bench/docker291.profile 2>/dev/null)
    at_most instructions 56
    output=$(bpfproof compile "$F" --kernel 5.4 --json -o "$T/a.bpf" -Os 2>/dev/null)
    at_most instructions 50
}

@test "the sizes that can be reached are reached: three ABIs, and many arguments" {
    shared corpus/blobs/docker-libseccomp-o2.bpf
    output=$(bpfproof optimize "$F" --kernel 5.4 --json)
    at_most after.instructions 178
    python3 -c 'import json, sys; assert json.load(sys.stdin)["after"]["expected_of"]["x86_64"] <= 8.65' <<<"$output"
    output=$(bpfproof optimize "$F" --kernel 5.4 --json -Os)
    at_most after.instructions 160
    for pair in vmm:100 api:60 vcpu:68; do
        shared "bench/peers/firecracker-${pair%:*}-seccompiler.bpf"
        output=$(bpfproof optimize "$F" --json -Os)
        at_most after.instructions "${pair#*:}"
    done
}
