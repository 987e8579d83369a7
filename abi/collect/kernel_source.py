#!/usr/bin/env python3
"""Makes entries.tsv and prototypes.tsv from a kernel source tree, and checks syscalls.tsv against it.

Usage: kernel_source.py TREE        (TREE: linux-source-6.12 of Debian, unpacked)

An entry is the kernel function behind a table row. For 32-bit ABIs it is the compat entry of the
64-bit kernel where there is one. Rows of prototypes.tsv that say "tracefs" in their source column
were read from a running kernel's events/syscalls/*/format and are kept; the others are made anew
from the SYSCALL_DEFINE forms, by the file named in their source column.
"""
import re
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"

# column: (table, its ABI words, directory of the architecture, first number, prefer the compat entry)
TABLES = {
    "x86_64": ("arch/x86/entry/syscalls/syscall_64.tbl", "common 64", "x86", 0, False),
    "i386": ("arch/x86/entry/syscalls/syscall_32.tbl", "i386", "x86", 0, True),
    "x32": ("arch/x86/entry/syscalls/syscall_64.tbl", "common x32", "x86", 0x40000000, False),
    "arm": ("arch/arm/tools/syscall.tbl", "common eabi", "arm", 0, False),
    "aarch64": ("arch/arm64/tools/syscall_64.tbl", "common 64 renameat rlimit memfd_secret", "arm64",
                0, False),
    "riscv64": ("scripts/syscall.tbl", "common 64 riscv rlimit memfd_secret", "riscv", 0, False),
    "riscv32": ("scripts/syscall.tbl", "common 32 riscv memfd_secret", "riscv", 0, True),
    "loongarch64": ("scripts/syscall.tbl", "common 64", "loongarch", 0, False),
    "s390x": ("arch/s390/kernel/syscalls/syscall.tbl", "common 64", "s390", 0, False),
    "s390": ("arch/s390/kernel/syscalls/syscall.tbl", "common 32", "s390", 0, True),
    "ppc64": ("arch/powerpc/kernel/syscalls/syscall.tbl", "common nospu 64", "powerpc", 0, False),
    "ppc": ("arch/powerpc/kernel/syscalls/syscall.tbl", "common nospu 32", "powerpc", 0, True),
    "mips_o32": ("arch/mips/kernel/syscalls/syscall_o32.tbl", "o32", "mips", 4000, True),
    "mips_n64": ("arch/mips/kernel/syscalls/syscall_n64.tbl", "n64", "mips", 5000, False),
    "mips_n32": ("arch/mips/kernel/syscalls/syscall_n32.tbl", "n32", "mips", 6000, False),
    "parisc": ("arch/parisc/kernel/syscalls/syscall.tbl", "common 32", "parisc", 0, True),
    "parisc64": ("arch/parisc/kernel/syscalls/syscall.tbl", "common 64", "parisc", 0, False),
    "m68k": ("arch/m68k/kernel/syscalls/syscall.tbl", "common", "m68k", 0, False),
    "sh": ("arch/sh/kernel/syscalls/syscall.tbl", "common", "sh", 0, False),
}
WORD32 = {"i386", "arm", "riscv32", "s390", "ppc", "mips_o32", "parisc", "m68k", "sh"}
PAIRS_ALIGNED = {"arm", "ppc", "mips_o32"}

# Assembly stubs that save registers and go on to the function of this name, and functions written
# in assembly that take what the named one takes.
STUBS = {
    "ppc_clone": "sys_clone",
    "ppc_fork": "sys_fork",
    "ppc_vfork": "sys_vfork",
    "ppc_clone3": "sys_clone3",
    "sys_clone_wrapper": "sys_clone",
    "sys_clone3_wrapper": "sys_clone3",
    "sys_fork_wrapper": "sys_fork",
    "sys_vfork_wrapper": "sys_vfork",
    "sys_fstatfs64_wrapper": "sys_fstatfs64",
    "sys_statfs64_wrapper": "sys_statfs64",
    "sys_sigreturn_wrapper": "sys_sigreturn",
    "sys_rt_sigreturn_wrapper": "sys_rt_sigreturn",
    "sys32_rt_sigreturn": "sys_rt_sigreturn",
    "sysn32_rt_sigreturn": "sys_rt_sigreturn",
    "sys32_sigreturn": "sys_sigreturn",
    "sysm_pipe": "sys_sh_pipe",  # the two descriptors come back in registers, as on sh
}
# What only one architecture implements, and the others have in their tables.
BORROWED = {"sys_map_shadow_stack": "x86", "sys_pciconfig_iobase": "powerpc", "sys_sh_pipe": "sh",
            "sys_sigreturn": "sh"}
BY_COLUMN = {("arm", "sys_mmap2"): "sys_mmap_pgoff"}
SPECIAL64 = ("loff_t", "u64", "__u64")


def read_table(tree, column):
    path, words, _, base, compat = TABLES[column]
    words = words.split()
    rows = {}
    for line in (tree / path).read_text().splitlines():
        cells = line.split("#")[0].split()
        if len(cells) < 3 or not cells[0].isdigit() or cells[1] not in words:
            continue
        native = cells[3] if len(cells) > 3 else "-"
        other = cells[4] if len(cells) > 4 else "-"
        # A compat entry that is not implemented still is on a 32-bit kernel (vm86).
        entry = other if compat and other not in ("-", "noreturn", "sys_ni_syscall") else native
        if native == "-" and not compat:
            entry = "sys_ni_syscall"
        if entry == "-":
            entry = "sys_ni_syscall"
        rows[cells[2]] = (base + int(cells[0]), entry, native)
    return rows


# ---- prototypes -----------------------------------------------------------------------------------

DEFINE = re.compile(r"^(COMPAT_|PPC32_)?SYSCALL(32)?_DEFINE([0-6])\(", re.M)
PLAIN = re.compile(r"^asmlinkage(?:\s+notrace)?\s+(?:unsigned\s+)?(?:long|int|ssize_t)\s+"
                   r"((?:compat_)?(?:sys|sys32|parisc|old|compat)_\w+)\s*\(", re.M)


def balanced(text, start):
    depth = 1
    for end in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            return text[start:end]
    return ""


def clean_type(words):
    words = re.sub(r"\b(__user|__force|__kernel)\b(?!_)", " ", words)
    words = re.sub(r"\s+", " ", words.replace("*", " * ")).strip()
    words = re.sub(r"\* \*", "**", words)
    return words if words.endswith("*") else re.sub(r"^const ", "", words)


def define_arguments(inner):
    inner = re.sub(r"/\*.*?\*/", " ", inner, flags=re.S)
    inner = re.sub(r"\b(?:SC_ARG64|arg_u32p|compat_arg_u64_dual)\((\w+)\)", r"pair64, \1", inner)
    cells = [c.strip() for c in inner.split(",")]
    name, rest = cells[0], cells[1:]
    return name, [clean_type(rest[i]) + " " + rest[i + 1] for i in range(0, len(rest) - 1, 2)]


def plain_arguments(inner):
    arguments = []
    for cell in inner.split(","):
        match = re.match(r"(.*?)(\w+)$", clean_type(cell))
        if match and "pt_regs" not in cell and match.group(1).strip():
            arguments.append(match.group(1).strip() + " " + match.group(2))
    return arguments


def condition_before(text, position):
    """The text of the innermost open #if, #ifdef or #elif, "else" for an #else."""
    stack = []
    for line in text[:position].splitlines():
        match = re.match(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b(.*)", line)
        if not match:
            continue
        word, rest = match.group(1), match.group(2).strip()
        if word in ("if", "ifdef", "ifndef"):
            stack.append(word + " " + rest)
        elif word == "endif" and stack:
            stack.pop()
        elif stack:
            stack[-1] = word + " " + rest
    return stack[-1] if stack else ""


def variant(name, condition):
    """clone and sigsuspend have another parameter list for some architectures."""
    if name == "clone":
        match = re.search(r"CONFIG_CLONE_(BACKWARDS\d?)", condition)
        return "@" + match.group(1).lower() if match else ""
    if name == "sigsuspend":
        return "@three" if condition.endswith("OLD_SIGSUSPEND3") else ""
    return ""


def scan(tree):
    """{entry: {architecture or '': (arguments, file)}}"""
    found = {}
    for path in sorted(tree.rglob("*.c")):
        relative = path.relative_to(tree).as_posix()
        text = path.read_text(errors="replace")
        if "SYSCALL" not in text and "asmlinkage" not in text:
            continue
        architecture = relative.split("/")[1] if relative.startswith("arch/") else ""
        for match in DEFINE.finditer(text):
            name, arguments = define_arguments(balanced(text, match.end()))
            name += variant(name, condition_before(text, match.start()))
            prefixes = ["sys_"]
            if match.group(1) == "COMPAT_":
                prefixes = ["compat_sys_"]
            elif match.group(1) or match.group(2):
                prefixes = ["sys_", "compat_sys_"]
            for prefix in prefixes:
                if match.group(2) and prefix == "sys_":
                    continue
                found.setdefault(prefix + name, {}).setdefault(architecture, (arguments, relative))
        for match in PLAIN.finditer(text):
            arguments = plain_arguments(balanced(text, match.end()))
            found.setdefault(match.group(1), {}).setdefault(architecture, (arguments, relative))
    return found


def configured(tree, architecture, word):
    text = (tree / "arch" / architecture / "Kconfig").read_text()
    return re.search(r"^\s*select %s\b" % word, text, re.M) is not None


def entry_variant(tree, column, entry):
    architecture = TABLES[column][2]
    if entry == "sys_clone":
        for word in ("BACKWARDS2", "BACKWARDS3", "BACKWARDS"):
            if configured(tree, architecture, "CLONE_" + word):
                if architecture == "x86" and column != "i386":
                    return entry  # select CLONE_BACKWARDS if X86_32
                return entry + "@" + word.lower()
    if entry == "sys_sigsuspend" and configured(tree, architecture, "OLD_SIGSUSPEND3"):
        return entry + "@three"
    return entry


# ---- choosing --------------------------------------------------------------------------------------

def words_of(arguments, column):
    """How many registers the arguments take on a 32-bit ABI."""
    count = 0
    for argument in arguments:
        kind = argument.rsplit(" ", 1)[0]
        if kind in SPECIAL64 and column in PAIRS_ALIGNED:
            count += count % 2
        count += 2 if kind in SPECIAL64 + ("pair64",) else 1
    return count


def pick(found, entry, architecture):
    by_architecture = found.get(entry, {})
    return by_architecture.get(architecture) or by_architecture.get("") or \
        by_architecture.get(BORROWED.get(entry))


def choose_entry(tree, found, column, name, entry, native):
    entry = BY_COLUMN.get((column, entry), STUBS.get(entry, entry))
    native = STUBS.get(native, native)
    if entry.startswith("__sys_"):
        entry = entry[2:]
    if column == "arm" and entry.startswith("sys_oabi"):
        entry = native
    if column in WORD32 and column != "i386":
        # The generic function with 64-bit parameters gives better names than the halves of the
        # compat function; it must take as many registers, with this ABI's rule for pairs.
        for generic in (native, "sys_" + name):
            wide = pick(found, generic, TABLES[column][2])
            real = pick(found, entry, TABLES[column][2])
            if column == "mips_o32" and re.match(r"sys_?32_", entry):
                real = None  # takes the halves as 64-bit registers of the 64-bit kernel
            if wide and any(a.rsplit(" ", 1)[0] in SPECIAL64 for a in wide[0]) and \
                    (not real or entry == generic or
                     words_of(wide[0], column) == words_of(real[0], column)):
                return generic
    return entry_variant(tree, column, entry)


def types_of(arguments):
    return [re.sub(r"^const ", "", a.rsplit(" ", 1)[0]) for a in arguments]


def key_of(entry, architecture, own, used):
    """Where an architecture's function takes something else than the one already known by this
    name, it gets the architecture's name after a slash."""
    known = used.get(entry)
    if known and types_of(filter(None, known[1].split("; "))) != types_of(own[0]) and \
            own[1].startswith("arch/"):
        return entry + "/" + architecture
    return entry


def read_tsv(path):
    if not path.exists():
        return []
    return [line.split("\t") for line in path.read_text().splitlines()
            if line and not line.startswith("#")]


def check_numbers(rows, tables):
    header, problems = rows[0], 0
    known = {row[0]: row for row in rows[1:]}
    for column, table in tables.items():
        index = header.index(column)
        for name, (number, entry, _) in sorted(table.items()):
            cell = known[name][index] if name in known else "-"
            if cell.rstrip("!") != str(number):
                print("syscalls.tsv: %s on %s is %s, the tree says %d (%s)" %
                      (name, column, cell, number, entry))
                problems += 1
    return problems


def main():
    tree = Path(sys.argv[1])
    release = "src6.12"
    found = scan(tree)
    tables = {column: read_table(tree, column) for column in TABLES}
    numbers = read_tsv(DATA / "syscalls.tsv")
    problems = check_numbers(numbers, tables)
    kept = {row[0]: row for row in read_tsv(DATA / "prototypes.tsv")[1:] if "tracefs" in row[-1]}
    entries, used = [], {}
    for row in numbers[1:]:
        name, cells = row[0], []
        for column in TABLES:
            entry = "-"
            cell = row[numbers[0].index(column)]
            if name not in tables[column] and cell[-1] not in "-!" and "sys_" + name in kept:
                entry = "sys_" + name  # newer than the tree
                used[entry] = kept[entry]
            elif cell != "-" and name in tables[column]:
                number, entry, native = tables[column][name]
                entry = choose_entry(tree, found, column, name, entry, native)
                architecture = TABLES[column][2]
                if entry in ("sys_ni_syscall", "sys32_unimplemented"):
                    entry = "-"
                else:
                    chosen = pick(found, entry, architecture)
                    key = entry
                    if entry in kept:
                        used[entry] = kept[entry]
                    if chosen:
                        key = key_of(entry, architecture, chosen, used)
                        used.setdefault(key, [key, "; ".join(chosen[0]), release + ":" + chosen[1]])
                    if key not in used:
                        print("no prototype: %s on %s (%s)" % (name, column, entry))
                    entry = key if key in used else "-"
            cells.append(entry)
        entries.append([name] + cells)
    write(DATA / "entries.tsv", ["name"] + list(TABLES), entries,
          "The kernel function behind each call on each ABI; - when unknown or not implemented.")
    write(DATA / "prototypes.tsv", ["entry", "arguments", "source"],
          [used[key] for key in sorted(used)],
          "Parameters of the kernel's entry functions. pair64 is one 64-bit value in two 32-bit words.")
    return 1 if problems else 0


def write(path, header, rows, title):
    text = "# %s\n# Made by abi/collect/kernel_source.py.\n" % title
    text += "\t".join(header) + "\n" + "".join("\t".join(row) + "\n" for row in rows)
    path.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
