"""Hostile blobs through every command that takes a blob; see hostile.bats.

    tests/cli/hostile.py table BPFPROOF WORK     the table of blobs below, by the commands that `bpfproof --help` lists
    tests/cli/hostile.py opcodes BPFPROOF WORK   the first 4096 opcodes through check, as one directory (all of them:
                                                 tests/unit/bpf/opcodes_test.c)
Prints what is wrong and exits 1, or a line that says how much was right.
"""
import json
import os
import random
import struct
import subprocess
import sys

ALLOW = (0x06, 0, 0, 0x7FFF0000)
LOAD_NR = (0x20, 0, 0, 0)
WALL_CLOCK = 60  # seconds; --timeout is 5

# What a word of a command's usage stands for. A command with another word in its usage needs a row here.
WORDS = {"FILTER": ["@"], "BLOB": ["@"], "A": ["@"], "B": ["@"], "FILTER...": ["@", "@"], "BLOB...": ["@", "@"],
         "CALL": ["read(0)"], "[CALL...]": ["read(0)"], "CMD": ["true"], "--": ["--"]}
# What a command needs besides, to ask something.
MORE = {"verify": ["--against", "GOOD"], "bench": ["--method", "kernel", "--seconds", "0.05"]}
# Commands that answer with more than an error to a program that the kernel refuses: exit status.
REFUSED = {"check": 1, "disasm": 0}
TAKES_A_BLOB = {"FILTER", "BLOB", "A", "FILTER...", "BLOB..."}


def raw(*code):
    return b"".join(struct.pack("<HBBI", *one) for one in code)


def long_program(length):
    """Tests that all lead on, so that every command has all of it to look at."""
    tests = [(0x15, 0, 0, 1000 + i) for i in range(length - 2)]
    return raw(LOAD_NR, *tests, ALLOW)


def blobs(good):
    """name: (expectation, bytes). malformed: no blob; a rule's name: the kernel refuses it; accepted; any."""
    rng = random.Random(11)
    table = {"empty": ("malformed", b""), "json-none": ("malformed", b"[]"), "decimal-none": ("malformed", b"0\n"),
             "decimal-short": ("malformed", b"2\n6 0 0 0\n"), "c-none": ("malformed", b"{ 0x06, 0, 0 }"),
             "json-deep": ("malformed", b"[" * 100000), "json-large": ("malformed", b'[{"code":6,"jt":256,"jf":0,"k":0}]'),
             "asm-none": ("malformed", b"ret nothing\n"), "policy-broken": ("malformed", b"policy (((\n"),
             "4096": ("accepted", long_program(4096)), "4097": ("length", long_program(4097)),
             "65536": ("length", long_program(65536)), "65537": ("malformed", long_program(65537)),
             "opcode": ("opcode", raw(LOAD_NR, (0xFFFF, 0, 0, 0), ALLOW)),
             "opcode-high": ("opcode", raw(LOAD_NR, (0x0106, 0, 0, 0), ALLOW)),
             "divide": ("divide", raw(LOAD_NR, (0x34, 0, 0, 0), ALLOW)),
             "shift": ("shift", raw(LOAD_NR, (0x64, 0, 0, 32), ALLOW)),
             "slot": ("memory_slot", raw(LOAD_NR, (0x02, 0, 0, 16), ALLOW)),
             "slot-far": ("memory_slot", raw((0x60, 0, 0, 0xFFFFFFFF), ALLOW)),
             "ja": ("jump", raw(LOAD_NR, (0x05, 0, 0, 1), ALLOW)),
             "ja-far": ("jump", raw(LOAD_NR, (0x05, 0, 0, 0xFFFFFFFF), ALLOW)),
             "ja-wrap": ("jump", raw(LOAD_NR, (0x05, 0, 0, 0xFFFFFFFE), ALLOW)),
             "jt": ("jump", raw(LOAD_NR, (0x15, 255, 0, 0), ALLOW)), "jf": ("jump", raw(LOAD_NR, (0x1D, 0, 1, 0), ALLOW)),
             "last": ("last", raw(LOAD_NR)), "last-jump": ("jump", raw(LOAD_NR, (0x05, 0, 0, 0))),
             "unset": ("memory_unset", raw((0x60, 0, 0, 3), ALLOW)),
             "unset-on-a-path": ("memory_unset", raw(LOAD_NR, (0x15, 0, 1, 0), (0x02, 0, 0, 0), (0x61, 0, 0, 0), ALLOW)),
             "offset": ("load_offset", raw((0x20, 0, 0, 64), ALLOW)), "offset-odd": ("load_offset", raw((0x20, 0, 0, 2), ALLOW)),
             "offset-far": ("load_offset", raw((0x20, 0, 0, 0xFFFFF000), ALLOW)),
             "half": ("not_seccomp", raw((0x28, 0, 0, 0), ALLOW)), "mod": ("not_seccomp", raw(LOAD_NR, (0x94, 0, 0, 3), ALLOW)),
             "unset-c": ("memory_unset", b"{ 0x60, 0, 0, 3 }, { 0x06, 0, 0, 0x7fff0000 }"),
             "jump-json": ("jump", b"[[32,0,0,0],[5,0,0,9],[6,0,0,2147418112]]"),
             "offset-decimal": ("load_offset", b"2\n32 0 0 64\n6 0 0 2147418112\n")}
    for cut in range(1, 8):
        table["cut-%d" % cut] = ("malformed", good[:-cut])
    for number in range(12):
        table["random-%d" % number] = ("any", bytes(rng.randrange(256) for _ in range(8 * rng.randrange(1, 40))))
    for number in range(6):
        damaged = bytearray(good)
        for _ in range(3):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        table["damaged-%d" % number] = ("any", bytes(damaged))
    return table


def commands(program):
    """From the program's own list: name, and its arguments with @ for the blob."""
    found = {}
    for line in subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout.splitlines():
        words = line.split()
        if not line.startswith("  ") or len(words) < 2:
            continue
        usage = []
        for word in words[1:]:
            if word[0].islower():
                break
            usage.append(word)
        if not TAKES_A_BLOB & set(usage):
            continue
        arguments = []
        for word in usage:
            if word not in WORDS and not word.startswith("["):
                sys.exit("hostile.py: `%s`: what is %s? WORDS has no row for it" % (words[0], word))
            arguments += WORDS.get(word, [])
        found[words[0]] = arguments
    return found


def run(program, name, arguments, path, good, json_wanted):
    options = MORE.get(name, []) + ["--timeout", "5"] + (["--json"] if json_wanted else [])
    words = [{"@": path, "GOOD": good}.get(word, word) for word in options + arguments]
    try:
        done = subprocess.run([program, name] + words, capture_output=True, timeout=WALL_CLOCK, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return None, b"", b"did not end within %d s" % WALL_CLOCK
    return done.returncode, done.stdout, done.stderr


def problem(name, expectation, status, out, err, json_wanted):
    if status not in (0, 1, 2, 3) or b"Sanitizer" in err or b"runtime error" in err:
        return "crashed or hung"
    text = out + err
    if json_wanted and name != "run":
        try:
            if not isinstance(json.loads(out), dict):
                return "no JSON object"
        except ValueError:
            return "no JSON object"
    if expectation == "any":
        return None
    if expectation == "accepted":
        return "was not taken" if status == 2 else None
    if expectation == "malformed":
        return None if status == 2 and b"error: " in err else "must be an error, exit 2"
    wanted = REFUSED.get(name, 2)
    if status != wanted:
        return "must exit %d" % wanted
    if name != "disasm" and expectation.encode() not in text:
        return "does not name the rule %s" % expectation
    return None


def is_accepted(program, path):
    return subprocess.run([program, "check", path], capture_output=True, timeout=WALL_CLOCK).returncode == 0


def is_sanitized(program):
    """A start takes ten times as long: text and JSON by turns instead of both."""
    with open(program, "rb") as code:
        return b"__asan_init" in code.read()


def check_table(program, work):
    good = os.path.join(work, "good.bpf")
    data = raw(LOAD_NR, (0x15, 0, 1, 101), (0x06, 0, 0, 0x00050001), ALLOW)
    with open(good, "wb") as out:
        out.write(data)
    wrong = runs = 0
    table = dict({"good": ("accepted", data)}, **blobs(data))
    listed = commands(program)
    if not {"check", "disasm", "verify", "simulate", "explain", "optimize", "run", "bench"} <= set(listed):
        sys.exit("hostile.py: the list of commands was misread: %s" % sorted(listed))
    sampled = is_sanitized(program)
    for index, (blob, (expectation, content)) in enumerate(table.items()):
        path = os.path.join(work, blob)
        with open(path, "wb") as out:
            out.write(content)
        for order, (name, arguments) in enumerate(listed.items()):
            if blob == "4096" and name == "bench":
                continue  # it measures for as long as it takes
            if name == "run" and expectation == "any" and is_accepted(program, path):
                continue  # what a program does under whatever filter is its own business
            for json_wanted in ((index + order) % 2 == 1,) if sampled else (False, True):
                status, out, err = run(program, name, arguments, path, good, json_wanted)
                runs += 1
                why = problem(name, expectation, status, out, err, json_wanted)
                if name == "bench" and b"skip" in err + out or b"no seccomp" in err:
                    why = None  # not every machine can
                if why:
                    wrong += 1
                    print("%s of %s%s: %s; exit %s\n%s" % (name, blob, " --json" if json_wanted else "", why, status,
                                                           err.decode(errors="replace")[:500]))
    print("%d runs of %d commands over %d blobs, %d wrong" % (runs, len(listed), len(table), wrong))
    return wrong


def accepted_opcodes():
    loads = [0x00, 0x01, 0x20, 0x60, 0x61, 0x80, 0x81]
    moves = [0x02, 0x03, 0x07, 0x87, 0x06, 0x16]
    jumps = [0x05] + [op | x for op in (0x15, 0x25, 0x35, 0x45) for x in (0, 8)]
    alu = [0x84] + [op | x for op in (0x04, 0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0xA4) for x in (0, 8)]
    return set(loads + moves + jumps + alu)


def check_opcodes(program, work):
    """Each opcode with k = 4, which suits all of them, behind what they need."""
    wanted, wrong = accepted_opcodes(), 0
    directory = os.path.join(work, "opcodes")
    os.mkdir(directory)
    for code in range(4096):
        with open(os.path.join(directory, str(code)), "wb") as out:
            out.write(raw((0x02, 0, 0, 4), (code, 0, 0, 4), *[ALLOW] * 6))
    done = subprocess.run([program, "check", directory, "--json"], capture_output=True, timeout=300)
    programs = json.loads(done.stdout)["programs"]
    for code, one in enumerate(programs):
        rules = (None,) if code in wanted else ("opcode", "not_seccomp")
        if one["rule"] not in rules or (one["rule"] and one["instruction"] != 1):
            wrong += 1
            print("opcode 0x%04x: %s" % (code, one))
    print("%d programs, exit %d, %d wrong" % (len(programs), done.returncode, wrong))
    return wrong or len(programs) != 4096 or done.returncode != 1


if __name__ == "__main__":
    sys.exit({"table": check_table, "opcodes": check_opcodes}[sys.argv[1]](sys.argv[2], sys.argv[3]) != 0)
