# SPDX-License-Identifier: BSL-1.0
"""The page: docs/benchmarks.md."""

import re

from runner.text import duration, rate, seconds, size_text

MEANING = {
    "raw": "one cache line handed over (latency), a ring of cache lines (rate), and nothing else: the limit",
    "futex": "a word that the receiver sleeps on and the sender wakes it from, and nothing else: the limit",
    "weir": "`put` and `take`; for vectors `put` and `take_into` a vector that is used again",
    "weir_view": "`put` of a vector, `take_view`",
    "weir_loan": "written in a `loan`, `take_view`",
    "openmpi": "`MPI_Send`, `MPI_Recv`; always spins",
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
        rows = [[name] + [self.cell(case, name, [field], show) for _, field, show in columns]
                for name in self.results.contenders([case])]
        return table(["contender"] + [head for head, _, _ in columns], rows) + [""]


LATENCIES = [("p50", "p50_ns", duration), ("p99", "p99_ns", duration), ("p99.9", "p99_9_ns", duration)]
CPU = ("CPU s per million", "cpu_seconds_per_million", seconds)
RATE = ("items", "items_per_second", rate)


def plot(drawn, folder, name, text):
    return [f"![{text}]({folder}/{name})", ""] if name in drawn else []


def targets_table(targets, reasons):
    answer = {True: "met", False: "**not met**", None: "not measured"}
    rows = [[each.key, each.text, each.figure, each.limit, answer[each.met]] for each in targets]
    lines = ["## Targets", "", "Each is decided within this run. A ratio is the median of the ratios of single repetitions.", "",
             "| | target | figure | limit | |", "|---|---|---:|---:|---|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows] + [""]
    missed = [each for each in targets if each.met is False]
    if missed:
        lines += ["### What is not won, and why", ""]
        for each in missed:
            lines += [f"- **{each.key}** {each.text}: {each.figure}, {each.limit}. "
                      + reasons.get(each.key, "No reason is known yet.")]
        lines.append("")
    return lines


def read_reasons(path):
    """bench/reasons.md: a heading `## KEY`, then the reason."""
    with open(path, encoding="utf-8") as file:
        parts = re.split(r"^## +(\S+) *$", file.read(), flags=re.MULTILINE)
    return {key: " ".join(text.split()) for key, text in zip(parts[1::2], parts[2::2]) if text.strip()}


def write_page(path, results, context, targets, reasons, drawn, folder):
    page = Page(results)
    out = ["# Benchmarks", "", "<!-- Written by tools/bench.sh; do not edit. -->", "",
           f"`{context['command']}`: {context['repetitions']} repetitions, the contenders in turn, the medians of the "
           "repetitions. How to read it, and how each contender is used: [bench/README.md](../bench/README.md).", ""]
    out += ["| | |", "|---|---|"] + [f"| {name} | {value} |" for name, value in context["machine"].items()]
    out += ["| Versions | " + ", ".join(f"{name} {value}" for name, value in context["versions"].items()) + " |", ""]
    out += targets_table(targets, reasons)

    out += ["## One way", "", "Half a round trip between two processes, each on its own CPU; the payload is written by one "
            "and read by the other.", ""]
    out += plot(drawn, folder, "latency.svg", "Latency against size") + plot(drawn, folder, "distribution.svg",
                                                                            "Distribution of the latency of 8 B")
    for waiting, text in (("spin", "Both sides spin"), ("sleep", "Both sides sleep while they wait")):
        prefix = f"one_way/{waiting}/"
        if results.cases(prefix):
            out += [f"### {text}", "", "Median:", ""] + page.sized(prefix, ["p50_ns"], duration, "p50_ns" if waiting == "spin" else None)
            out += ["p99 / p99.9:", ""] + page.sized(prefix, ["p99_ns", "p99_9_ns"], duration)
            out += ["CPU seconds of both processes per million messages:", ""]
            out += page.sized(prefix, ["cpu_seconds_per_million"], seconds)
    if results.cases("hand_over/"):
        out += ["### Handing over what is written already", "", "Only the hand-over is timed: the item was written before, and "
                "is read afterwards.", ""] + page.sized("hand_over/", ["p50_ns"], duration)
    if results.cases("stream/"):
        out += ["## Stream", "", "One process puts, the other takes, each on its own CPU. Items in a second:", ""]
        out += plot(drawn, folder, "rate.svg", "Rate against size") + page.sized("stream/", ["items_per_second"], rate, "items_per_second")
        out += ["CPU seconds of both processes per million items:", ""] + page.sized("stream/", ["cpu_seconds_per_million"], seconds)
    many = results.cases("many/")
    if many:
        out += ["## Several putters, several takers", "", "Items of 8 B in a second, putters : takers, on two CPUs.", ""]
        out += plot(drawn, folder, "processes.svg", "Rate against the number of processes")
        out += page.by_case(many, [case.split("/")[1].replace(":", " : ") for case in many], ["items_per_second"], rate)
    if results.cases("oversubscribed/"):
        out += ["## Eight processes on two CPUs", "", "Four pairs that stream (8 B, all together):", ""]
        out += page.named("oversubscribed/stream", [RATE, CPU])
        out += ["Four pairs that send an item there and back (8 B, one way):", ""]
        out += page.named("oversubscribed/ping_pong", LATENCIES + [CPU])
    if results.cases("wake_up"):
        out += ["## Waking up", "", "An item of 8 B to a process that sleeps; 1 ms between items.", ""]
        out += page.named("wake_up", LATENCIES + [CPU])
    if results.cases("paced"):
        out += ["## A steady load", "", "1,000 items of 8 B a second; both sides sleep in between.", ""]
        out += page.named("paced", [CPU] + LATENCIES)
    if results.cases("call/"):
        out += ["## Calls", "", "Round trip of a function that returns its argument. Worker spinning:", ""]
        out += page.named("call/spin", LATENCIES) + ["After 2 ms of sleep on both sides (futex: two bare wake-ups):", ""]
        out += page.named("call/sleep", LATENCIES)
    if results.cases("micro"):
        names = sorted({name for run in results.runs["micro"]["micro"] if run for name in run})
        rows = [[name, page.cell("micro", "micro", [name], duration)] for name in names]
        out += ["## One process", "", "With Google Benchmark (`weir_bench`).", ""] + table(["benchmark", "time"], rows) + [""]

    out += ["## Contenders", "", "| | |", "|---|---|"]
    out += [f"| {name} | {text} |" for name, text in MEANING.items()] + [""]
    if page.notes:
        out += ["n/a: " + " ".join(f"({i + 1}) {note}." for i, note in enumerate(page.notes)), ""]
    if results.failures:
        out += ["## Failures", "", "Figures marked (!) come from the repetitions that did not fail.", ""]
        out += [f"- {each['case']}, {each['contender']}, repetition {each['repetition'] + 1}: {each['text']}"
                for each in results.failures] + [""]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out))
