#!/usr/bin/env python3
"""Makes manual_names.tsv from section 2 of the manual (Debian's manpages-dev).

Usage: manual_names.py [/usr/share/man/man2]

A row says what the manual calls the parameter that the kernel calls so. Prototypes are taken from
the whole page, since clone(2) shows the raw call in its notes; one is believed only if it lines up
with the kernel's parameter list, pointers where pointers are; the C library's wrapper may have more
parameters at the end (faccessat). Halves of a 64-bit value, and padding, have no name in the manual.
A name that the kernel uses for another parameter of the same call is not taken: it is the wrapper's
order, and not the call's.
"""
import gzip
import re
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"


def read_tsv(path):
    return [line.split("\t") for line in path.read_text().splitlines()
            if line and not line.startswith("#")][1:]


# ---- pages --------------------------------------------------------------------------------------

def page_text(directory, name, depth=0):
    path = directory / (name + ".2.gz")
    if not path.exists() or depth > 3:
        return ""
    text = gzip.open(path, "rt", errors="replace").read()
    link = re.match(r"\.so man2/([\w.-]+)\.2", text)
    return page_text(directory, link.group(1), depth + 1) if link else text


def plain(text):
    """Roff without fonts: the arguments of .BI and its like joined, comments kept."""
    lines = []
    for line in text.replace("\\\n", "").splitlines():
        line = re.sub(r'\\"(?!").*$', "", line) if line.startswith((".\\", "'\\")) else line
        line = re.sub(r"\\f.|\\&|\\,|\\/", "", line).replace("\\-", "-").replace("\\ ", " ")
        match = re.match(r"\.(BI|BR|IB|RB|RI|IR|B|I)\s+(.*)", line)
        if match and len(match.group(1)) == 2:
            words = re.findall(r'"((?:[^"]|"")*)"|(\S+)', match.group(2))
            line = "".join(a or b for a, b in words)
        elif match:
            line = match.group(2).replace('"', "")
        elif line.startswith("."):
            line = ";"
        lines.append(line)
    return "\n".join(lines)


PROTOTYPE = re.compile(r"(?:^|[\s*])([a-z_]\w*)\(((?:[^();]|\([^();]*\))*)\)\s*;")


def split_parameters(inner):
    parameters, depth, current = [], 0, ""
    for character in inner:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parameters.append(current)
            current = ""
        else:
            current += character
    return [p.strip() for p in parameters + [current] if p.strip()]


def parameter(words):
    """(name, pointer) of one parameter; (None, False) for what cannot be read."""
    words = re.sub(r"\b(_Nullable|_Nonnull|restrict|volatile|const)\b", " ", words)
    function = re.match(r".*\(\s*\*\s*(\w+)\s*\)\s*\(", words)
    if function:
        return function.group(1), True
    pointer = "*" in words or "[" in words
    words = re.sub(r"\[[^\]]*\]", " ", words).replace("*", " ").split()
    if len(words) < 2 or not re.match(r"[a-z_]\w*$", words[-1]):
        return None, False
    return words[-1], pointer


def prototypes(text):
    """[(name, [(parameter, pointer)])] of a page; "..." with a commented name becomes parameters."""
    found = []
    text = re.sub(r"/\*(?!\s*\w[\w*]*(?:\s+\**\w+)*(?:\s*,[^*]*)?\s*\*/\s*\))(?:.|\n)*?\*/", " ", text)
    text = text.replace("/*", " ").replace("*/", " ")
    for name, inner in PROTOTYPE.findall(text):
        cells = split_parameters(inner.replace("\n", " "))
        if name == "syscall" and cells and cells[0].startswith("SYS_"):
            name, cells = cells[0][4:], cells[1:]
        if cells == ["void"]:
            continue
        places = []
        for cell in cells:
            if cell.startswith("..."):
                cell = cell[3:].strip()
                cell = cell if " " in cell else "any " + cell
                if cell == "any ":
                    break
            places.append(parameter(cell))
        found.append((name, places))
    return found


# ---- matching ---------------------------------------------------------------------------------------

FREE = {"unsigned long", "compat_ulong_t", "long", "compat_uptr_t", "aio_context_t", "uintptr_t"}
POINTERS = {"cap_user_header_t", "cap_user_data_t", "__sighandler_t", "compat_uptr_t"}
MANUAL_POINTERS = {"hdrp", "datap", "handler", "oldhandler", "addr"}  # of typedefs that are pointers


def lines_up(places, kernel):
    if not places:
        return False
    if "arg_struct" in kernel[0][0]:
        return False  # the parameters lie in memory
    for (name, pointer), (kind, _) in zip(places, kernel):
        is_pointer = kind.endswith("*") or kind in POINTERS
        if name is None:
            return False
        if pointer != is_pointer and kind not in FREE and name not in MANUAL_POINTERS:
            return False
    return True


HALF = re.compile(r"(?!arg\d$).*(lo|hi|low|high|[a-z]\d)$|^(dummy|unused\d*|__?pad|reg\d)$|pos_h$")


# The manual's function for a call of another name, where no rule below finds it.
FUNCTIONS = {
    "pselect6": "pselect", "_newselect": "select", "umount2": "umount2", "newfstatat": "fstatat",
    "prlimit64": "prlimit", "fadvise64": "posix_fadvise", "fadvise64_64": "posix_fadvise",
    "arm_fadvise64_64": "posix_fadvise", "exit_group": "_exit", "exit": "_exit",
    "signalfd4": "signalfd", "eventfd2": "eventfd", "ugetrlimit": "getrlimit",
    "sched_rr_get_interval_time64": "sched_rr_get_interval", "semtimedop_time64": "semtimedop",
    "llseek": "_llseek", "arm_sync_file_range": "sync_file_range2", "mq_getsetattr": "mq_getsetattr",
    "sync_file_range2": "sync_file_range2", "faccessat2": "faccessat", "fchmodat2": "fchmodat",
    "oldolduname": "uname", "olduname": "uname", "oldstat": "stat", "oldfstat": "fstat",
    "oldlstat": "lstat", "bdflush": "bdflush", "timer_gettime64": "timer_gettime",
    "timer_settime64": "timer_settime", "sendfile64": "sendfile", "mmap2": "mmap2",
}


# Parameters of the C library's function that stand where the call has another.
WRAPPER_ONLY = {("signalfd", "flags"), ("signalfd4", "flags")}


def is_misplaced(call, manual, place, kernel):
    """Does the name belong to another parameter, or to the C library's function alone?"""
    elsewhere = [name for i, (_, name) in enumerate(kernel) if i != place]
    return manual in elsewhere or (call, manual) in WRAPPER_ONLY and kernel[place][1] != manual


def candidates(call):
    names = [call]
    if call in FUNCTIONS:
        names.append(FUNCTIONS[call])
    for pattern, replacement in ((r"_time64$", ""), (r"64$", ""), (r"32$", ""), (r"^rt_", ""),
                                 (r"6_time64$", ""), (r"\d$", ""), (r"^old", "")):
        changed = re.sub(pattern, replacement, call)
        if changed and changed not in names:
            names.append(changed)
    if call.startswith("rt_") and call.endswith("_time64"):
        names.append(call[3:-7])
    return names


def kernel_lists(call, entries, prototype):
    """The distinct parameter lists that ABIs have for a call: [(type, name)...]."""
    lists = []
    for entry in entries[call]:
        if entry in prototype:
            parameters = [tuple(a.rsplit(" ", 1)) for a in prototype[entry].split("; ") if a]
            if parameters and parameters not in lists:
                lists.append(parameters)
    return lists


def match(call, kernel, directory):
    """The manual's names for a kernel list, as many as are known."""
    for candidate in candidates(call):
        page = page_text(directory, call) or page_text(directory, candidate)
        fitting = [places for name, places in prototypes(plain(page))
                   if name == candidate and lines_up(places, kernel)]
        if fitting:
            # The order of clone's last parameters differs: most names in common wins.
            def common(places):
                return (-abs(len(places) - len(kernel)), sum(p[0] in k[1] or k[1] in p[0]
                                         for p, k in zip(places, kernel)))
            return max(fitting, key=common)
    return []


def rows_for(call, entries, prototype, directory):
    rows = {}
    for kernel in kernel_lists(call, entries, prototype):
        for place, ((manual, _), (_, name)) in enumerate(zip(match(call, kernel, directory), kernel)):
            if is_misplaced(call, manual, place, kernel):
                continue
            if manual == name or not HALF.match(name):
                rows.setdefault(name, manual)
            else:
                break  # what comes behind a half is out of step
    return rows


def main():
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/man/man2")
    prototype = {row[0]: row[1] for row in read_tsv(DATA / "prototypes.tsv")}
    entries = {row[0]: row[1:] for row in read_tsv(DATA / "entries.tsv")}
    lines = ["# What section 2 of the manual calls the parameters that the kernel calls so.",
             "# Made by abi/collect/manual_names.py from Debian 12's manpages-dev (6.03).",
             "call\tkernel\tmanual"]
    for call in sorted(entries):
        rows = rows_for(call, entries, prototype, directory)
        lines += ["%s\t%s\t%s" % (call, name, manual) for name, manual in rows.items()]
        if not rows and kernel_lists(call, entries, prototype):
            print("no manual names:", call, file=sys.stderr)
    (DATA / "manual_names.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
