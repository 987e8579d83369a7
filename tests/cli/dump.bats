load support

installs() { "$BPFPROOF_BUILD/programs/installs" "$@"; }

# Filters can be installed, and processes traced: not in every container.
needs_tracing() {
    grep -q Seccomp /proc/self/status || skip "this kernel has no seccomp filters"
    [ -x "$BPFPROOF_BUILD/programs/installs" ] # built by the Makefile
    installs 1 2>/dev/null || skip "filters cannot be installed here"
    bpfproof dump -- true 2>"$T/why" || skip "processes cannot be traced here: $(grep error: "$T/why")"
}

# The kernel shows filters only to CAP_SYS_ADMIN, with CONFIG_CHECKPOINT_RESTORE.
needs_kernel_to_show() {
    needs_tracing
    start_waiting 1
    bpfproof dump --pid "$waiting" >/dev/null 2>"$T/why" || skip "$(grep error: "$T/why")"
    stop_waiting
}

# Runs `installs WORD... wait` in the background until it has installed all; $waiting is its process.
start_waiting() {
    rm -f "$T/ready"
    "$BPFPROOF_BUILD/programs/installs" "$@" wait >"$T/ready" 3>&- &
    waiting=$!
    await "grep -q ready $T/ready"
}

stop_waiting() {
    kill -KILL "$waiting"
    wait "$waiting" || true
}

await() {
    for _ in $(seq 200); do
        if eval "$1"; then return 0; fi
        sleep 0.05
    done
    echo "never: $1"
    return 1
}

teardown() { [ -z "${waiting:-}" ] || kill -KILL "$waiting" 2>/dev/null || true; }

# The program of tests/programs/installs.c for a number.
expected() {
    printf 'ld nr\njeq #%d, no, yes\nno: ret errno(%d)\nyes: ret allow\n' $((9000 + $1)) "$1" | bpfproof asm - -o -
}

# A directory is exactly this stack, oldest first.
is_stack() {
    local directory=$1 file
    shift
    [ "$(ls "$directory" | grep -c bpf)" -eq $# ]
    for file in $(ls "$directory" | grep bpf | sort -V); do
        expected "$1" | cmp - "$directory/$file"
        shift
    done
}

@test "dump --pid gives back the bytes of a stack of three, and does not leave the process stopped" {
    needs_kernel_to_show
    start_waiting 1 2 3
    bpfproof dump --pid "$waiting" -o "$T/out" >"$T/listing"
    grep -q "stack-1, oldest first: filter-1 filter-2 filter-3" "$T/listing"
    grep -q "process $waiting (installs), threads $waiting" "$T/listing"
    is_stack "$T/out" 1 2 3
    grep -q '^State:.S' "/proc/$waiting/status"
    grep -q '^TracerPid:.0' "/proc/$waiting/status"
}

@test "dump --pid: threads of one stack are one row, threads without a filter another" {
    needs_kernel_to_show
    start_waiting beside beside 4
    bpfproof dump --pid "$waiting" --json >"$T/out.json"
    python3 - "$T/out.json" "$waiting" <<'PYTHON'
import json, sys
found, process = json.load(open(sys.argv[1])), int(sys.argv[2])
assert [f["instructions"] for f in found["filters"]] == [4]
assert found["filters"][0]["program"][1]["k"] == 9004
by_count = {len(s["filters"]): [t["thread"] for t in s["threads"]] for s in found["stacks"]}
assert by_count[1] == [process] and len(by_count[0]) == 2, by_count
PYTHON
    stop_waiting
    start_waiting beside beside tsync 4
    run bpfproof dump --pid "$waiting"
    [[ $output == *"stack-1, oldest first: filter-1"* ]]
    [[ $output != *"without a filter"* ]]
    [ "$(grep -o "threads.*" <<<"$output" | wc -w)" -eq 4 ]
}

@test "a stopped process stays stopped, and one without filters is not touched" {
    needs_kernel_to_show
    start_waiting 1
    kill -STOP "$waiting"
    await "grep -q '^State:.T' /proc/$waiting/status"
    bpfproof dump --pid "$waiting"
    sleep 0.1
    grep -q '^State:.T' "/proc/$waiting/status"
    kill -CONT "$waiting"
    await "grep -q '^State:.S' /proc/$waiting/status"
    stop_waiting
    start_waiting beside
    run bpfproof dump --pid "$waiting"
    [ "$status" -eq 0 ]
    [[ $output == *"no filters"* ]]
}

@test "a thread that cannot be stopped is an error after a time, and is let go" {
    needs_kernel_to_show
    start_waiting 1 hang
    child=$(pgrep -P "$waiting")
    run bpfproof dump --pid "$waiting" --timeout 0.5
    [ "$status" -eq 3 ]
    [[ $output == *"could not be stopped in time"* ]]
    grep -q '^TracerPid:.0' "/proc/$waiting/status"
    run bpfproof disasm "pid:$waiting" --timeout 0.5
    [ "$status" -eq 3 ]
    # and once it could be stopped it goes on instead, to the words behind: the sleep of `wait`
    kill -KILL "$child"
    await "grep -q '^State:.S' /proc/$waiting/status"
    bpfproof dump --pid "$waiting"
}

@test "pid:N is a FILTER of every kind of command" {
    needs_kernel_to_show
    start_waiting 1 2 3
    for number in 1 2 3; do expected $number >"$T/$number.bpf"; done
    bpfproof verify "pid:$waiting" --against "$T/1.bpf+$T/2.bpf+$T/3.bpf"
    run bpfproof verify "$T/1.bpf+$T/2.bpf" --against "pid:$waiting"
    [ "$status" -eq 1 ]
    bpfproof verify "pid:$waiting" --at-most --against "$T/2.bpf"
    run bpfproof verify "$T/2.bpf" --at-most --against "pid:$waiting"
    [ "$status" -eq 1 ]
    printf 'prove always allow read\n' >"$T/rules"
    bpfproof verify "pid:$waiting" --assert "$T/rules"
    printf 'prove never permit read\n' >"$T/rules"
    run bpfproof verify "pid:$waiting" --assert "$T/rules"
    [ "$status" -eq 1 ]
    run bpfproof explain "pid:$waiting" 'x86_64:nr(9002)'
    [[ $output == *"decided by filter 2 of 3: pid:$waiting#2"* ]]
    run bpfproof disasm "pid:$waiting"
    [ "$status" -eq 0 ]
    [ "$(grep -c '^; filter . of 3: pid:' <<<"$output")" -eq 3 ]
    run bpfproof simulate "pid:$waiting" 'x86_64:nr(9002)' 'x86_64:nr(9004)' --json
    [ "$(json calls.0.word <<<"$output")" = 0x50002 ]
    [ "$(json calls.1.word <<<"$output")" = 0x7fff0000 ]
    run bpfproof check "pid:$waiting+$T/1.bpf"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 4 ]
    run bpfproof disasm "pid:$waiting/$waiting"
    [ "$status" -eq 0 ]
    grep -q '^State:.S' "/proc/$waiting/status"
}

@test "pid:N says what is wrong" {
    for name in pid: pid:x pid:0 pid:1/ pid:1/0 pid:1/2/3 pid:-1 pid:99999999999999999999999; do
        run bpfproof disasm "$name"
        [ "$status" -eq 2 ]
        [[ $output == *"$name: a process is pid:N"* ]]
    done
    run bpfproof disasm pid:999999999
    [ "$status" -eq 2 ]
    [[ $output == *"there is no process 999999999"* ]]
    run bpfproof disasm "pid:$$/999999999"
    [[ $output == *"has no thread 999999999"* ]]
    (cd "$T" && : >pid:999999999 && ! "$BPFPROOF_BUILD/bpfproof" disasm pid:999999999 2>err && grep -q "no process" err)
    needs_kernel_to_show
    start_waiting beside 1
    run bpfproof disasm "pid:$waiting"
    [ "$status" -eq 2 ]
    [[ $output == *"different filters"*"pid:$waiting/THREAD"*"under 1 filter: $waiting"*"under 0 filters: "* ]]
    run bpfproof disasm "pid:$waiting/$waiting"
    [ "$status" -eq 0 ]
    stop_waiting
    start_waiting
    run bpfproof disasm "pid:$waiting"
    [ "$status" -eq 2 ]
    [[ $output == *"has no seccomp filter"* ]]
}

@test "a policy or an assertion cannot make us trace a process" {
    expected 1 >"$T/1.bpf"
    (cd "$T" && echo 'prove at_most "pid:1"' >rules && ! "$BPFPROOF_BUILD/bpfproof" verify 1.bpf --assert rules 2>err)
    grep -q "a policy cannot name a process" "$T/err"
}

@test "who may not see the filters of a process is told so, and what a filtered bpfproof cannot do" {
    needs_tracing
    start_waiting 1
    if [ "$(id -u)" -ne 0 ]; then
        run bpfproof dump --pid "$waiting"
        [ "$status" -eq 2 ]
        [[ $output == *CAP_SYS_ADMIN* ]]
    fi
    expected 2 >"$T/2.bpf"
    run bpfproof run "$T/2.bpf" -- "$BPFPROOF_BUILD/bpfproof" dump --pid "$waiting"
    [ "$status" -eq 2 ]
    [[ $output == *"itself runs under a seccomp filter"* ]]
    run bpfproof run "$T/2.bpf" -- "$BPFPROOF_BUILD/bpfproof" dump -- "$BPFPROOF_BUILD/programs/installs" 3
    [ "$status" -eq 0 ]
    [[ $output == *"they are not shown"* ]]
    [[ $output == *"filter-1: 4 instructions"* ]]
    [[ $output != *"filter-2"* ]]
}

# Everything at once; runs as root and as a user, and must say the same.
watch_all() {
    "$@" dump -o "$T/out" --json -- "$BPFPROOF_BUILD/programs/installs" log 1 fork 2 3 end vfork prctl 4 end \
        fork beside thread tsync 5 end bad 6 end >"$T/out.json"
    python3 - "$T/out.json" <<'PYTHON'
import json, sys
found = json.load(open(sys.argv[1]))
numbers = [f["program"][1]["k"] - 9000 for f in found["filters"]]
assert numbers == [1, 2, 3, 4, 5, 6], numbers
rows = [(i["filter"], i["place"], i["flags"], i["call"]) for i in found["installations"]]
assert rows == [(1, 0, "LOG", "seccomp"), (2, 1, "", "seccomp"), (3, 2, "", "seccomp"), (4, 1, "", "prctl"),
                (5, 1, "TSYNC", "seccomp"), (6, 2, "", "seccomp")], rows
processes = {i["filter"]: i["process"] for i in found["installations"]}
assert processes[2] == processes[3] != processes[1] and processes[5] == processes[6] != processes[4]
stacks = sorted(s["filters"] for s in found["stacks"])
assert stacks == [[1], [1, 2, 3], [1, 4], [1, 5], [1, 5, 6]], stacks
of_tsync = [s for s in found["stacks"] if s["filters"] == [1, 5]][0]["threads"]
assert len(of_tsync) == 2 and {t["process"] for t in of_tsync} == {processes[5]}, of_tsync
assert found["status"] == 0 and found["ended"] is True
PYTHON
    for number in 1 2 3 4 5 6; do expected $number | cmp - "$T/out/filter-$number.bpf"; done
    python3 - "$T" <<'PYTHON' >"$T/order"
import json, sys
for number, stack in enumerate(json.load(open(sys.argv[1] + "/out.json"))["stacks"], 1):
    print("stack-%d" % number, *stack["filters"])
PYTHON
    while read -r directory numbers; do is_stack "$T/out/$directory" $numbers; done <"$T/order"
}

@test "dump -- CMD gives each filter, through forks, vforks, execs and threads" {
    needs_tracing
    watch_all bpfproof
}

@test "dump -- CMD without privileges" {
    needs_tracing
    [ "$(id -u)" -eq 0 ] || skip "this is a user already"
    command -v setpriv >/dev/null || skip "no setpriv"
    user="setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all"
    $user test -x "$BPFPROOF_BUILD/bpfproof" || skip "a user cannot reach the program"
    # the directory of the test is root's alone
    open=$(mktemp -d)
    chmod 0777 "$open"
    (T=$open && watch_all $user "$BPFPROOF_BUILD/bpfproof")
    rm -r "$open"
}

@test "dump -- CMD: i386's entry from a 64-bit task" {
    [ "$(uname -m)" = x86_64 ] || skip "this machine is no x86_64"
    needs_tracing
    installs int80 7 2>/dev/null || skip "no int 0x80"
    bpfproof dump -o "$T/out" -- "$BPFPROOF_BUILD/programs/installs" int80 7 >"$T/listing"
    grep -q "with i386:seccomp" "$T/listing"
    is_stack "$T/out" 7
}

@test "dump -- CMD: one stack is a directory that is a FILTER, a filter twice in it has its own" {
    needs_tracing
    bpfproof dump -o "$T/one" -- "$BPFPROOF_BUILD/programs/installs" 1 2 fork exec end >/dev/null
    [ "$(ls "$T/one")" = "$(printf 'filter-1.bpf\nfilter-2.bpf')" ]
    expected 1 >"$T/1.bpf"
    expected 2 >"$T/2.bpf"
    bpfproof verify "$T/one" --against "$T/1.bpf+$T/2.bpf"
    bpfproof dump -o "$T/twice" -f c -- "$BPFPROOF_BUILD/programs/installs" 1 1 2 1 >/dev/null
    [ "$(ls "$T/twice")" = "$(printf 'filter-1.c\nfilter-2.c\nstack-1')" ]
    [ "$(bpfproof disasm "$T/twice/stack-1" | grep -c '^; filter . of 4')" -eq 4 ]
    bpfproof verify "$T/twice/stack-1" --against "$T/one"
    run bpfproof check "$T/twice"
    [ "$status" -eq 2 ]
    [[ $output == *"stack-1 is a directory inside of a directory"* ]]
}

@test "the end of the command is told, and its signals are handed on" {
    needs_tracing
    run bpfproof dump -- sh -c 'exit 7'
    [ "$status" -eq 0 ]
    [[ $output == *"sh exited with status 7"* ]]
    [[ $output == *"no filters"* ]]
    run bpfproof dump -- "$BPFPROOF_BUILD/programs/installs" 1 kill
    [ "$status" -eq 0 ]
    [[ $output == *"signal 9"* ]]
    [[ $output == *"filter-1: 4 instructions"* ]]
    run bpfproof dump -- "$T/nonexistent"
    [ "$status" -eq 2 ]
    [[ $output == *"cannot execute"* ]]
    "$BPFPROOF_BUILD/bpfproof" dump -- "$BPFPROOF_BUILD/programs/installs" 1 wait >"$T/ready" 2>"$T/err" 3>&- &
    waiting=$!
    await "grep -q ready $T/ready"
    kill -TERM "$waiting"
    wait "$waiting"
    grep -q "was ended by signal 15" "$T/err"
    grep -q "filter-1: 4 instructions" "$T/ready"
}

@test "a command that is let go, or whose watcher is killed, goes on" {
    needs_tracing
    "$BPFPROOF_BUILD/bpfproof" dump --timeout 1 -- "$BPFPROOF_BUILD/programs/installs" 1 beside wait >"$T/ready" 2>"$T/err" 3>&-
    waiting=$(sed -n 's/.*process \([0-9]*\) .*threads.*/\1/p' "$T/ready" | head -1)
    grep -q "was let go" "$T/err"
    grep -q "filter-1: 4 instructions" "$T/ready"
    grep -q '^State:.S' "/proc/$waiting/status"
    grep -q '^TracerPid:.0' "/proc/$waiting/status"
    kill -KILL "$waiting"
    # a command that does nothing but calls, so that it mostly is in a stop
    "$BPFPROOF_BUILD/bpfproof" dump -- sh -c "echo \$\$ >$T/pid; while :; do echo >$T/alive; done" 3>&- &
    watcher=$!
    await "[ -s $T/pid ]"
    kill -KILL "$watcher"
    wait "$watcher" || true
    waiting=$(cat "$T/pid")
    await "grep -q '^TracerPid:.0' /proc/$waiting/status"
    rm -f "$T/alive"
    await "[ -e $T/alive ]"
    grep -q '^State:.[RSD]' "/proc/$waiting/status"
}

@test "dump writes all or nothing, and not over what is there" {
    needs_tracing
    mkdir "$T/full" "$T/void"
    : >"$T/full/x"
    run bpfproof dump -o "$T/full" -- touch "$T/was-run"
    [ "$status" -eq 2 ]
    [[ $output == *"is not empty"* ]]
    [ ! -e "$T/was-run" ]
    bpfproof dump -o "$T/void/" -- "$BPFPROOF_BUILD/programs/installs" 1 >/dev/null
    is_stack "$T/void" 1
    run bpfproof dump -o "$T/none/out" -- "$BPFPROOF_BUILD/programs/installs" 1
    [ "$status" -eq 2 ]
    ! ls -d "$T"/*.?????? 2>/dev/null
    for words in "" "--pid 1 -- true" "-o - -- true" "-f bin -- true" "--pid 0" "--pid x" "--pid 99999999999"; do
        run bpfproof dump $words
        [ "$status" -eq 2 ]
    done
    run bpfproof dump -f asm -- "$BPFPROOF_BUILD/programs/installs" 5
    [[ $output == *"jeq #0x232d"* ]]
}

@test "many processes at once, and threads that end while they are watched" {
    needs_tracing
    bpfproof dump --json -- sh -c "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
        $BPFPROOF_BUILD/programs/installs \$i thread 20 end fork 21 kill end & done; wait" >"$T/out.json"
    python3 - "$T/out.json" <<'PYTHON'
import json, sys
found = json.load(open(sys.argv[1]))
counts = [len(found[key]) for key in ("filters", "installations", "stacks")]
assert counts == [14, 36, 36], counts
PYTHON
}
