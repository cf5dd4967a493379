#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSL-1.0
"""loops.py PROGRAM: the inner loops of elements_weir over a plain pointer and over arrays, as they are compiled.

Prints a line of JSON: {"loops": {"array write_all": [instruction, …], …}}. Exits with 1 if one of them has no loop of packed
instructions.
"""

import json
import re
import subprocess
import sys

KINDS = {"pointer": "pointer", "array": "weir::array<", "distributed_array": "weir::distributed_array<"}
PACKED = {"read_all": "addpd", "write_all": "mulpd"}


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def functions(program):
    """(name, [(address, instruction), …]) of each. Functions that are alike may be one with several names."""
    bodies = {}
    for part in output_of("objdump", "-dC", "--no-show-raw-insn", program).split("\n\n"):
        lines = re.findall(r"^\s*([0-9a-f]+):\s+(.*?)\s*$", part, re.MULTILINE)
        if lines:
            bodies[int(lines[0][0], 16)] = [(int(address, 16), instruction) for address, instruction in lines]
    for line in output_of("nm", "-C", program).splitlines():
        symbol = re.match(r"([0-9a-f]+) [tTwW] (.*)$", line)
        if symbol and int(symbol.group(1), 16) in bodies:
            yield symbol.group(2), bodies[int(symbol.group(1), 16)]


def inner_loops(body):
    """From where a jump goes back to, to the jump, if there is no other jump in between."""
    for last, (address, instruction) in enumerate(body):
        jump = re.match(r"j\w+\s+([0-9a-f]+)", instruction)
        if not jump or int(jump.group(1), 16) > address:
            continue
        first = next((i for i, (begin, _) in enumerate(body) if begin == int(jump.group(1), 16)), None)
        if first is None or any(each.startswith("j") for _, each in body[first:last]):
            continue
        loop = [each for _, each in body[first:last]]
        yield [" ".join(each.split()) for each in loop] + [instruction.split()[0] + " to the first"]


def main():
    found = {}
    for name, body in functions(sys.argv[1]):
        for what, packed in PACKED.items():
            anonymous = r"(\(anonymous namespace\)::)?"
            kinds = [kind for kind, text in KINDS.items() if re.search(rf"\b{what}<{anonymous}{re.escape(text)}", name)]
            # That for elements that lie side by side: whole registers are loaded and stored.
            loops = [
                loop
                for loop in inner_loops(body)
                if any(packed in each for each in loop) and not any(re.match("mov[hl]pd", each) for each in loop)
            ]
            if kinds and loops:
                found[f"{kinds[0]} {what}"] = min(loops, key=len)
    missing = [f"{kind} {what}" for kind in KINDS for what in PACKED if f"{kind} {what}" not in found]
    if missing:
        sys.exit("loops.py: not vectorised: " + ", ".join(missing))
    print(json.dumps({"loops": found}))


if __name__ == "__main__":
    main()
