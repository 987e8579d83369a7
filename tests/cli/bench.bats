load support

# Never a figure: only that each is there, positive and in order.

setup_bench() {
    cat >"$T/b.policy" <<'POLICY'
policy b
abi x86_64
foreign kill_process
default errno(EPERM)
allow { read, write, exit, exit_group, rt_sigreturn, close, getppid }
allow fcntl(cmd in { F_GETFD, F_GETFL })
errno(ENOSYS) { reboot, kexec_load }
kill_process { acct }
POLICY
    bpfproof compile "$T/b.policy" -O0 -o "$T/plain.bpf"
}

# What every object of one method must be, whatever the machine's speed.
sound() {
    python3 -c '
import json, sys
top = json.load(sys.stdin)
names = sys.argv[2].split(",")
assert top["method"] == sys.argv[1], top["method"]
for m in top["methods"]:
    assert m["control_ns"] > 0 and m["attempts"] in (1, 2, 3) and m["rounds"] >= 3
    assert m["aa_ns"] >= 0 and m["aa_limit_ns"] > 0 and m["noisy"] == (m["aa_ns"] > m["aa_limit_ns"])
    assert m["calls"]
    for call in m["calls"]:
        assert [f["name"] for f in call["filters"]] == names, call
        for f in call["filters"]:
            if "skipped" in f:
                continue
            assert f["min_ns"] <= f["p10_ns"] <= f["median_ns"] and f["p10_ns"] > 0, f
            assert f["min_ns"] > 0 or m["method"] == "alone" # less the p10 of an empty function
            assert f["instructions"] > 0
            assert m["method"] == "install" or isinstance(f["cached"], bool)
        first = call["filters"][0]
        assert "skipped" in first or abs(first["ratio"] - 1) < 1e-9
for f in top["filters"]:
    assert f["instructions"] > 0 and f["worst"] >= f["expected"] > 0 and f["cached"] > 0
    for m in top["methods"]:
        table = f[m["method"]]
        for mean in [table] if m["method"] == "install" else table.values():
            assert mean["calls"] >= 0 and (mean["calls"] == 0) == (mean["ns"] is None) == (mean["first_to_this"] is None)
assert [f["name"] for f in top["filters"]] == names
' "$1" "$2"
}

in_kernel() {
    bpfproof check "$T/plain.bpf" --install 2>&1 | grep -q 'running kernel: installed' || skip "no seccomp here"
    [ "$(uname -m)" = x86_64 ] || skip "the policy is for x86_64"
}

@test "whole calls in the kernel: each filter, each class of calls" {
    setup_bench
    in_kernel
    bpfproof bench "$T/b.policy" "$T/plain.bpf" --method kernel --seconds 0.3 --json 2>/dev/null >"$T/out.json"
    sound kernel b.policy,plain.bpf <"$T/out.json"
    for class in allowed checked 'checked and denied' denied 'outside the table'; do
        grep -q "\"class\": *\"$class\"" "$T/out.json"
    done
    ! grep -q '"skipped"' "$T/out.json"
}

@test "calls that a filter kills, and calls that would be done, are not made" {
    setup_bench
    in_kernel
    bpfproof bench "$T/b.policy" --call 'acct(0)' --call 'exit_group(3)' --call 'read(0)' --call 'reboot()' \
        --call 'i386:getpid()' --call 'fcntl(-1, F_GETFD)' --method kernel --seconds 0.3 --json 2>/dev/null >"$T/out.json"
    sound kernel b.policy <"$T/out.json"
    [ "$(json calls.0.filters.0.skipped <"$T/out.json")" = "the filter kills" ]
    [ "$(json calls.1.filters.0.skipped <"$T/out.json")" = "it would really be done" ]
    [ "$(json calls.2.filters.0.skipped <"$T/out.json")" = "it would really be done" ]
    [ "$(json calls.3.filters.0.verdict <"$T/out.json")" = "errno(ENOSYS)" ]
    [ "$(json calls.3.control_is_other_call <"$T/out.json")" = true ]
    json calls.3.filters.0.min_ns <"$T/out.json"
    json calls.4.filters.0.skipped <"$T/out.json"
    [ "$(json calls.5.control_is_other_call <"$T/out.json")" = false ]
    json calls.5.filters.0.min_ns <"$T/out.json"
    [ "$(json calls.5.filters.0.cached <"$T/out.json")" = false ]
}

@test "installation" {
    setup_bench
    in_kernel
    # Under b.policy nothing more can be installed; under this one it can.
    printf 'policy open\nabi x86_64\ndefault allow\nforeign kill_process\nerrno(EPERM) reboot\n' >"$T/open.policy"
    bpfproof bench "$T/b.policy" "$T/open.policy" "$T/open.policy+$T/open.policy" "$T/b.policy+$T/plain.bpf" \
        --method install --seconds 0.3 --json 2>/dev/null >"$T/out.json"
    python3 -c '
import json, sys
m = json.load(sys.stdin)
f = m["calls"][0]["filters"]
assert len(f) == 4 and all(0 < x["min_ns"] <= x["p10_ns"] <= x["median_ns"] for x in f[:3])
assert f[2]["instructions"] == 2 * f[1]["instructions"]
assert "does not install" in f[3]["skipped"]' <"$T/out.json"
}

@test "the program alone, or why not" {
    setup_bench
    run bpfproof bench "$T/b.policy" "$T/plain.bpf" --method alone --seconds 0.3
    if [ "$status" -eq 2 ]; then
        [[ $output == *"alone cannot be measured here"* ]]
        skip "no JIT images here"
    fi
    bpfproof bench "$T/b.policy" "$T/plain.bpf" --method alone --seconds 0.3 --json 2>/dev/null >"$T/out.json"
    sound alone b.policy,plain.bpf <"$T/out.json"
    grep -q shuffled "$T/out.json"
    json floor_ns <"$T/out.json"
    json geometric_means.1.ratio <"$T/out.json"
    bpfproof bench "$T/b.policy" -m alone -c 'acct(0)' -c 'read(0)' -S 0.1 --json 2>/dev/null >"$T/out.json"
    [ "$(json calls.2.call <"$T/out.json")" = "all, shuffled (2)" ]
    ! grep -q '"skipped": *"the filter' "$T/out.json"
}

# The table is what the single calls say: geometric means over those that both filters have times for.
@test "one line for each filter" {
    setup_bench
    in_kernel
    bpfproof bench "$T/b.policy" "$T/plain.bpf" --seconds 0.6 --json 2>/dev/null >"$T/out.json"
    python3 -c '
import json, math, os, sys
top = json.load(sys.stdin)
kinds = {"argument-checked and permitted": ["checked"], "argument-checked": ["checked", "checked and denied"],
         "denied": ["denied", "outside the table"],
         "both": ["checked", "checked and denied", "denied", "outside the table"]}
compared = 0
remembers = tuple(map(int, os.uname().release.split(".")[:2])) >= (5, 11)
for m in top["methods"]:
    if m["method"] == "install":
        first, other = [f["p10_ns"] for f in m["calls"][0]["filters"]]
        assert abs(top["filters"][1]["install"]["first_to_this"] * other / first - 1) < 1e-3
        continue
    for name, classes in kinds.items():
        runs = all if m["method"] == "alone" else any # which of the two the kernel has to run the call for
        pairs = [[f.get("p10_ns") for f in c["filters"]] for c in m["calls"]
                 if c["class"] in classes and "shuffled" not in c["call"] and
                 (not remembers or runs(not f.get("cached") for f in c["filters"]))]
        pairs = [p for p in pairs if None not in p]
        mean = top["filters"][1][m["method"]][name]
        assert mean["calls"] == len(pairs)
        if pairs:
            ratio = math.exp(sum(math.log(a / b) for a, b in pairs) / len(pairs))
            assert abs(mean["first_to_this"] / ratio - 1) < 0.02, (mean, ratio)
            compared += 1
assert compared >= 4' <"$T/out.json"
    bpfproof bench "$T/b.policy" "$T/plain.bpf" --seconds 0.3 2>/dev/null >"$T/out"
    grep -Eq '^filter +instructions expected jumps worst +pairs \|' "$T/out"
    grep -Eq '^b.policy +[0-9]+ .* 1\.00 .*1\.00$' "$T/out"
    grep -Eq '^plain.bpf +[0-9]+ ' "$T/out"
}

@test "calls that the kernel runs no filter for are no measure of the program alone" {
    setup_bench
    sed 's/^allow fcntl.*/allow { fcntl }\nallow dup(fildes == 1)/' "$T/b.policy" >"$T/a.policy"
    sed 's/^allow fcntl.*/&\nallow { dup }/' "$T/b.policy" >"$T/c.policy"
    bpfproof bench "$T/a.policy" "$T/c.policy" "$T/a.policy" -m alone -S 0.2 --json 2>/dev/null >"$T/out.json" || skip "no JIT images here"
    python3 -c '
import json, os, sys
if tuple(map(int, os.uname().release.split(".")[:2])) >= (5, 11):
    filters = json.load(sys.stdin)["filters"]
    calls = [f["alone"]["argument-checked"]["calls"] for f in filters] # fcntl is cached under one, dup under the other
    assert calls[0] > 0 and calls[1] == 0 and calls[2] == calls[0], calls
    assert filters[1]["alone"]["argument-checked"]["first_to_this"] is None
    assert filters[1]["alone"]["denied"]["calls"] > 0' <"$T/out.json"
}

@test "by default what is possible, as text; names tell the filters apart" {
    setup_bench
    in_kernel
    mkdir "$T/other"
    cp "$T/plain.bpf" "$T/other/plain.bpf"
    run bpfproof bench "$T/plain.bpf" "$T/other/plain.bpf" "$T/plain.bpf" --seconds 0.3
    [ "$status" -eq 0 ]
    [[ $output == *"kernel: "* ]]
    [[ $output == *"install: "* ]]
    [[ $output == *"the first filter from itself"* ]]
    [[ $output == *"$T/other/plain.bpf"* ]]
    [[ $output == *"$T/plain.bpf#2"* ]]
}

@test "the expected path is the cost model's, for every filter alike; a stack is called by its ends" {
    setup_bench
    in_kernel
    # Allows nearly everything for certain, so that the calls that count are few: most of the plain mean is not in it.
    printf 'policy w\nabi x86_64\ndefault allow\nforeign kill_process\nerrno(EPERM) { reboot, acct }\n' >"$T/w.policy"
    bpfproof compile "$T/w.policy" -O0 -o "$T/w.bpf"
    cp "$T/plain.bpf" "$T/middle.bpf"
    mkdir "$T/three"
    for i in 1 2 3; do cp "$T/w.bpf" "$T/three/$i.bpf"; done
    bpfproof bench "$T/w.bpf" "$T/w.bpf+$T/w.bpf" "$T/w.bpf+$T/middle.bpf+$T/plain.bpf" "$T/three" "$T/plain.bpf" \
        --method install --seconds 0.2 --json 2>/dev/null >"$T/out.json"
    names=$(python3 -c 'import json, sys; print(*(f["name"] for f in json.load(sys.stdin)["filters"]), sep=";")' <"$T/out.json")
    [ "$names" = "w.bpf;w.bpf+w.bpf (2 filters);w.bpf+...+plain.bpf (3 filters);three (3 filters);plain.bpf" ]
    kernel=$(uname -r | sed 's/^\([0-9]*\.[0-9]*\).*/\1/')
    for filter in 0:w 4:plain; do
        bpfproof optimize "$T/${filter#*:}.bpf" --kernel "$kernel" --json >"$T/own.json" 2>/dev/null
        [ "$(json "filters.${filter%:*}.expected_cost" <"$T/out.json")" = "$(json before.expected_cost <"$T/own.json")" ]
        [ "$(json before.expected_cost <"$T/own.json")" != "$(json before.expected <"$T/own.json")" ]
        [ "$(json "filters.${filter%:*}.expected_jumps" <"$T/out.json")" = "$(json before.expected_jumps <"$T/own.json")" ]
    done
    python3 -c '
import json, sys
costs = [f["expected_cost"] for f in json.load(sys.stdin)["filters"]]
assert abs(costs[1] - 2 * costs[0]) < 1e-6 and abs(costs[3] - 3 * costs[0]) < 1e-6, costs' <"$T/out.json"
    python3 -c '
import json, sys
jumps = [f["expected_jumps"] for f in json.load(sys.stdin)["filters"]]
assert jumps[0] > 0 and abs(jumps[1] - 2 * jumps[0]) < 1e-6, jumps' <"$T/out.json"
    bpfproof bench "$T/w.bpf" --method install --seconds 0.1 2>/dev/null >"$T/out"
    grep -q "^w.bpf .* $(printf %.2f "$(json filters.0.expected_cost <"$T/out.json")") .*$(printf %.2f "$(json filters.0.expected_jumps <"$T/out.json")") " "$T/out"
    grep -q 'expected: instructions executed per call that counts' "$T/out"
}

# From /proc: ps may not be installed.
children_of() {
    for status in /proc/[0-9]*/status; do
        awk -v parent="$1" '/^Pid:/ { pid = $2 } /^PPid:/ && $2 == parent { print pid }' "$status" 2>/dev/null || true
    done
}

alive() {
    [ -e "/proc/$1/status" ] && ! grep -q '^State:.*zombie' "/proc/$1/status" 2>/dev/null
}

@test "nothing is left running, also when bench is killed" {
    setup_bench
    in_kernel
    "$BPFPROOF_BUILD/bpfproof" bench "$T/b.policy" --method kernel --seconds 20 >"$T/out" 2>&1 3>&- &
    bench=$!
    children=
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        sleep 0.2
        children=$(children_of $bench)
        [ "$(echo $children | wc -w)" -ge 3 ] && break
    done
    [ -n "$children" ]
    kill -9 $bench
    wait $bench || true
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        left=
        for child in $children; do
            ! alive "$child" || left="$left $child"
        done
        [ -z "$left" ] && break
        sleep 0.2
    done
    [ -z "$left" ] || kill -9 $left
    [ -z "$left" ]
}

@test "wrong usage" {
    setup_bench
    for options in '' '--method fast' '--seconds 0' '--seconds x' '--same -1' "--call nosuchcall()"; do
        if [ -n "$options" ]; then
            run bpfproof bench "$T/b.policy" $options
        else
            run bpfproof bench
        fi
        [ "$status" -eq 2 ]
    done
    run bpfproof bench "$T/none.policy"
    [ "$status" -eq 2 ]
    printf 'policy s\nabi s390x\ndefault errno(EPERM)\nallow read\n' >"$T/s.policy"
    run bpfproof bench "$T/s.policy"
    [ "$status" -eq 2 ]
    [[ $output == *"other byte order"* ]]
}
