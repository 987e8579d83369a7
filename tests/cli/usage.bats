load support

# Wrong usage with --json: exit 2, and one object that says what was said on standard error.
refused() { # what is said, arguments...
    said=$1
    shift
    status=0
    "$BPFPROOF_BUILD/bpfproof" "$@" >"$T/out.json" 2>"$T/notes" || status=$?
    echo "$*: status $status, $(cat "$T/out.json")"
    [ "$status" -eq 2 ]
    [ "$(json result <"$T/out.json")" = ERROR ]
    [ "$(json diagnostics.0.severity <"$T/out.json")" = error ]
    [[ $(json diagnostics.0.message <"$T/out.json") == *"$said"* ]]
    grep -qF -- "$said" "$T/notes"
}

@test "with --json, wrong values and missing arguments are an object" {
    refused "A B is missing" diff x --json
    refused "BLOB is missing" optimize --json
    refused "FILTER... is missing" merge -j
    refused "is missing" compile --js
    refused "too many arguments: y" compile x y -sj
    refused "--pid=abc: the number of a process is needed" dump --pid abc --json
    refused "--timeout=x: a number of seconds" optimize --timeout x F --json
    refused "--abi=nosuch: no such ABI" diff --abi nosuch A B --json
    refused "the levels are" compile -O9 x --json
}

@test "with --json, what the reader of options refuses is an object" {
    refused "--nosuch is no option of this command" compile --nosuch x --json
    refused "--nosuch=3 is no option of this command" compile --json --nosuch=3 x
    refused "--against is no option of this command" compile --json --against x
    refused "--a is the beginning of more than one option" compile --json x --a
    refused "--output needs a value" compile x --json --output
    refused "-o needs a value" compile x -j -o
    refused "--json=3 takes no value" compile x --json=3
    refused "-Zj is no option of this command" compile -Zj x
    refused "-jZ is no option of this command" compile x -jZ
}

@test "with --json, an unknown command is an object" {
    refused "no command \`compil\`; did you mean \`compile\`?" compil x --json
    refused "no command \`frobnicate\`" frobnicate -j
    refused "no command \`--json\`" --json
}

@test "without --json, and for help, standard output is as it was" {
    for arguments in 'diff x' 'compile --nosuch x' 'compile x -o' 'nosuch' 'run x -- --json'; do
        "$BPFPROOF_BUILD/bpfproof" $arguments >"$T/out" 2>"$T/notes" && false
        [ ! -s "$T/out" ]
        [ -s "$T/notes" ]
    done
    bpfproof compile --json --help | grep -q '^Usage: bpfproof compile'
    bpfproof compile --json -? | grep -q '^Usage: bpfproof compile'
    bpfproof compile "$T/small.policy" --json | json result | grep -qx PROVED
}
