"""Hostile blobs for scripts/fuzz.py: mutated valid ones, random programs that the kernel mostly takes, random bytes."""
import glob
import os
import struct
import subprocess

FORMATS = ["c", "decimal", "json", "asm"]
# Opcodes that seccomp admits, the more common ones more than once.
LOADS = [0x20] * 6 + [0x00, 0x01, 0x60, 0x61, 0x80, 0x81]
OTHERS = [0x02, 0x03, 0x07, 0x87, 0x54, 0x54, 0x04, 0x0C, 0x14, 0x1C, 0x24, 0x2C, 0x34, 0x3C, 0x44, 0x4C, 0x5C, 0x64, 0x6C,
          0x74, 0x7C, 0x84, 0xA4, 0xAC]
TESTS = [0x15] * 6 + [0x25, 0x35, 0x35, 0x45, 0x1D, 0x2D, 0x3D, 0x4D]
RETURNS = [0x7FFF0000, 0x7FFF0000, 0x00050001, 0x00050000, 0x80000000, 0, 0x00030000, 0x7FC00000, 0x7FF00001, 0x7FFC0000,
           0x7FFF0007, 0x12345678]
NUMBERS = [0, 1, 2, 3, 31, 59, 101, 0x101, 0x3FFFFFFF, 0x40000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xC000003E, 0x40000003,
           0xC00000B7]


def read_code(data):
    return [list(struct.unpack_from("<HBBI", data, at)) for at in range(0, len(data) - 7, 8)]


def write_code(code):
    return b"".join(struct.pack("<HBBI", *one) for one in code)


def random_number(rng):
    return rng.choice([rng.choice(NUMBERS), rng.randrange(512), rng.getrandbits(32)])


def random_instruction(rng, behind):
    """One that the kernel mostly takes with `behind` instructions after it, at least one of them."""
    kind = rng.randrange(10)
    if kind < 3:
        op = rng.choice(LOADS)
        return [op, 0, 0, 4 * rng.randrange(16) if op == 0x20 else rng.randrange(2) if op in (0x60, 0x61) else random_number(rng)]
    if kind < 5:
        op = rng.choice(OTHERS)
        return [op, 0, 0, rng.randrange(2) if op in (2, 3) else rng.randrange(1, 32) if op in (0x64, 0x74) else
                random_number(rng) or 1]
    if kind < 9:
        most = min(behind, 256)
        return [rng.choice(TESTS), rng.randrange(most), rng.randrange(min(most, 4)), random_number(rng)]
    return [0x06, 0, 0, rng.choice(RETURNS)] if rng.randrange(2) else [0x05, 0, 0, rng.randrange(min(behind, 9))]


def random_program(rng):
    length = rng.choice([rng.randrange(1, 12), rng.randrange(12, 80), rng.randrange(80, 600), rng.choice([4096, 4097])])
    code = [[0x02, 0, 0, 0], [0x02, 0, 0, 1]]
    code += [random_instruction(rng, length - i) for i in range(length - len(code) - 1)]
    return code + [[0x06, 0, 0, rng.choice(RETURNS)] if rng.randrange(8) else [0x16, 0, 0, 0]]


def mutate_program(code, rng):
    """Changes of whole instructions and their members; jumps stay where they were, right or wrong."""
    code = [list(one) for one in code]
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(code))
        kind = rng.randrange(7)
        if kind == 0:
            code[at] = random_instruction(rng, max(len(code) - at - 1, 1))
        elif kind == 1:
            code[at][3] = random_number(rng)
        elif kind == 2:
            code[at][rng.choice((1, 2))] = rng.randrange(256)
        elif kind == 3:
            code[at][0] = rng.choice(LOADS + OTHERS + TESTS + [0x06, 0x16, rng.randrange(65536)])
        elif kind == 4 and len(code) > 1:
            del code[at]
        elif kind == 5:
            code[at:at] = [random_instruction(rng, len(code) - at)]
        else:
            other = rng.randrange(len(code))
            code[at], code[other] = code[other], code[at]
    return code


def make(seeds, mutate, rng):
    """Bytes of one blob, raw."""
    kind = rng.randrange(10)
    if kind == 0:
        return bytes(rng.randrange(256) for _ in range(rng.choice([rng.randrange(64), 8 * rng.randrange(1, 200)])))
    if kind == 1:
        return mutate(rng.choice(seeds), rng)
    if kind < 6:
        return write_code(random_program(rng))
    return write_code(mutate_program(read_code(rng.choice(seeds)), rng))


def seeds(program, work):
    found = []
    for policy in sorted(glob.glob("examples/*.policy")):
        path = os.path.join(work, "seed.bpf")
        subprocess.run([program, "compile", policy, "-o", path, "--timeout", "0"], check=True, stderr=subprocess.DEVNULL)
        with open(path, "rb") as blob:
            found.append(blob.read())
    corpus = os.environ.get("BPFPROOF_CORPUS")
    for path in sorted(glob.glob(os.path.join(corpus, "blobs", "*.bpf"))) if corpus else []:
        with open(path, "rb") as blob:
            found.append(blob.read())
    return [one for one in found if len(one) % 8 == 0 and one]
