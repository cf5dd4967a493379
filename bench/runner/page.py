# SPDX-License-Identifier: BSL-1.0
"""The page: docs/benchmarks.md."""

import re

from runner.schedule import ELEMENTS_COLUMNS
from runner.text import bandwidth, duration, rate, seconds, size_text

MEANING = {
    "raw": "one cache line handed over (latency), a ring of cache lines (rate), and nothing else: the limit",
    "futex": "a word that the receiver sleeps on and the sender wakes it from, and nothing else: the limit",
    "weir": "`put` and `take`; for vectors `put` and `take_into` a vector that is used again",
    "weir_view": "`put` of a vector, `take_view`",
    "weir_loan": "written in a `loan`, `take_view`",
    "openmpi": "`MPI_Send`, `MPI_Recv`; always spins. Programs that work in step: persistent requests, "
    "`MPI_Barrier`, `MPI_Allreduce`; 4 ranks yield",
    "iceoryx": "written in a loan, read in place; polled where the others spin, otherwise a WaitSet",
    "zeromq": "PUSH and PULL over `ipc://`, written and read in its messages",
    "boost_message_queue": "`boost::interprocess::message_queue`",
    "posix_mq": "`mq_send`, `mq_receive`",
    "pipe": "`write`, `read`",
    "socketpair": "`AF_UNIX`, stream; `write`, `read`",
    "python_pipe": "`multiprocessing.Pipe`, NumPy arrays, `send_bytes`, `recv_bytes_into`",
    "python_queue": "`multiprocessing.Queue`, NumPy arrays",
}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


class Page:
    def __init__(self, results):
        self.results = results
        self.notes = []  # reasons why there is no figure, numbered

    def cell(self, case, name, fields, show):
        shown = [self.results.median(case, name, field) for field in fields]
        if all(value is not None for value in shown):
            mark = " (!)" if self.results.failed(case, name) else ""
            return " / ".join(show(value) for value in shown) + mark
        if self.results.failed(case, name):
            return "failed"
        reason = self.results.reasons.get((case, name))
        if reason is None:
            return ""
        if reason not in self.notes:
            self.notes.append(reason)
        return f"n/a ({self.notes.index(reason) + 1})"

    def by_case(self, cases, heads, fields, show, ratio_field=None):
        """A row for each contender, a column for each case; and how it compares with weir in the first of them."""
        rows = []
        ours = self.results.median(cases[0], "weir", ratio_field) if ratio_field else None
        for name in self.results.contenders(cases):
            row = [name] + [self.cell(case, name, fields, show) for case in cases]
            if ratio_field:
                value = self.results.median(cases[0], name, ratio_field)
                row.append(f"{value / ours:.2f}" if value and ours else "")
            rows.append(row)
        return table(["contender"] + heads + ([f"{heads[0]}: to weir's"] if ratio_field else []), rows) + [""]

    def sized(self, prefix, fields, show, ratio_field=None):
        cases = sorted(self.results.cases(prefix), key=lambda case: int(case.split("/")[-1]))
        if not cases:
            return []
        heads = [size_text(int(case.split("/")[-1])) for case in cases]
        return self.by_case(cases, heads, fields, show, ratio_field)

    def named(self, case, columns):
        """A row for each contender, a column for each figure of one case."""
        rows = [
            [name] + [self.cell(case, name, [field], show) for _, field, show in columns]
            for name in self.results.contenders([case])
        ]
        return table(["contender"] + [head for head, _, _ in columns], rows) + [""]


LATENCIES = [("p50", "p50_ns", duration), ("p99", "p99_ns", duration), ("p99.9", "p99_9_ns", duration)]
CPU = ("CPU s per million", "cpu_seconds_per_million", seconds)
RATE = ("items", "items_per_second", rate)


def targets_section(targets, reasons):
    answer = {True: "met", False: "**not met**", None: "not measured"}
    lines = ["## Targets", ""]
    lines += ["Each is decided within this run. A ratio is the median of the ratios of single repetitions.", ""]
    lines += ["| | target | figure | limit | |", "|---|---|---:|---:|---|"]
    lines += [f"| {each.key} | {each.text} | {each.figure} | {each.limit} | {answer[each.met]} |" for each in targets]
    lines.append("")
    missed = [each for each in targets if each.met is False]
    if missed:
        lines += ["### What is not won, and why", ""]
        for each in missed:
            reason = reasons.get(each.key, "No reason is known yet.")
            lines.append(f"- **{each.key}** {each.text}: {each.figure}, {each.limit}. {reason}")
        lines.append("")
    return lines


def read_reasons(path):
    """bench/reasons.md: a heading `## KEY`, then the reason."""
    with open(path, encoding="utf-8") as file:
        parts = re.split(r"^## +(\S+) *$", file.read(), flags=re.MULTILINE)
    return {key: " ".join(text.split()) for key, text in zip(parts[1::2], parts[2::2]) if text.strip()}


def one_way_section(page, plot):
    lines = ["## One way", ""]
    lines += ["Half a round trip between two processes, each on its own CPU;"]
    lines += ["the payload is written by one and read by the other.", ""]
    lines += plot("latency.svg", "Latency against size")
    lines += plot("distribution.svg", "Distribution of the latency of 8 B")
    for waiting, title in (("spin", "Both sides spin"), ("sleep", "Both sides sleep while they wait")):
        prefix = f"one_way/{waiting}/"
        if not page.results.cases(prefix):
            continue
        lines += [f"### {title}", "", "Median:", ""]
        lines += page.sized(prefix, ["p50_ns"], duration, "p50_ns" if waiting == "spin" else None)
        lines += ["p99 / p99.9:", ""]
        lines += page.sized(prefix, ["p99_ns", "p99_9_ns"], duration)
        lines += ["CPU seconds of both processes per million messages:", ""]
        lines += page.sized(prefix, ["cpu_seconds_per_million"], seconds)
    return lines


def hand_over_section(page, _):
    lines = ["## Handing over what is written already", ""]
    lines += ["Only the hand-over is timed: the item was written before, and is read afterwards. Median, after both sides"]
    lines += ["have exchanged a few items of 8 B over the same queues in between:", ""]
    lines += page.sized("hand_over/ready/", ["p50_ns"], duration)
    lines += ["Median of a hand-over at once, when the item's bytes have driven the queues out of the caches:", ""]
    return lines + page.sized("hand_over/cold/", ["p50_ns"], duration)


def stream_section(page, plot):
    lines = ["## Stream", "", "One process puts, the other takes, each on its own CPU. Items in a second:", ""]
    lines += plot("rate.svg", "Rate against size")
    lines += page.sized("stream/", ["items_per_second"], rate, "items_per_second")
    lines += ["CPU seconds of both processes per million items:", ""]
    lines += page.sized("stream/", ["cpu_seconds_per_million"], seconds)
    lines += ["Items of 8 B in a second, by how many a queue holds (above: 256):", ""]
    cases = sorted(page.results.cases("stream_of/"), key=lambda case: int(case.split("/")[-1]))
    if not cases:
        return lines[:-2]
    return lines + page.by_case(cases, [case.split("/")[-1] for case in cases], ["items_per_second"], rate)


def many_section(page, plot):
    lines = ["## Several putters, several takers", ""]
    lines += ["Items of 8 B in a second, putters : takers, on two CPUs.", ""]
    lines += plot("processes.svg", "Rate against the number of processes")
    cases = page.results.cases("many/")
    heads = [case.split("/")[1].replace(":", " : ") for case in cases]
    return lines + page.by_case(cases, heads, ["items_per_second"], rate)


def oversubscribed_section(page, _):
    lines = ["## Eight processes on two CPUs", "", "Four pairs that stream (8 B, all together):", ""]
    lines += page.named("oversubscribed/stream", [RATE, CPU])
    lines += ["Four pairs that send an item there and back (8 B, one way):", ""]
    return lines + page.named("oversubscribed/ping_pong", LATENCIES + [CPU])


def wake_up_section(page, _):
    lines = ["## Waking up", "", "An item of 8 B to a process that sleeps; 1 ms between items.", ""]
    return lines + page.named("wake_up", LATENCIES)


def paced_section(page, _):
    lines = ["## A steady load", "", "1,000 items of 8 B a second; both sides sleep in between.", ""]
    return lines + page.named("paced", [CPU] + LATENCIES)


def call_section(page, _):
    lines = ["## Calls", "", "Round trip of a function that returns its argument. Worker spinning:", ""]
    lines += page.named("call/spin", LATENCIES)
    lines += ["After 2 ms of sleep on both sides (futex: two bare wake-ups):", ""]
    return lines + page.named("call/sleep", LATENCIES)


def of_each(per_second):
    return duration(1e9 / per_second)


def collective_section(page, _):
    lines = ["## Meeting", "", "A barrier, and the sum of a double of each, of two processes, each on its own CPU. Median:", ""]
    cases = page.results.cases("collective/")
    return lines + page.by_case(cases, [case.split("/")[1] for case in cases], ["median_ns"], duration, "median_ns")


def steps_section(question, title, text):
    """Cases are QUESTION/ORDER/RANKS."""

    def section(page, _):
        lines = [f"## {title}", "", text, "Two ranks have a CPU each: the median. Four share two: the mean, since a step then"]
        lines += ["depends on whom the kernel lets run.", ""]
        cases = page.results.cases(f"{question}/")
        rows = []
        for name in page.results.contenders(cases):
            row = [name]
            for case in cases:
                field, show = ("median_ns", duration) if case.endswith("/2") else ("items_per_second", of_each)
                row.append(page.cell(case, name, [field], show))
            rows.append(row)
        heads = [f"{case.split('/')[1]} x {case.split('/')[1]}, {case.split('/')[2]} ranks" for case in cases]
        return lines + table(["contender"] + heads, rows) + [""]

    return section


def elements_section(page, _):
    lines = ["## Elements of arrays", "", "All elements of 512 KiB of doubles, row by row; for an element. Both go to the same memory."]
    lines += ["Reading adds it to a sum of its column; writing multiplies. The loop over a row is the same; to begin one"]
    lines += ["takes a few cycles more through an array, which short rows show.", ""]
    rows = []
    for columns in ELEMENTS_COLUMNS:
        case = f"elements/{columns}"
        for kind, name in (("array", "`array`"), ("distributed", "`distributed_array`")):
            for what in ("read", "write"):
                field = f"{kind}_{what}"
                cells = [page.cell(case, "weir", [field + end], duration) for end in ("_ns", "_pointer_ns")]
                cells.append(page.cell(case, "weir", [field + "_ratio"], "{:.3f}".format))
                rows.append([f"{name}, rows of {columns:,}, {what}"] + cells)
    lines += table(["", "a(i, j)", "plain pointer", "ratio"], rows) + [""]
    found = next((run for run in page.results.runs.get("loops", {}).get("objdump", []) if run), None)
    if found is None:
        return lines
    lines += ["The inner loops that write, as they are compiled:", ""]
    for kind, name in (("pointer", "plain pointer"), ("array", "array"), ("distributed_array", "distributed_array")):
        lines += [f"    {name}:"] + [f"        {each}" for each in found["loops"][f"{kind} write_all"]] + [""]
    return lines


def triad_section(page, _):
    lines = ["## Memory of arrays", "", "STREAM's triad of one process over three vectors of 128 MiB, all touched before:", ""]
    cells = [page.cell("triad", "weir", [f"{kind}_bytes_per_second"], bandwidth) for kind in ("array", "malloc")]
    return lines + table(["arrays", "malloc'ed", "ratio"], [cells + [page.cell("triad", "weir", ["ratio"], "{:.3f}".format)]]) + [""]


def pass_array_section(page, _):
    lines = ["## Passing an array on", "", "4 GiB from worker to worker, by the handle in a channel and back, halved. *Kept*: the other"]
    lines += ["keeps a handle; *dropped*: it has none in between. *First*: it has not had the array before.", ""]
    rows = []
    for case in page.results.cases("pass_array/"):
        fields = [["first_ns"], ["p50_ns"], ["p99_ns"]]
        rows.append([case.split("/")[1]] + [page.cell(case, "weir", field, duration) for field in fields])
    return lines + table(["", "first", "p50", "p99"], rows) + [""]


def micro_section(page, _):
    names = sorted({name for run in page.results.runs["micro"]["micro"] if run for name in run})
    rows = [[name, page.cell("micro", "micro", [name], duration)] for name in names]
    lines = ["## One process", "", "With Google Benchmark (`weir_bench`).", ""]
    return lines + table(["benchmark", "time"], rows) + [""]


def instructions_section(page, _):
    lines = ["## Instructions", ""]
    lines += ["Of a put and its take in one process, counted by callgrind; misses in a first-level cache as it simulates one.", ""]
    fields = ["instructions", "reads", "writes", "misses"]
    found = next((run for run in page.results.runs["instructions"]["callgrind"] if run), None)
    if found is None:
        reason = page.results.reasons.get(("instructions", "callgrind"), "failed")
        return lines + [f"Not counted: {reason}.", ""]
    names = list(dict.fromkeys(key.rsplit("/", 1)[0] for key in found))
    rows = [[f"`{name}` B" if " " in name else f"{name}, 8 B"] + [f"{found[f'{name}/{field}']:.0f}" for field in fields]
            for name in names]
    return lines + table(["item"] + fields, rows) + [""]


SECTIONS = [
    ("one_way/", one_way_section),
    ("hand_over/", hand_over_section),
    ("stream/", stream_section),
    ("many/", many_section),
    ("oversubscribed/", oversubscribed_section),
    ("wake_up", wake_up_section),
    ("paced", paced_section),
    ("call/", call_section),
    ("collective/", collective_section),
    ("heat/", steps_section("heat", "Heat equation", "A step: Jacobi, doubles, and the largest change for all.")),
    ("stencil/", steps_section("stencil", "Stencil", "An iteration of that of the Parallel Research Kernels: star, radius 2.")),
    ("transpose/", steps_section("transpose", "Transpose", "An iteration of that of the Parallel Research Kernels.")),
    ("elements", elements_section),
    ("triad", triad_section),
    ("pass_array/", pass_array_section),
    ("micro", micro_section),
    ("instructions", instructions_section),
]


def head_section(context):
    lines = ["# Benchmarks", "", "<!-- Written by tools/bench.sh; do not edit. -->", ""]
    lines += [f"`{context['command']}`: {context['repetitions']} repetitions, the contenders in turn, the medians of them."]
    lines += ["How to read this, and how each contender is used: [bench/README.md](../bench/README.md).", ""]
    lines += ["| | |", "|---|---|"] + [f"| {name} | {value} |" for name, value in context["machine"].items()]
    versions = ", ".join(f"{name} {version}" for name, version in context["versions"].items())
    return lines + [f"| Versions | {versions} |", ""]


def tail_section(page):
    lines = ["## Contenders", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in MEANING.items()] + [""]
    if page.notes:
        lines += ["n/a: " + " ".join(f"({i + 1}) {note}." for i, note in enumerate(page.notes)), ""]
    if page.results.failures:
        lines += ["## Failures", "", "Figures marked (!) come from the repetitions that did not fail.", ""]
        for each in page.results.failures:
            where = f"{each['case']}, {each['contender']}, repetition {each['repetition'] + 1}"
            lines.append(f"- {where}: {each['text']}")
        lines.append("")
    return lines


def write_page(path, results, context, targets, reasons, drawn, folder):
    """`drawn` are the plots that there are, in `folder`."""

    def plot(name, text):
        return [f"![{text}]({folder}/{name})", ""] if name in drawn else []

    page = Page(results)
    lines = head_section(context) + targets_section(targets, reasons)
    for prefix, section in SECTIONS:
        if results.cases(prefix):
            lines += section(page, plot)
    lines += tail_section(page)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
