# SPDX-License-Identifier: BSL-1.0
"""What is run: cases (a question with its arguments), and who answers each of them."""

import dataclasses
import os

KI, MI, GI = 1 << 10, 1 << 20, 1 << 30
SIZES = [8, 64, KI, 4 * KI, 64 * KI, MI, 8 * MI]
CAPACITIES = [16, 64, 256, 1024]
QUICK_SIZES = [8, 4 * KI, MI]

WEIR = ["weir", "weir_view", "weir_loan"]
PYTHON = ["python_pipe", "python_queue"]
# Those that sleep unless they are told to look again and again, which they can be where they are listed here.
POLLED = ["pipe", "socketpair", "posix_mq", "boost_message_queue"]
SLEEPERS = POLLED + ["zeromq"] + PYTHON
# Those that spin by themselves, or as they are best used.
SPINNERS = ["raw"] + WEIR + ["openmpi", "iceoryx"]
MANY = ["weir", "openmpi", "iceoryx", "zeromq"] + POLLED

PAUSE_US = 1000
CALL_PAUSE_US = 2000

TEAMS = ["weir", "openmpi"]
# Those of the Parallel Research Kernels in their scripts/small.
STENCIL_ORDER, TRANSPOSE_ORDER = 1000, 2000
HEAT_ORDER, SMALL_HEAT_ORDER = 1000, 200
# One run of these says little where the machine's host has other guests, see reasons.md; the targets are about them.
MOVING = [("heat", HEAT_ORDER, 2), ("stencil", STENCIL_ORDER, 2)]
ELEMENTS_COLUMNS = (256, 1024)
TRIAD_BYTES = 128 * MI
PASSED_BYTES = 4 * GI


@dataclasses.dataclass
class Case:
    question: str
    key: str  # of the results, e.g. one_way/spin/8
    contenders: list
    seconds: float
    arguments: list = dataclasses.field(default_factory=list)
    once: bool = False  # counts, which no repetition changes
    times: int = 1  # runs in a repetition, each a figure of its own: where one run says little

    def command(self, contender, programs, sources, cpus):
        """The command line of one run. Programs are in `programs`, scripts in `sources`."""
        if contender == "micro":
            options = {"format": "json", "repetitions": 1, "report_aggregates_only": "false", "min_time": self.seconds}
            start = [os.path.join(programs, "weir_bench")]
            return start + [f"--benchmark_{name}={value}" for name, value in options.items()] + self.arguments
        if contender == "callgrind":
            script = os.path.join(sources, self.question, "count.py")
            return ["/usr/bin/python3", "-B", script, os.path.join(programs, f"{self.question}_weir")]
        if contender == "objdump":
            script = os.path.join(sources, self.question, "loops.py")
            return ["/usr/bin/python3", "-B", script, os.path.join(programs, f"{self.question}_weir")]
        if contender in PYTHON:
            script = os.path.join(sources, self.question, "python.py")
            start = ["/usr/bin/python3", "-B", script, "--transport", contender.removeprefix("python_")]
        else:
            start = [os.path.join(programs, f"{self.question}_{contender}")]
        return start + ["--seconds", str(self.seconds), "--cpus", ",".join(map(str, cpus))] + self.arguments


def sized(contenders, size):
    """Some contenders have only one size."""
    if size == 8:
        return [name for name in contenders if name not in ("weir_view", "weir_loan")]
    return [name for name in contenders if name != "raw"]


def one_way(sizes, seconds, by_size):
    for size in sizes:
        for waiting, contenders in (("spin", SPINNERS + POLLED), ("sleep", ["iceoryx"] + SLEEPERS)):
            arguments = ["--bytes", str(size), "--waiting", waiting] + (["--buckets"] if size == 8 else [])
            chosen = by_size(size, waiting, sized(contenders, size))
            yield Case("one_way", f"one_way/{waiting}/{size}", chosen, seconds, arguments)


def stream(sizes, seconds, by_size):
    for size in sizes:
        for waiting, contenders in (("spin", SPINNERS), ("sleep", SLEEPERS)):
            arguments = ["--bytes", str(size), "--waiting", waiting]
            chosen = by_size(size, waiting, sized(contenders, size))
            yield Case("stream", f"stream/{size}", chosen, seconds, arguments)


def capacities(seconds, counts):
    for count in counts:
        arguments = ["--bytes", "8", "--capacity", str(count)]
        yield Case("stream", f"stream_of/{count}", ["weir"], seconds, arguments + ["--waiting", "spin"])
        yield Case("stream", f"stream_of/{count}", ["boost_message_queue"], seconds, arguments + ["--waiting", "sleep"])


def many(shapes, seconds, contenders):
    for putters, takers in shapes:
        arguments = ["--waiting", "sleep", "--putters", str(putters), "--takers", str(takers)]
        yield Case("many", f"many/{putters}:{takers}", contenders, seconds, arguments)


def others(seconds, wake_up, oversubscribed, paced, idle_seconds, hand_over_sizes, hand_over):
    for way in ("ready", "cold"):
        for size in hand_over_sizes:
            arguments = ["--bytes", str(size), "--way", way]
            yield Case("hand_over", f"hand_over/{way}/{size}", hand_over, seconds, arguments)
    steady = ["--waiting", "sleep", "--pause-us", str(PAUSE_US)]
    yield Case("wake_up", "wake_up", wake_up, 2 * seconds, steady, times=3)  # the host's mood: 26 to 53 µs
    for way in ("stream", "ping_pong"):
        arguments = ["--waiting", "sleep", "--pairs", "4", "--way", way]
        yield Case("oversubscribed", f"oversubscribed/{way}", oversubscribed, 2 * seconds, arguments)
    yield Case("call", "call/spin", ["weir"], seconds)
    yield Case("call", "call/sleep", ["weir", "futex"], 2 * seconds, ["--pause-us", str(CALL_PAUSE_US)])
    yield Case("paced", "paced", paced, 4 * seconds, steady)
    yield Case("paced", "idle", ["weir_idle"], idle_seconds)
    yield Case("micro", "micro", ["micro"], seconds / 3, ["--benchmark_filter=^(put_take|call)/"])


def teams(seconds, shapes):
    """Programs whose processes work in step. `shapes`: of heat, stencil and transpose, (question, order, ranks)."""
    for way in ("barrier", "all_reduce"):
        yield Case("collective", f"collective/{way}", TEAMS, seconds, ["--way", way])
    for question, order, ranks in shapes:
        arguments = ["--order", str(order), "--ranks", str(ranks)]
        times = 5 if (question, order, ranks) in MOVING else 1
        yield Case(question, f"{question}/{order}/{ranks}", TEAMS, seconds, arguments, times=times)


def arrays(seconds, ways):
    """What arrays cost by themselves; these programs compare within one process, or have nobody to compare with."""
    for columns in ELEMENTS_COLUMNS:
        yield Case("elements", f"elements/{columns}", ["weir"], seconds, ["--order", str(columns)])
    yield Case("elements", "loops", ["objdump"], 1, once=True)
    yield Case("triad", "triad", ["weir"], 4 * seconds, ["--bytes", str(TRIAD_BYTES)])
    for way in ways:
        arguments = ["--bytes", str(PASSED_BYTES), "--way", way]
        yield Case("pass_array", f"pass_array/{way}", ["weir"], seconds, arguments)


def everybody(size, waiting, contenders):
    return contenders


def needed(size, waiting, contenders):
    """Everybody with 8 bytes, each in one way of waiting; with more only those that the targets compare."""
    if size == 8:
        return [name for name in contenders if waiting == "spin" or name in ["zeromq"] + PYTHON]
    return [name for name in contenders if name in ("weir", "weir_view", "openmpi")]


def needed_in_stream(size, waiting, contenders):
    return contenders if size == 8 else needed(size, waiting, contenders)


def full():
    seconds = 0.3
    shapes = [(1, 1), (2, 1), (3, 1), (4, 1), (1, 2), (1, 3), (1, 4), (2, 2)]
    yield from one_way(SIZES, seconds, everybody)
    yield from stream(SIZES, seconds, everybody)
    yield from capacities(seconds, CAPACITIES)
    yield from many(shapes, seconds, MANY)
    yield from others(
        seconds,
        # Those that the targets compare run next to each other.
        wake_up=["futex", "weir", "pipe"] + [name for name in MANY if name not in ("weir", "pipe")] + PYTHON,
        oversubscribed=MANY,
        paced=MANY,
        idle_seconds=5,
        hand_over_sizes=SIZES[1:],
        hand_over=["weir_loan", "iceoryx"],
    )
    shapes = [("heat", HEAT_ORDER, 2), ("heat", HEAT_ORDER, 4), ("heat", SMALL_HEAT_ORDER, 2)]
    shapes += [("stencil", STENCIL_ORDER, ranks) for ranks in (2, 4)]
    shapes += [("transpose", TRANSPOSE_ORDER, ranks) for ranks in (2, 4)]
    yield from teams(seconds, shapes)
    yield from arrays(seconds, ["kept", "dropped"])
    yield Case("instructions", "instructions", ["callgrind"], 20, once=True)


def quick():
    """What the targets need, and everybody once."""
    seconds = 0.12
    yield from one_way(QUICK_SIZES, seconds, needed)
    yield from stream(QUICK_SIZES, seconds, needed_in_stream)
    yield from capacities(seconds, [64, 256])
    yield from many([(2, 2)], seconds, ["weir", "boost_message_queue"])
    yield from others(
        seconds,
        wake_up=["futex", "weir", "pipe"],
        oversubscribed=["weir", "pipe", "socketpair", "boost_message_queue"],
        paced=["weir", "pipe"],
        idle_seconds=1,
        hand_over_sizes=[8 * MI],
        hand_over=["weir_loan"],
    )
    shapes = [("heat", HEAT_ORDER, 2), ("stencil", STENCIL_ORDER, 2), ("transpose", TRANSPOSE_ORDER, 2)]
    yield from teams(2 * seconds, shapes)
    yield from arrays(seconds, ["kept"])
