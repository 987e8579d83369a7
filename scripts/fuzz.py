"""Mutates real inputs and runs bpfproof on them; see scripts/fuzz."""
import glob
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "cli")]
import fuzz_blobs  # noqa: E402
import hostile  # noqa: E402

WALL_CLOCK = 30  # seconds; --timeout is 5
SEEDS = {
    "policy": ["examples/*.policy", "examples/include/*.policy", "tests/broken/*.policy"],
    "oci": ["tests/import/oci/*.json", "/usr/share/containers/seccomp.json"],
    "firecracker": ["tests/import/firecracker/*.json"],
    "asm": ["tests/unit/bpf/*.asm"],
}
COMMANDS = {
    "policy": [["fmt", "@"], ["compile", "@", "-o", os.devnull, "--timeout", "5"],
               ["explain", "@", "openat(1, 2, 3)"]],
    "oci": [["import", "oci", "@"]],
    "firecracker": [["import", "firecracker", "@"], ["import", "firecracker", "@", "--thread", "main"]],
    "asm": [["asm", "@", "-f", "c"]],
    "call": [["simulate", "SEED_BLOB", "@text"]],
}
TOKENS = [b"(", b")", b"{", b"}", b"allow", b"on ", b"prove never ", b"&", b"~", b"..", b"0xffffffffffffffff",
          b"-1", b"1<<63", b"in", b"\"", b"#", b"\n", b"@", b"==", b"raw ret(", b"18446744073709551616", b"\0", b"\xff"]


def mutate(data, rng):
    data = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0 and data:
            data[min(at, len(data) - 1)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at:at] = rng.choice(TOKENS)
        elif kind == 2:
            del data[at:at + rng.randint(1, 20)]
        elif kind == 3:
            start = rng.randrange(len(data) + 1)
            data[at:at] = data[start:start + rng.randint(1, 60)]
        else:
            del data[at:]
    return bytes(data)


def blob_case(fuzz, rng):
    """A command of the program's own list on a hostile FILTER: a blob in some format, two joined, or a directory."""
    work, program = fuzz["work"], fuzz["program"]
    path = os.path.join(work, "input")
    with open(path, "wb") as out:
        out.write(fuzz_blobs.make(fuzz["seeds"]["blob"], mutate, rng))
    if rng.randrange(6) == 0:
        text = subprocess.run([program, "disasm", path, "-f", rng.choice(fuzz_blobs.FORMATS)], capture_output=True,
                              timeout=WALL_CLOCK).stdout
        if text:
            with open(path, "wb") as out:
                out.write(mutate(text, rng) if rng.randrange(2) else text)
    name = rng.choice(sorted(fuzz["commands"]))
    if name == "run" and hostile.is_accepted(program, path):
        name = "check"  # what a program does under a filter that is not refused is its own business
    target = path
    if rng.randrange(6) == 0 and name != "run":
        directory = os.path.join(work, "stack")
        os.makedirs(directory, exist_ok=True)
        shutil.copy(path, os.path.join(directory, "1.bpf"))
        shutil.copy(fuzz["good"], os.path.join(directory, "2.bpf"))
        target = rng.choice([directory, path + "+" + fuzz["good"], fuzz["good"] + "+" + path])
    words = [{"@": target, "GOOD": fuzz["good"]}.get(word, word)
             for word in hostile.MORE.get(name, []) + ["--timeout", "5"] + fuzz["commands"][name]]
    return "blob", [name] + words, [path]


def text_case(fuzz, rng):
    kind = rng.choice([k for k in fuzz["seeds"] if k in COMMANDS and fuzz["seeds"][k]])
    data = mutate(rng.choice(fuzz["seeds"][kind]), rng)
    path = os.path.join(fuzz["work"], "input")
    with open(path, "wb") as out:
        out.write(data)
    return kind, [fuzz["good"] if word == "SEED_BLOB" else path if word == "@" else data.replace(b"\0", b"")
                  if word == "@text" else word for word in rng.choice(COMMANDS[kind])], [path]


def run(program, command):
    """None when it ended as it should, else what is wrong. What it started dies with it."""
    environment = dict(os.environ, ASAN_OPTIONS="exitcode=99")
    try:
        done = subprocess.run([program] + command, capture_output=True, timeout=WALL_CLOCK, env=environment,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return b"did not end within %d seconds" % WALL_CLOCK
    bad = done.returncode not in (0, 1, 2, 3) or b"Sanitizer" in done.stderr or b"runtime error" in done.stderr
    bad = bad or b"mistake of bpfproof" in done.stderr or b"internal error" in done.stderr
    return b"exit %d\n" % done.returncode + done.stderr if bad else None


def keep(name, command, paths, report):
    os.makedirs("fuzz-failures", exist_ok=True)
    name = os.path.join("fuzz-failures", name)
    shutil.copy(paths[0], name)
    with open(name + ".report", "wb") as out:
        out.write(repr(command).encode() + b"\n" + report)
    print("FAILED %s: %s" % (name, command), flush=True)


def prepare(program):
    work = tempfile.mkdtemp()
    found = {}
    for kind, patterns in SEEDS.items():
        found[kind] = []
        for path in [p for pattern in patterns for p in sorted(glob.glob(pattern))]:
            with open(path, "rb") as seed:
                found[kind].append(seed.read())
    found["call"] = [b"openat(AT_FDCWD, 0x1000, O_RDONLY|O_CLOEXEC)", b"x86_64:nr(435, 1, 2)", b"i386:getpid()"]
    found["blob"] = fuzz_blobs.seeds(program, work)
    good = os.path.join(work, "good.bpf")
    with open(good, "wb") as out:
        out.write(found["blob"][0])
    return {"work": work, "program": program, "seeds": found, "good": good, "commands": hostile.commands(program)}


def main():
    program, seconds = sys.argv[1], float(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else int(time.time())
    rng = random.Random(seed)
    fuzz = prepare(program)
    end, runs, failures = time.time() + seconds, 0, 0
    of_command = {}
    while time.time() < end:
        kind, command, paths = (blob_case if rng.randrange(3) else text_case)(fuzz, rng)
        runs += 1
        of_command[command[0]] = of_command.get(command[0], 0) + 1
        report = run(program, command)
        if report is not None:
            failures += 1
            keep("%s-%d-%d" % (kind, seed, runs), command, paths, report)
    shutil.rmtree(fuzz["work"])
    print(", ".join("%s %d" % item for item in sorted(of_command.items())))
    print("seed %d: %d runs, %d failures" % (seed, runs, failures))
    sys.exit(failures != 0)


main()
