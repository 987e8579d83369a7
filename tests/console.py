"""Runs the `console` blocks of a Markdown file and compares what they print, so that documents show real output.

    tests/console.py FILE.md BPFPROOF [--bless]

A fenced block whose first line is `# NAME` and whose language is `policy` is first written to NAME in an empty
directory. A `console` block holds `$ COMMAND` lines, each followed by its output (both streams); `bpfproof` is the program under
test. Times are masked: a number before `ms` is read as N. --bless rewrites the blocks, and refuses where CI is set.
"""
import os
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def run(command, program, work):
    env = dict(os.environ, PATH=os.path.dirname(program) + ":" + os.environ["PATH"])
    done = subprocess.run(["sh", "-c", command], cwd=work, env=env, text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return re.sub(r"\b\d+(\.\d+)? ms\b", "N ms", done.stdout)


def main():
    path, program = sys.argv[1], os.path.abspath(sys.argv[2])
    bless = "--bless" in sys.argv
    if bless and os.environ.get("CI"):
        sys.exit("console.py: not blessing in CI")
    text = open(path).read()
    work = tempfile.mkdtemp()
    wrong = [0]
    blocks = [0]

    def block(match):
        language, body = match.groups()
        if language == "policy" and body.startswith("# "):
            name = body.split("\n", 1)[0][2:].strip()
            if re.fullmatch(r"[\w.-]+", name):
                open(os.path.join(work, name), "w").write(body)
        if language != "console":
            return match.group(0)
        blocks[0] += 1
        commands = [line[2:] for line in body.split("\n") if line.startswith("$ ")]
        now = "".join("$ %s\n%s" % (command, run(command, program, work)) for command in commands)
        if now != body:
            wrong[0] += 1
            if not bless:
                print("%s: this block is not what the commands print:\n%s--- they print:\n%s" % (path, body, now))
        return "```console\n%s```" % now

    new = FENCE.sub(block, text)
    if bless:
        open(path, "w").write(new)
        return
    if blocks[0] == 0:
        sys.exit("%s: no console block" % path)
    sys.exit(wrong[0] != 0)


main()
