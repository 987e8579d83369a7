load support

installs() { "$BPFPROOF_BUILD/programs/installs" "$@"; }

# A deny list that forgets mknodat and what reads another process's memory.
deny_list() {
    cat >"$T/deny.s" <<'TEXT'
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_mknod, deny
jeq #__NR_ptrace, deny
jeq #__NR_personality, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
TEXT
    bpfproof asm "$T/deny.s" -o "$T/deny.bpf"
}

clean_list() {
    printf 'policy clean\nabi x86_64\nforeign kill_process\ndefault errno(EPERM)\nunknown errno(ENOSYS)\n%s\n' \
        'allow { read, write, exit_group }' >"$T/clean.policy"
    bpfproof compile "$T/clean.policy" -o "$T/clean.bpf" 2>/dev/null
}

# FILE KIND: a program of 4096 instructions, of one of the kinds below.
long_blob() {
    python3 - "$1" "$2" <<'PYTHON'
import random, struct, sys
random.seed(7)
ALLOW, EPERM = 0x7fff0000, 0x50001
def i(code, k=0, jt=0, jf=0): return struct.pack("<HBBI", code, jt, jf, k & 0xffffffff)
LD, JEQ, JGT, JSET, RET, TAX, DIVX, MULX, ADDX, XOR = 0x20, 0x15, 0x25, 0x45, 6, 7, 0x3c, 0x2c, 0x0c, 0xa4
argument = lambda: i(LD, 16 + 4 * random.randrange(12))
p = [i(LD, 4), i(JEQ, 0xc000003e, 1, 0), i(RET, 0x80000000), i(LD, 0)]
make = {
    "numbers": lambda n: [i(JEQ, n, 0, 1), i(RET, ALLOW if n % 3 else EPERM)],
    "arguments": lambda n: [argument(), i(random.choice([JEQ, JGT, JSET]), random.getrandbits(32), 0, 1),
                            i(RET, random.choice([ALLOW, EPERM]))],
    "arithmetic": lambda n: [argument(), random.choice([i(DIVX), i(MULX), i(ADDX), i(TAX)]), i(XOR, n), i(TAX)],
    "sums": lambda n: [argument(), i(JSET, 1 << n % 32, 0, 1), i(ADDX), i(TAX)],
}[sys.argv[2]]
n = 0
while len(p) + 4 <= 4093:
    p += make(n)
    n += 1
p += [i(LD, 16)] * (4093 - len(p)) + [i(JEQ, 12345, 0, 1), i(RET, ALLOW), i(RET, EPERM)]
assert len(p) == 4096
open(sys.argv[1], "wb").write(b"".join(p))
PYTHON
}

# Every witness in an answer, run by `simulate` as the call that is shown, gets the verdict that is shown.
replays() {
    python3 - "$BPFPROOF_BUILD/bpfproof" "$1" <<'PYTHON'
import json, subprocess, sys
program, answer = sys.argv[1], json.load(open(sys.argv[2]))
calls = {}
for finding in answer["findings"]:
    for shown in [finding["witness"]] + ([finding["other"]] if "other" in finding else []):
        calls.setdefault(finding["replayed_on"], []).append((shown, finding["class"]))
for filter, shown in calls.items():
    run = subprocess.run([program, "simulate", filter, "--json", "--"] + [s["call"] for s, _ in shown], capture_output=True)
    found = json.loads(run.stdout)["calls"]
    assert len(found) == len(shown), run.stderr
    for (wanted, number), got in zip(shown, found):
        assert got["verdict"] == wanted["verdict"], (filter, number, wanted, got)
PYTHON
}

@test "a filter with mistakes: each is told with its calls, a witness, the path, why, and the repair; exit status 1" {
    deny_list
    run bpfproof audit "$T/deny.bpf"
    [ "$status" -eq 1 ]
    [[ $output == *"deny.bpf: about x86_64"* ]]
    [[ $output == *"bypass: another call does what is denied (class 15, sibling)"* ]]
    [[ $output == *"found: mknod is denied, but mknodat is permitted"* ]]
    [[ $output == *"witness: x86_64:mknodat(0, NULL, 0, 0) gets allow"* ]]
    [[ $output == *"beside: x86_64:mknod(NULL, 0, 0) gets errno(EPERM)"* ]]
    [[ $output == *"decided at instruction 7 of"* ]]
    [[ $output == *"why: The kernel has more than one call for the same thing."* ]]
    [[ $output == *"repair: Give all calls of the family the same rule."* ]]
    [[ $output == *"of 29 classes asked, 0 not decided"* ]]
    # the worst first
    [ "$(grep -n '^bypass' <<<"$output" | tail -1 | cut -d: -f1)" -lt "$(grep -n '^fragile' <<<"$output" | head -1 | cut -d: -f1)" ]
}

@test "a clean filter: exit status 0, blob and policy" {
    clean_list
    run bpfproof audit "$T/clean.bpf"
    [ "$status" -eq 0 ]
    [[ $output == *"0 findings; 26 of 29 classes asked, 0 not decided"* ]]
    run bpfproof audit "$T/clean.policy"
    [ "$status" -eq 0 ]
}

@test "what cannot be read is exit status 2" {
    printf 'abcdefg\0' >"$T/odd.bpf"
    for wrong in "$T/none.bpf" "$T/odd.bpf"; do
        run bpfproof audit "$wrong"
        [ "$status" -eq 2 ] || [ "$status" -eq 1 ] # malformed, or refused by the kernel's rules
        [[ $output == *error* ]]
    done
    run bpfproof audit
    [ "$status" -eq 2 ]
}

@test "no findings and something not decided is exit status 3, and says so" {
    printf '%s\n' 'ld arch' 'jeq #AUDIT_ARCH_X86_64, ours, no' 'ours: ld nr' 'jeq #0, yes' 'jge #0x40000000, no' \
        'jeq #9, look, no' 'look: ld lo32(arg0)' 'tax' 'ld lo32(arg1)' 'mul x' 'jeq #77, yes, no' \
        'yes: ret allow' 'no: ret kill_process' | bpfproof asm - -o "$T/product.bpf"
    run bpfproof audit "$T/product.bpf" --timeout 0.000001
    [ "$status" -eq 3 ]
    [[ $output == *"UNKNOWN: another call does what is denied (class 15, sibling): "*"time limit"* ]]
    [[ $output == *"0 findings; "*" of 29 classes asked, 26 not decided"* ]]
    run bpfproof audit "$T/product.bpf" --timeout 0.000001 --json
    [ "$(json result <<<"$output")" = UNKNOWN ]
}

@test "--accept: by number and by id, in a list and by several options" {
    deny_list
    run bpfproof audit "$T/deny.bpf" --accept 15,fails-open --accept 3
    [ "$status" -eq 0 ]
    [[ $output == *"(class 15, sibling), accepted"* ]]
    [[ $output == *"(class 17, fails-open), accepted"* ]]
    [[ $output == *"accepted); 26 of 29"* ]]
    run bpfproof audit "$T/deny.bpf" --accept sibling
    [ "$status" -eq 1 ]
    run bpfproof audit "$T/deny.bpf" --accept fails-open
    [ "$status" -eq 1 ]
    run bpfproof audit "$T/deny.bpf" --accept 15,fails-open,x32-loopholes --json
    [ "$status" -eq 0 ]
    [ "$(json result <<<"$output")" = CLEAN ]
    [ "$(json findings.0.accepted <<<"$output")" = true ]
}

@test "--accept of a class that does not exist is a usage error" {
    deny_list
    for wrong in 30 0 nothing 15,nothing 15,,17 ''; do
        run bpfproof audit "$T/deny.bpf" --accept "$wrong"
        [ "$status" -eq 2 ]
        [[ $output == *"class"* ]]
    done
}

@test "--policy: what the filter permits beyond it, denies of it, and denials that are lost" {
    run bpfproof audit tests/audit/11-not-the-policy-bad.s --policy tests/audit/unix-sockets.policy
    [ "$status" -eq 1 ]
    [[ $output == *"(class 11, not-the-policy)"* ]]
    [[ $output == *"unix-sockets.policy says"* ]]
    run bpfproof audit tests/audit/26-lost-denial-bad.s --policy tests/audit/unix-sockets.policy
    [ "$status" -eq 1 ]
    [[ $output == *"(class 26, lost-denial)"* ]]
    [[ $output == *"28 of 29 classes asked"* ]]
    run bpfproof audit tests/audit/11-not-the-policy-good.s --policy tests/audit/unix-sockets.policy
    [[ $output != *"class 11"* && $output != *"class 26"* ]]
    run bpfproof audit tests/audit/11-not-the-policy-good.s --policy tests/audit/original.s
    [ "$status" -eq 2 ]
    [[ $output == *"--policy wants a policy"* ]]
}

@test "--against: the filter that it was made from" {
    run bpfproof audit tests/audit/12-changed-meaning-bad.s --against tests/audit/original.s
    [ "$status" -eq 1 ]
    [[ $output == *"(class 12, changed-meaning)"* ]]
    [[ $output == *"27 of 29 classes asked"* ]]
    run bpfproof audit tests/audit/12-changed-meaning-good.s --against tests/audit/original.s
    [[ $output != *"class 12"* ]]
}

@test "a stack is one filter: a program for each ABI leaves nothing open that one alone does" {
    printf '%s\n' 'ld arch' 'jeq #AUDIT_ARCH_I386, a, ok' 'a: ld nr' 'jeq #88, no' 'ok: ret allow' 'no: ret errno(EPERM)' |
        bpfproof asm - -o "$T/i386.bpf"
    printf '%s\n' 'ld arch' 'jeq #AUDIT_ARCH_X86_64, a, ok' 'a: ld nr' 'jge #0x40000000, no' 'jeq #169, no' \
        'ok: ret allow' 'no: ret errno(EPERM)' | bpfproof asm - -o "$T/x86_64.bpf"
    run bpfproof audit "$T/x86_64.bpf"
    [[ $output == *"(class 1, arch-unchecked)"* ]]
    folded=$(tr -s ' \n' ' ' <<<"$output")
    [[ $folded == *"This program permits all of i386: if another one of the same stack is about i386, audit them together"* ]]
    run bpfproof audit "$T/i386.bpf+$T/x86_64.bpf"
    [ "$status" -eq 1 ]
    [[ $output == *"about x86_64, i386"* ]]
    [[ $output != *bypass* ]]
    run bpfproof audit "$T/i386.bpf+$T/x86_64.bpf" --json
    echo "$output" >"$T/stack.json"
    replays "$T/stack.json"
}

@test "a policy file as FILTER is compiled, and asked about the ABIs that it declares" {
    bpfproof audit examples/static-web-server.policy >"$T/out"
    grep -q "static-web-server.policy: about x86_64" "$T/out"
    run bpfproof audit examples/strict.policy # whose denial is kill_thread, as the kernel's strict mode has it
    [ "$status" -eq 1 ]
    [[ $output == *"(class 25, kill-thread)"* ]]
}

@test "the examples' programs have no finding of severity bypass, and nothing is undecided" {
    count=0
    for policy in examples/*.policy; do
        bpfproof compile "$policy" -o "$T/example.bpf" 2>/dev/null
        for filter in "$policy" "$T/example.bpf"; do
            bpfproof audit "$filter" --json >"$T/out.json" || [ $? -eq 1 ]
            python3 - "$T/out.json" <<'PYTHON'
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["unknown"] == [], answer["unknown"]
assert [f["detail"] for f in answer["findings"] if f["severity"] == "bypass"] == []
PYTHON
        done
        count=$((count + 1))
    done
    [ "$count" -ge 8 ]
}

@test "--json: one object, its keys, and a witness that simulate replays" {
    deny_list
    run bpfproof audit "$T/deny.bpf" --json
    [ "$status" -eq 1 ]
    echo "$output" >"$T/out.json"
    python3 - "$T/out.json" <<'PYTHON'
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["result"] == "FINDINGS" and answer["abis"] == ["x86_64"] and answer["unknown"] == [], answer
assert answer["asked"] == 26
finding = answer["findings"][0]
assert (finding["class"], finding["id"], finding["severity"]) == (15, "sibling", "bypass"), finding
assert finding["calls"] == ["x86_64:mknodat"] and finding["verdict"] == "allow"
witness = finding["witness"]
assert witness["arch"] == "0xc000003e" and witness["nr"] == 259 and len(witness["args"]) == 6, witness
assert witness["word"] == "0x7fff0000" and finding["other"]["word"] == "0x50001", finding
for key in "title", "detail", "statement", "explanation", "fix", "replayed_on":
    assert finding[key], key
path = finding["path"][0]
assert path["decides"] and path["path"][-1] == {"instruction": 7, "text": "ret allow"}, path
PYTHON
    replays "$T/out.json"
}

@test "pid:N: what a running process is under" {
    grep -q Seccomp /proc/self/status || skip "this kernel has no seccomp filters"
    installs 1 2>/dev/null || skip "filters cannot be installed here"
    "$BPFPROOF_BUILD/programs/installs" 1 wait >"$T/ready" 3>&- & # no function: $! is to be the program itself
    waiting=$!
    for _ in $(seq 200); do grep -q ready "$T/ready" && break || sleep 0.05; done
    bpfproof dump --pid "$waiting" >/dev/null 2>"$T/why" || skip "the kernel does not show filters: $(grep error: "$T/why")"
    run bpfproof audit "pid:$waiting"
    echo "$output"
    [ "$status" -eq 0 ] # what it denies is no call of any kernel
    [[ $output == *"pid:$waiting: about "* ]]
    [[ $output == *"0 findings; 26 of 29 classes asked, 0 not decided"* ]]
}

# Also of a test that fails.
teardown() { [ -z "${waiting:-}" ] || kill -KILL "$waiting" 2>/dev/null || true; }

# Not a measurement: with --timeout 2 the command must not go on for a minute.
@test "4096 instructions: an answer within --timeout, and UNKNOWN where that was too short" {
    for kind in numbers arguments arithmetic sums; do
        long_blob "$T/long.bpf" "$kind"
        run timeout 60 "$BPFPROOF_BUILD/bpfproof" audit "$T/long.bpf" --timeout 2 --json
        [ "$status" -eq 1 ] || [ "$status" -eq 3 ]
        echo "$output" >"$T/out.json"
        replays "$T/out.json"
        python3 - "$T/out.json" "$status" <<'PYTHON'
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["findings"] or answer["unknown"]
assert (sys.argv[2] == "3") == (answer["findings"] == []), sys.argv[2]
assert all("internal" not in u["reason"] for u in answer["unknown"]), answer["unknown"]
PYTHON
    done
}

@test "real filters: nothing is undecided, and every witness replays" {
    [ -n "${BPFPROOF_CORPUS:-}" ] || skip "no BPFPROOF_CORPUS"
    for directory in ${BPFPROOF_CORPUS//:/ }; do
        for blob in "$directory"/*.bpf; do
            bpfproof audit "$blob" --json >"$T/out.json" || [ $? -eq 1 ]
            [ "$(json unknown <"$T/out.json")" = '[]' ]
            replays "$T/out.json"
        done
    done
}

@test "every class has its section in docs/AUDIT.md, with its id, severity and statement" {
    bpfproof audit tests/audit/01-arch-unchecked-bad.s --abi x86_64 --json >"$T/out.json" || [ $? -eq 1 ]
    for number in $(seq 29); do
        grep -q "^### $number\. " docs/AUDIT.md
    done
    # what the pairs give is what the document says
    grep -v '^#\|^class' tests/audit/pairs.tsv | while IFS=$'\t' read -r number bad good abi beside; do
        option=()
        [ "$beside" = - ] || option=("--${beside%%=*}" "tests/audit/${beside#*=}")
        bpfproof audit "tests/audit/$bad" --abi "$abi" "${option[@]}" --json >"$T/out.json" || [ $? -eq 1 ]
        python3 - "$T/out.json" "$number" <<'PYTHON'
import json, re, sys
number = int(sys.argv[2])
finding = next(f for f in json.load(open(sys.argv[1]))["findings"] if f["class"] == number)
text = open("docs/AUDIT.md").read()
section = re.search(r"^### %d\. .*?(?=^#)" % number, text, re.M | re.S).group(0)
plain = lambda words: re.sub(r"[\s`]+", " ", words)
for words in finding["title"], "`%s`" % finding["id"], finding["severity"], finding["statement"], finding["explanation"], finding["fix"]:
    assert plain(words) in plain(section), (number, words)
PYTHON
    done
}

@test "a filter that denies nothing is said to, and is not only clean" {
    printf 'ret allow\n' | bpfproof asm - -o "$T/all.bpf"
    run bpfproof audit "$T/all.bpf"
    [ "$status" -eq 0 ]
    [[ $output == *"denies no call of x86_64"* ]]
    [ "$(bpfproof audit "$T/all.bpf" --json | json denies_nothing_of)" = '["x86_64"]' ]
    printf 'ld nr\njeq #59, n, y\nn: ret errno(1)\ny: ret allow\n' | bpfproof asm - -o "$T/one.bpf"
    [ "$(bpfproof audit "$T/one.bpf" --json | json denies_nothing_of)" = '[]' ]
}
