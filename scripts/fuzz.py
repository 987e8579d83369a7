"""Mutates real inputs and runs bpfproof on them; see scripts/fuzz."""
import glob
import os
import random
import subprocess
import sys
import tempfile
import time

SEEDS = {
    "policy": ["examples/*.policy", "examples/include/*.policy", "tests/broken/*.policy"],
    "oci": ["tests/import/*.json", "/usr/share/containers/seccomp.json"],
    "asm": ["tests/unit/bpf/*.asm"],
}
COMMANDS = {
    "policy": [["fmt", "@"], ["compile", "@", "-o", os.devnull, "--timeout", "5"],
               ["explain", "@", "openat(1, 2, 3)"]],
    "oci": [["import", "oci", "@"]],
    "asm": [["asm", "@", "-f", "c"]],
    "blob": [["check", "@"], ["disasm", "@"], ["simulate", "@", "read(0)"],
             ["verify", "@", "--against", "@", "--timeout", "5"]],
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


def main():
    program, seconds = sys.argv[1], float(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else int(time.time())
    rng = random.Random(seed)
    work = tempfile.mkdtemp()
    seeds = {kind: [open(p, "rb").read() for pattern in patterns for p in glob.glob(pattern)]
             for kind, patterns in SEEDS.items()}
    blob = os.path.join(work, "seed.bpf")
    first = sorted(glob.glob("examples/*.policy"))[0]
    subprocess.run([program, "compile", first, "-o", blob], check=True, stderr=subprocess.DEVNULL)
    seeds["blob"] = [open(blob, "rb").read()]
    seeds["call"] = [b"openat(AT_FDCWD, 0x1000, O_RDONLY|O_CLOEXEC)", b"x86_64:nr(435, 1, 2)", b"i386:getpid()"]
    end, runs, failures = time.time() + seconds, 0, 0
    while time.time() < end:
        kind = rng.choice([k for k in seeds if seeds[k]])
        data = mutate(rng.choice(seeds[kind]), rng)
        path = os.path.join(work, "input")
        with open(path, "wb") as out:
            out.write(data)
        command = [blob if word == "SEED_BLOB" else path if word == "@" else
                   data.replace(b"\0", b"") if word == "@text" else word for word in rng.choice(COMMANDS[kind])]
        runs += 1
        try:
            done = subprocess.run([program] + command, capture_output=True, timeout=20)
            bad = done.returncode not in (0, 1, 2, 3) or b"Sanitizer" in done.stderr or b"runtime error" in done.stderr
            report = done.stderr
        except subprocess.TimeoutExpired:
            bad, report = True, b"did not end within 20 seconds"
        if bad:
            failures += 1
            os.makedirs("fuzz-failures", exist_ok=True)
            name = "fuzz-failures/%s-%d-%d" % (kind, seed, runs)
            open(name, "wb").write(data)
            open(name + ".report", "wb").write(repr(command).encode() + b"\n" + report)
            print("FAILED %s: %s" % (name, command))
    print("seed %d: %d runs, %d failures" % (seed, runs, failures))
    sys.exit(failures != 0)


main()
