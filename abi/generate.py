#!/usr/bin/env python3
"""Turns abi/data/*.tsv into constant C. Usage: generate.py DATA OUTPUT"""
import re
import sys
from pathlib import Path

NO_ARGUMENTS_KNOWN = 0xFF


def read_tsv(path):
    """Rows as dicts by the header's names; lines that start with # are comments."""
    lines = [line.split("\t") for line in path.read_text().splitlines()
             if line and not line.startswith("#")]
    header = lines[0]
    for line in lines[1:]:
        if len(line) != len(header):
            sys.exit("%s: %d cells instead of %d: %s" %
                     (path, len(line), len(header), "\t".join(line)))
    return [dict(zip(header, line)) for line in lines[1:]]


def text(value):
    return "NULL" if value is None else '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')


# ---- arguments ---------------------------------------------------------------------------------------

class Types:
    def __init__(self, rows):
        self.rows = {row["type"]: row for row in rows}

    def resolve(self, name, word):
        """(bits or "pair", signed, pointer) of a type on an ABI with this word."""
        if name.endswith("*"):
            return word, False, True
        if name == "pair64":
            return "pair", False, False
        row = self.rows[name]
        bits = row["bits%d" % word]
        bits = word if bits == "word" else bits if bits == "pair" else int(bits)
        return bits, row["kind"] == "signed", row["kind"] == "pointer"


def pair_names(name, big_endian):
    names = [name + "_low", name + "_high"]
    return reversed(names) if big_endian else names


def place_arguments(prototype, abi, types):
    """The registers of a call, in order: (kernel name, type, bits, signed, pointer)."""
    word = int(abi["word_bits"])
    first = int(abi["first_place"])
    placed = [("orig_d0", "unsigned long", word, False, False)] * first
    for argument in filter(None, prototype.split("; ")):
        kind, name = argument.rsplit(" ", 1)
        bits, signed, pointer = types.resolve(kind, word)
        if bits != "pair":
            placed.append((name, kind, bits, signed, pointer))
            continue
        if abi["pairs_aligned"] == "yes" and kind != "pair64" and (len(placed) - first) % 2:
            placed.append(("unused", "u32", 32, False, False))
        for half in pair_names(name, abi["endian"] == "big"):
            placed.append((half, "u32", 32, False, False))
    return placed[:6]


def narrow(placed, rows):
    """Adds the bits that the kernel uses: (name, type, declared bits, bits, signed, pointer)."""
    result = []
    for name, kind, declared, signed, pointer in placed:
        bits = declared
        row = rows.get(name)
        if row and int(row["bits"]) < declared:
            bits, signed = int(row["bits"]), row["kind"] == "signed"
        result.append((name, kind, declared, bits, signed, pointer))
    return result


class Arguments:
    """Distinct argument lists, each once, six places long."""

    def __init__(self):
        self.index = {}

    def add(self, places):
        return self.index.setdefault(tuple(places), len(self.index))

    def print(self, out):
        out.append("static const struct argument argument_lists[][6] = {")
        for places in self.index:
            cells = ["{%s, %s, %s, %d, %d, %d, %d}" %
                     (text(kernel), text(manual), text(kind), declared, bits, signed, pointer)
                     for kernel, manual, kind, declared, bits, signed, pointer in places]
            cells += ["{NULL, NULL, NULL, 0, 0, 0, 0}"] * (6 - len(cells))
            out.append("    {%s}," % ", ".join(cells))
        out.append("};")


# ---- system calls --------------------------------------------------------------------------------------

class Facts:
    def __init__(self, data):
        self.abis = read_tsv(data / "abis.tsv")
        self.numbers = sorted(read_tsv(data / "syscalls.tsv"), key=lambda row: row["name"])
        self.entries = {row["name"]: row for row in read_tsv(data / "entries.tsv")}
        self.prototypes = {row["entry"]: row["arguments"] for row in read_tsv(data / "prototypes.tsv")}
        self.types = Types(read_tsv(data / "types.tsv"))
        self.narrowings = {}
        for row in read_tsv(data / "narrowings.tsv"):
            for call in row["calls"].split(","):
                self.narrowings.setdefault(call, {})[row["parameter"]] = row
        self.manual = {}
        for row in read_tsv(data / "manual_names.tsv"):
            self.manual.setdefault(row["call"], {})[row["kernel"]] = row["manual"]

    def arguments(self, name, abi):
        """The argument places of a call on an ABI; None when unknown."""
        entry = self.entries[name][abi["syscalls"]] if name in self.entries else "-"
        if entry not in self.prototypes:
            return None
        placed = place_arguments(self.prototypes[entry], abi, self.types)
        manual = self.manual.get(name, {})
        if abi["word_bits"] == "32":
            manual = {kernel: word for kernel, word in manual.items() if kernel != "pos_l"}
        return [(place[0], manual.get(place[0])) + place[1:]
                for place in narrow(placed, self.narrowings.get(name, {}))]


def print_syscalls(facts, out):
    lists = Arguments()
    lists.add([])
    tables = []
    for index, abi in enumerate(facts.abis):
        rows = []
        for name_id, row in enumerate(facts.numbers):
            cell = row[abi["syscalls"]]
            if cell == "-":
                continue
            places = facts.arguments(row["name"], abi)
            count = NO_ARGUMENTS_KNOWN if places is None else len(places)
            rows.append((int(cell.rstrip("!")), name_id, not cell.endswith("!"), count,
                         lists.add(places or [])))
        tables.append(sorted(rows))
    lists.print(out)
    for abi, rows in zip(facts.abis, tables):
        print_table(facts, abi, rows, out)
    print_names(facts, out)
    out.append("const struct abi_table abi_tables[ABI_COUNT] = {")
    for abi, rows in zip(facts.abis, tables):
        out.append("    {entries_%s, %d, by_name_%s}," % (abi["name"], len(rows), abi["name"]))
    out.append("};")


def print_table(facts, abi, rows, out):
    by_name = [0] * len(facts.numbers)
    out.append("static const struct syscall_entry entries_%s[] = {" % abi["name"])
    for index, (number, name_id, implemented, count, arguments) in enumerate(rows):
        by_name[name_id] = index + 1
        out.append("    {%s, %du, %d, %d, argument_lists[%d]}," %
                   (text(facts.numbers[name_id]["name"]), number, implemented, count, arguments))
    out.append("};")
    out.append("static const uint16_t by_name_%s[] = {%s};" %
               (abi["name"], ", ".join(map(str, by_name))))


def print_names(facts, out):
    out.append("const struct name_entry syscall_names[] = {")
    for row in facts.numbers:
        mask = sum(1 << i for i, abi in enumerate(facts.abis) if row[abi["syscalls"]] != "-")
        out.append("    {%s, 0x%xu}," % (text(row["name"]), mask))
    out.append("};")
    out.append("const size_t syscall_name_count = %d;" % len(facts.numbers))


def print_abis(abis, out):
    out.append("const struct abi abi_list[ABI_COUNT] = {")
    for abi in abis:
        out.append("    {ABI_%s, %s, %s, %su, %s, %d, %s, ABI_%s, %s, %s}," % (
            abi["name"].upper(), text(abi["name"]), text(abi["token_name"]), abi["token"],
            abi["word_bits"], abi["endian"] == "big", abi["cache_size"], abi["kernel"].upper(),
            abi["first_place"], text(None if abi["oci"] == "-" else abi["oci"])))
    out.append("};")


# ---- constants --------------------------------------------------------------------------------------------

def value_rows(row, abis):
    """{value: ABIs}. A row has the usual value, and cells "abi,abi=value" for the exceptions; the
    value "-" means that the constant does not exist there."""
    values = {abi["constants"]: row["value"] for abi in abis}
    for cell in filter(None, row["exceptions"].split(" ")):
        names, value = cell.split("=")
        for name in names.split(","):
            values[name] = value
    masks = {}
    for index, abi in enumerate(abis):
        value = values[abi["constants"]]
        if value != "-":
            masks[int(value, 0)] = masks.get(int(value, 0), 0) | 1 << index
    return masks


def integer(value):
    return "INT64_MIN" if value == -2**63 else "INT64_C(%d)" % value


def print_constants(abis, rows, out):
    names, values = [], []
    errnos = [{} for _ in abis]
    for row in sorted(rows, key=lambda row: row["name"]):
        masks = value_rows(row, abis)
        if not masks:
            continue
        is_errno = row["header"] == "asm/errno.h"
        names.append((row["name"], len(values), is_errno))
        values += sorted(masks.items())
        if is_errno:
            note_errno(row, masks, errnos)
    out.append("const struct constant_value constant_values[] = {")
    out.extend("    {%s, 0x%xu}," % (integer(value), mask) for value, mask in values)
    out.append("};")
    out.append("const struct constant_name constant_names[] = {")
    out.extend("    {%s, %d, %d}," % (text(name), first, is_errno)
               for name, first, is_errno in names)
    out.append("    {NULL, %d, 0},\n};" % len(values))
    out.append("const size_t constant_name_count = %d;" % len(names))
    print_errnos(errnos, abis, out)


# Where one number has two names, messages use the other one.
SECOND_NAMES = {"EWOULDBLOCK", "EDEADLOCK", "ENOTSUP", "EREFUSED"}


def note_errno(row, masks, errnos):
    name = row["name"]
    for value, mask in masks.items():
        for index in range(len(errnos)):
            if mask >> index & 1 and (name not in SECOND_NAMES or value not in errnos[index]):
                errnos[index][value] = name


def print_errnos(errnos, abis, out):
    names = [abi["name"] for abi in abis]
    for name, table in zip(names, errnos):
        out.append("static const struct errno_name errno_%s[] = {" % name)
        out.extend("    {%d, %s}," % (value, text(table[value])) for value in sorted(table))
        out.append("    {0, NULL},\n};")
    out.append("const struct errno_table errno_tables[ABI_COUNT] = {")
    out.extend("    {errno_%s, %d}," % (name, len(table)) for name, table in zip(names, errnos))
    out.append("};")


# ---- constants that arguments take ----------------------------------------------------------------------

def matches(pattern, row):
    """NAME, PREFIX*, PREFIX*SUFFIX or HEADER.h against a row of constants.tsv."""
    if pattern.endswith(".h"):
        return row["header"] == pattern
    first, star, last = pattern.partition("*")
    name = row["name"]
    return name.startswith(first) and name.endswith(last) if star else name == pattern


def choose_constants(cell, rows):
    """The names that a cell of argument_constants.tsv lists, in its order. Each part must match."""
    chosen, removed = [], set()
    for part in cell.split(" "):
        found = [row["name"] for row in rows if matches(part.lstrip("-"), row)]
        if not found:
            sys.exit("argument_constants.tsv: nothing is called %s" % part)
        if part.startswith("-"):
            removed.update(found)
        else:
            chosen += [name for name in found if name not in chosen]
    return [name for name in chosen if name not in removed]


def print_argument_constants(rows, constants, out):
    names = []
    lines = []
    for row in rows:
        chosen = choose_constants(row["constants"], constants)
        kind, _, mask = row["kind"].partition(":")
        when, _, value = ("", "", "") if row["when"] == "-" else row["when"].partition("=")
        if kind not in ("values", "flags", "field") or bool(mask) != (kind == "field"):
            sys.exit("argument_constants.tsv: no such kind: %s" % row["kind"])
        lines += ["    {%s, %s, %s, %s, CONSTANTS_%s, %s, &argument_constant_names[%d], %d}," %
                  (text(call), text(row["parameter"]), text(when or None), text(value or None),
                   kind.upper(), text(mask or None), len(names), len(chosen))
                  for call in row["calls"].split(",")]
        names += chosen
    out.append("static const char *const argument_constant_names[] = {")
    out.extend("    %s," % text(name) for name in names)
    out.append("};\nconst struct argument_constants argument_constants[] = {")
    out.extend(lines)
    out.append("};\nconst size_t argument_constants_count = %d;" % len(lines))


# ---- families, ignored bits -----------------------------------------------------------------------------

def abi_mask(text, abis):
    """The ABIs of a cell: "*" is all of them."""
    names = [abi["name"] for abi in abis]
    unknown = [] if text == "*" else [name for name in text.split(",") if name not in names]
    if unknown:
        sys.exit("no such ABI: %s" % unknown[0])
    return sum(1 << i for i, name in enumerate(names) if text == "*" or name in text.split(","))


def call_references(cell, known):
    """call, call(parameter), call(parameter=VALUE), separated by commas."""
    references = []
    for part in cell.split(","):
        match = re.fullmatch(r"(\w+)(?:\((\w+)(?:=(\w+))?\))?", part)
        if not match or match.group(1) not in known:
            sys.exit("families.tsv: not a call: %s" % part)
        references.append("{%s}" % ", ".join(text(group) for group in match.groups()))
    return references


def print_references(cell, known, name, out):
    """A cell of references as an array that a reference without a name ends."""
    references = call_references(cell, known)
    out.append("static const struct call_reference %s[] = {%s, {NULL, NULL, NULL}};" %
               (name, ", ".join(references)))


FAMILY_KINDS = {"equal", "stronger", "twin", "multiplexer", "io_uring"}


def print_families(facts, rows, out):
    known = {row["name"] for row in facts.numbers}
    table = []
    for index, row in enumerate(rows):
        if row["kind"] not in FAMILY_KINDS:
            sys.exit("families.tsv: no such kind: %s" % row["kind"])
        print_references(row["calls"], known, "family_calls_%d" % index, out)
        ways = [] if row["substitutes"] == "-" else row["substitutes"].split(",")
        for number, way in enumerate(ways):
            print_references(way.replace("+", ","), known, "family_way_%d_%d" % (index, number), out)
        out.append("static const struct call_reference *const family_ways_%d[] = {%s};" %
                   (index, ", ".join(["family_way_%d_%d" % (index, n) for n in range(len(ways))] +
                                     ["NULL"])))
        table.append("    {FAMILY_%s, %s, family_calls_%d, family_ways_%d, 0x%xu, %s, %s}," %
                     (row["kind"].upper(), text(row["name"]), index, index,
                      abi_mask(row["abis"], facts.abis), text(row["why"]), text(row["source"])))
    out.append("const struct family family_list[] = {")
    out.extend(table)
    out.append("};")
    out.append("const size_t family_count = %d;" % len(table))


def print_ignored_bits(facts, rows, out):
    table = []
    for row in rows:
        if row["kind"] not in ("dropped", "harmless"):
            sys.exit("ignored_bits.tsv: no such kind: %s" % row["kind"])
        for call in row["calls"].split(","):
            table.append("    {%d, %s, %s, %s, 0x%xu, %s}," %
                         (row["kind"] == "dropped", text(call), text(row["parameter"]), text(row["kept"]),
                          abi_mask(row["abis"], facts.abis), text(row["source"])))
    out.append("const struct kept_bits kept_bits_list[] = {")
    out.extend(table)
    out.append("};")
    out.append("const size_t kept_bits_count = %d;" % len(table))


def main():
    data, output = Path(sys.argv[1]), Path(sys.argv[2])
    facts = Facts(data)
    header = Path(__file__).resolve().parent / "abi.h"
    order = re.findall(r"^    ABI_(\w+),$", header.read_text().split("enum abi_id {")[1], re.M)
    if [abi["name"].upper() for abi in facts.abis] != order[:len(facts.abis)]:
        sys.exit("abis.tsv is not in the order of enum abi_id")
    out = ["/* Made by abi/generate.py from abi/data. */", '#include "abi/tables.h"', ""]
    print_abis(facts.abis, out)
    print_syscalls(facts, out)
    constants = read_tsv(data / "constants.tsv")
    print_constants(facts.abis, constants, out)
    print_argument_constants(read_tsv(data / "argument_constants.tsv"), constants, out)
    print_families(facts, read_tsv(data / "families.tsv"), out)
    print_ignored_bits(facts, read_tsv(data / "ignored_bits.tsv"), out)
    output.write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
