#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSL-1.0
"""Prints, as one line of JSON, what a put and its take cost: instructions, data reads and writes, misses in a first-level
cache. Counted by callgrind, so the same in every run of the same binary, and without what only a second process causes."""

import json
import re
import shutil
import subprocess
import sys

CASES = ["number"] + [f"{way} {size}" for size in (64, 1024, 4096) for way in ("take_into", "take_view")]
FEW, MANY = 1000, 11000
FIELDS = {"instructions": ("I refs", 0), "reads": ("D refs", 1), "writes": ("D refs", 2), "misses": ("D1 misses", 0)}


def counts(program, case, pairs):
    way, *size = case.split()
    command = ["valgrind", "--tool=callgrind", "--cache-sim=yes", "--callgrind-out-file=/dev/null", program, way]
    run = subprocess.run(command + [str(pairs)] + size, capture_output=True, text=True, check=True)
    lines = {}
    for line in run.stderr.splitlines():
        found = re.match(r"==\d+== +(\S[^:]*\S) *: +(.*)", line)
        if found:
            lines[re.sub(" +", " ", found[1])] = [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", found[2])]
    return {field: lines[name][column] for field, (name, column) in FIELDS.items()}


def main():
    if shutil.which("valgrind") is None:
        print(json.dumps({"not_available": "valgrind is not installed"}))
        return
    result = {}
    for case in CASES:
        few, many = (counts(sys.argv[1], case, pairs) for pairs in (FEW, MANY))
        for field in FIELDS:
            result[f"{case}/{field}"] = (many[field] - few[field]) / (MANY - FEW)
    print(json.dumps(result))


main()
