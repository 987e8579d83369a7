"""The examples of docs/LANGUAGE.md as files.

    language_blocks.py PAGE DIRECTORY

Writes NUMBER-KIND.policy for each block, NUMBER being the line of the page where it starts. KIND is
  good     must compile without a word
  warning  must compile, with the diagnostics in NUMBER-warning.expected
  error    must be refused, with the diagnostics in NUMBER-error.expected
"""
import pathlib
import sys

KINDS = {"policy": "good", "policy-fragment": "good", "policy-error": "error", "policy-warning": "warning"}


def blocks(lines):
    """Yields (line number, kind, text) of each fenced block."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and line.startswith("```"):
            start, kind, text = number, line[3:].strip(), []
        elif start is not None and line.startswith("```"):
            yield start, kind, "".join(text)
            start = None
        elif start is not None:
            text.append(line)
    if start is not None:
        sys.exit(f"the block of line {start} does not end")


def main():
    page, directory = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    header = waiting = None
    for number, kind, text in blocks(page.read_text(encoding="utf-8").splitlines(keepends=True)):
        if waiting and kind != "diagnostic":
            sys.exit(f"the block before line {number} has no diagnostic")
        if kind == "policy-header":
            header = text
        elif kind == "diagnostic":
            if not waiting:
                sys.exit(f"the diagnostic of line {number} follows no example")
            (directory / f"{waiting}.expected").write_text(text, encoding="utf-8")
            waiting = None
        elif kind in KINDS:
            name = f"{number:04}-{KINDS[kind]}"
            text = header + text if kind == "policy-fragment" else text
            (directory / f"{name}.policy").write_text(text, encoding="utf-8")
            waiting = name if KINDS[kind] != "good" else None
        else:
            sys.exit(f"the block of line {number} has an unknown kind: {kind}")
    if waiting:
        sys.exit(f"the last block has no diagnostic: {waiting}")


main()
