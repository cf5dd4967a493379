#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSL-1.0
"""Runs the contenders in turn, and writes the page, the figures and the plots. tools/bench.sh builds them before."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

from runner import machine, page, plots, schedule, targets
from runner.results import Results

SOURCES = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(SOURCES)
QUIET_LOAD = 0.5


def parse():
    parser = argparse.ArgumentParser(prog="tools/bench.sh", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="what the targets need, in less than 4 minutes")
    parser.add_argument("--only", metavar="QUESTION", action="append", help="one_way, stream, …; may be repeated")
    parser.add_argument("--repetitions", type=int, help="7, or 5 with --quick")
    parser.add_argument("--out", metavar="DIRECTORY", help="for benchmarks.md: docs, or build/bench-quick with --quick")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "bench"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.repetitions = options.repetitions or (5 if options.quick else 7)
    options.out = options.out or os.path.join(ROOT, "build/bench-quick" if options.quick else "docs")
    return options


def run_program(command, seconds):
    """Returns what it printed. Throws RuntimeError if it fails, or takes far too long."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    try:
        output, errors = process.communicate(timeout=60 + 10 * seconds)
    except subprocess.TimeoutExpired:
        raise RuntimeError("took too long") from None
    finally:
        if process.returncode is None:
            end(process)
    if process.returncode != 0:
        raise RuntimeError((errors.strip().splitlines() or [f"exit status {process.returncode}"])[-1])
    return output


def end(process):
    """Ends a program that is not done: too slow, or the user wants no more."""
    process.terminate()
    # What it has started notices, and removes what it has in shared memory; then the rest.
    time.sleep(2)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.communicate()


def figures_of(contender, output):
    if contender != "micro":
        return json.loads(output.strip().splitlines()[-1])
    in_ns = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    found = [each for each in json.loads(output)["benchmarks"] if not each.get("error_occurred")]
    return {each["name"].removesuffix("/real_time"): each["real_time"] * in_ns[each["time_unit"]] for each in found}


class Progress:
    def __init__(self, total):
        self.total, self.done, self.begin = total, 0, time.monotonic()

    def step(self, text):
        passed = time.monotonic() - self.begin
        left = f", {passed / self.done * (self.total - self.done):.0f} s left" if self.done > 5 else ""
        line = f"{self.done + 1}/{self.total}{left}: {text}"
        self.done += 1
        if sys.stdout.isatty():
            print(f"\r\033[K{line}", end="", flush=True)
        elif self.done % 25 == 1 or self.done == self.total:
            print(line, flush=True)


def run_in_turn(case, run, results, progress, programs, cpus):
    """Each contender once. Another begins each time: nobody is always the one that runs after the slowest."""
    first = run % len(case.contenders)
    for name in case.contenders[first:] + case.contenders[:first]:
        progress.step(f"{case.key} {name}")
        if (case.key, name) in results.reasons or (case.once and run > 0):
            continue
        try:
            figures = figures_of(name, run_program(case.command(name, programs, SOURCES, cpus), case.seconds))
        except (RuntimeError, OSError, ValueError, IndexError) as error:
            results.fail(case.key, name, run, str(error))
            print(f"\nFAILED: {case.key}, {name}: {error}", flush=True)
            continue
        if "not_available" in figures:
            results.reasons[case.key, name] = figures["not_available"]
            figures = None
        results.add(case.key, name, run, figures)


def run_all(cases, options):
    results = Results()
    cpus = machine.first_two_cpus()
    programs = os.path.join(options.build, "bench")
    progress = Progress(options.repetitions * sum(len(case.contenders) * case.times for case in cases))
    for repetition in range(options.repetitions):
        for case in cases:
            for run in range(repetition * case.times, (repetition + 1) * case.times):
                run_in_turn(case, run, results, progress, programs, cpus)
    print()
    return results


def write_all(results, context, options):
    folder = os.path.join(options.out, "benchmarks")
    drawn = plots.draw_all(results, folder)
    decided = targets.evaluate(results)
    with open(os.path.join(folder, "results.json"), "w", encoding="utf-8") as file:
        everything = {
            "context": context,
            "targets": [each.__dict__ for each in decided],
            "runs": results.runs,
            "not_available": [[*key, reason] for key, reason in results.reasons.items()],
            "failures": results.failures,
        }
        json.dump(everything, file)
    reasons = page.read_reasons(os.path.join(SOURCES, "reasons.md"))
    path = os.path.join(options.out, "benchmarks.md")
    page.write_page(path, results, context, decided, reasons, drawn, "benchmarks")
    for each in decided:
        answer = {True: "met", False: "NOT MET", None: "not measured"}[each.met]
        print(f"  {each.key}  {each.text}: {each.figure}, {each.limit}: {answer}")
    print(f"written: {os.path.relpath(path)}")


def main():
    options = parse()
    cases = list(schedule.quick() if options.quick else schedule.full())
    if options.only:
        cases = [case for case in cases if case.question in options.only or case.key in options.only]
    cases = [case for case in cases if case.contenders]
    if not cases:
        sys.exit(f"run.py: no such question: {', '.join(options.only)}")
    command = "tools/bench.sh" + "".join(f" {each}" for each in sys.argv[1:])
    context = {
        "command": command,
        "repetitions": options.repetitions,
        "machine": machine.describe(options.build, ROOT),
        "versions": machine.versions(),
    }
    load = machine.load_at_start()
    if load > QUIET_LOAD:
        print(f"WARNING: the load average is {load:.2f}; figures of a busy machine say little.", flush=True)
    if len(os.sched_getaffinity(0)) < 2:
        print("WARNING: there is only one CPU; figures of spinning processes say nothing.", flush=True)
    before = set(os.listdir("/dev/shm"))
    begin = time.monotonic()
    results = run_all(cases, options)
    left = set(os.listdir("/dev/shm")) - before
    if left:
        results.fail("all", "all", options.repetitions - 1, "left behind in /dev/shm: " + ", ".join(sorted(left)))
    context["minutes"] = round((time.monotonic() - begin) / 60, 1)
    write_all(results, context, options)
    print(f"measured for {context['minutes']} minutes; {len(results.failures)} failures")
    return 1 if results.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted: nothing is written")
