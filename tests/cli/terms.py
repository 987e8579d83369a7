"""Evaluates the terms that `explain --json` prints for random programs, and compares with the values beside them.

    tests/cli/terms.py BPFPROOF WORK
"""
import json
import os
import random
import re
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts")]
import fuzz_blobs  # noqa: E402

MASK = 0xFFFFFFFF


class Word:
    """A 32-bit word; a shift is x86's."""

    def __init__(self, value):
        self.value = int(value) & MASK

    def __int__(self):
        return self.value

    def __neg__(self):
        return Word(-self.value)


def operator(compute):
    return (lambda a, b: Word(compute(int(a), int(b))), lambda b, a: Word(compute(int(a) & MASK, int(b))))


for name, compute in {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
                      "floordiv": lambda a, b: a // b, "and": lambda a, b: a & b, "or": lambda a, b: a | b,
                      "xor": lambda a, b: a ^ b, "lshift": lambda a, b: a << (b & 31),
                      "rshift": lambda a, b: a >> (b & 31)}.items():
    forth, back = operator(compute)
    setattr(Word, "__%s__" % name, forth)
    setattr(Word, "__r%s__" % name, back)


def words_of(call):
    args = [int(a, 16) for a in call["args"]]
    words = {"lo32": lambda v: Word(v), "hi32": lambda v: Word(v >> 32), "nr": Word(call["nr"]),
             "arch": Word(int(call["arch"], 16)), "ip": int(call["ip"], 16)}
    words.update({"arg%d" % i: value for i, value in enumerate(args)})
    return words


def evaluate(text, words, named):
    text = re.sub(r"A at (\d+)", lambda m: "named[%s]" % m.group(1), text)
    return int(eval(text.replace("/", "//"), dict(words, named=named)))  # the terms are our own program's


def long_path(rng):
    """Hardly any jump, so that most of it is executed."""
    code = [[0x02, 0, 0, 0], [0x03, 0, 0, 1]]
    while len(code) < 40:
        one = fuzz_blobs.random_instruction(rng, 4)
        if one[0] in (0x05, 0x06, 0x3C):
            continue
        code.append(one[:1] + [one[1] % 2, one[2] % 2] + one[3:])
    return code + [[0x16, 0, 0, 0]] * 2


def check(program, path, rng):
    call = "x86_64:nr(%d, %s)" % (rng.choice([0, 1, 59, 257, rng.randrange(512)]),
                                  ", ".join(hex(rng.choice([0, 1, 3, rng.getrandbits(64)])) for _ in range(6)))
    done = subprocess.run([program, "explain", path, call, "--json"], capture_output=True, text=True)
    if done.returncode == 2:
        return 0, 0  # the kernel would refuse it
    found = json.loads(done.stdout)
    words, named, terms, wrong = words_of(found["input"]), {}, 0, 0
    for step in found["paths"][0]:
        if "term" not in step:
            continue
        value = int(step["value"], 16)
        if step["term"] == "A at %d" % step["instruction"]:
            named[step["instruction"]] = Word(value)
        if "test" not in step and step["next"] is None and found["word"] != step["value"]:
            wrong += 1
        terms += 1
        sides = [(step["term"], value)]
        if "test" in step:
            sides.append((step["test"]["right"], int(step["test"]["right_value"], 16)))
        for text, expected in sides:
            if evaluate(text, words, named) != expected:
                wrong += 1
                print("%s %s: instruction %d: %s is not 0x%x" % (path, call, step["instruction"], text, expected))
    return terms, wrong


def main(program, work):
    rng, terms, wrong, runs = random.Random(5), 0, 0, 0
    for number in range(200):
        path = os.path.join(work, "random-%d" % number)
        with open(path, "wb") as out:
            out.write(fuzz_blobs.write_code(long_path(rng)))
        seen, bad = check(program, path, rng)
        terms, wrong, runs = terms + seen, wrong + bad, runs + (seen > 0)
    print("%d terms on %d paths, %d wrong" % (terms, runs, wrong))
    return wrong or terms < 3000


sys.exit(main(sys.argv[1], sys.argv[2]) != 0)
