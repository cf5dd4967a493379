# SPDX-License-Identifier: BSL-1.0
"""What a run decides: each target with its figure and its limit."""

import dataclasses
import statistics

from runner.results import best, ratio
from runner.schedule import ELEMENTS_COLUMNS, HEAT_ORDER, POLLED, PYTHON, STENCIL_ORDER, TRANSPOSE_ORDER
from runner.text import duration, size_text

PEERS = ["openmpi", "iceoryx", "zeromq"] + POLLED + PYTHON


@dataclasses.dataclass
class Target:
    key: str  # of bench/reasons.md
    text: str
    figure: str
    limit: str
    met: object  # True, False, or None: not measured


def target(key, text, value, limit, show, at_least=False, below=False):
    shown = show(limit)
    if at_least:
        met, shown = value is not None and value >= limit, "at least " + shown
    elif below:
        met, shown = value is not None and value < limit, "below " + shown
    else:
        met, shown = value is not None and value <= limit, "at most " + shown
    if value is None:
        return Target(key, text, "not measured", shown, None)
    return Target(key, text, show(value), shown, met)


def times(value):
    return f"{value:.2f} ×"


def precise_times(value):
    return f"{value:.3f} ×"


def milliseconds(value):
    return f"{value:.1f} ms"


def median(values):
    found = [value for value in values if value is not None]
    return statistics.median(found) if found else None


def inverse(values):
    return [1e9 / value if value else None for value in values]


def small_items(results):
    case = "one_way/spin/8"
    weir = results.values(case, "weir", "p50_ns")
    raw = results.values(case, "raw", "p50_ns")
    yield target("1a", "8 B one way, spinning: weir / the raw hand-over", ratio(weir, raw), 1.35, times)
    peers = [results.values(f"one_way/{waiting}/8", name, "p50_ns") for waiting in ("spin", "sleep") for name in PEERS]
    value = ratio(weir, best(peers, min))
    yield target("1b", "8 B one way, spinning: weir / the fastest peer", value, 1, times, below=True)

    def rate(name):
        return results.values("stream/8", name, "items_per_second")

    raw = median(inverse(rate("raw")))
    limit = max(30, 2 * raw) if raw else 30
    text = "8 B stream, an item (limit: 30 ns, or twice the raw ring if that is more)"
    yield target("2a", text, median(inverse(rate("weir"))), limit, duration)
    for key, peer, name, factor in (
        ("2b", "openmpi", "OpenMPI", 2),
        ("2c", "zeromq", "ZeroMQ", 2),
    ):
        value = ratio(rate("weir"), rate(peer))
        yield target(key, f"8 B stream, rate: weir / {name}", value, factor, times, at_least=True)
    for key, count in (("2d", 64), ("2f", 256)):
        both = [results.values(f"stream_of/{count}", name, "items_per_second") for name in ("weir", "boost_message_queue")]
        text = f"8 B stream, queues of {count} items, rate: weir / Boost's message_queue"
        yield target(key, text, ratio(*both), 20, times, at_least=True)
    both = [results.values("many/2:2", name, "items_per_second") for name in ("weir", "boost_message_queue")]
    text = "2 putters and 2 takers, rate: weir / Boost's message_queue"
    yield target("2e", text, ratio(*both), 3, times, at_least=True)


def large_items(results):
    """One line for all sizes: the worst of them."""

    def worst(prefix, field, contender, choose):
        found = []
        for case in results.cases(prefix):
            size = int(case.split("/")[-1])
            value = ratio(results.values(case, contender, field), results.values(case, "openmpi", field))
            if size > 8 and value is not None:
                found.append((value, size))
        return choose(found, default=(None, 0))

    for key, text, prefix, field, contender, limit in (
        ("3a", "put + take_view, latency: weir / OpenMPI", "one_way/spin/", "p50_ns", "weir_view", 1),
        ("3b", "put + take_view, rate: weir / OpenMPI", "stream/", "items_per_second", "weir_view", 1),
        ("3c", "put + take_into, latency: weir / OpenMPI", "one_way/spin/", "p50_ns", "weir", 1.3),
        ("3d", "put + take_into, rate: weir / OpenMPI", "stream/", "items_per_second", "weir", 1 / 1.3),
    ):
        rate = field == "items_per_second"
        value, size = worst(prefix, field, contender, min if rate else max)
        where = f" (of all sizes from 64 B the worst: {size_text(size)})" if value is not None else ""
        yield target(key, text + where, value, limit, times, at_least=rate, below=not rate and limit == 1)

    size = 8 << 20
    small = results.values("one_way/spin/8", "weir", "p50_ns")
    for key, way, when in (("3e", "ready", "over queues in use"), ("3f", "cold", "at once after writing them")):
        handed = results.values(f"hand_over/{way}/{size}", "weir_loan", "p50_ns")
        text = f"loan + view, handing over 8 MiB that are written already, {when} / 8 B one way"
        yield target(key, text, ratio(handed, small), 2, times)


def sleeping(results):
    weir, futex, pipe = (results.values("wake_up", name, "p50_ns") for name in ("weir", "futex", "pipe"))
    yield target("4a", "Sleeping taker: weir / a bare futex", ratio(weir, futex), 1.1, times)
    yield target("4b", "Sleeping taker: weir / pipe", ratio(weir, pipe), 1, times)

    rivals = ["pipe", "socketpair", "boost_message_queue"]
    rates = {name: results.values("oversubscribed/stream", name, "items_per_second") for name in rivals + ["weir"]}
    tails = {name: results.values("oversubscribed/ping_pong", name, "p99_ns") for name in rivals + ["weir"]}
    text = "8 processes on 2 CPUs, rate: weir / the best of pipe, socketpair, Boost's queue"
    value = ratio(rates["weir"], best([rates[name] for name in rivals], max))
    yield target("5a", text, value, 1, times, at_least=True)
    text = "8 processes on 2 CPUs, p99 one way: weir / the lowest of pipe, socketpair, Boost's queue"
    yield target("5b", text, ratio(tails["weir"], best([tails[name] for name in rivals], min)), 1, times)


def single_costs(results):
    both = results.median("micro", "micro", "put_take/number/8B")
    yield target("6a", "put + take of 8 B in one thread", both, 35, duration)
    call = results.median("call/spin", "weir", "p50_ns")
    yield target("6b", "Call of an empty function, worker spinning, round trip", call, 1500, duration)
    asleep = [results.values("call/sleep", name, "p50_ns") for name in ("weir", "futex")]
    text = "Call of an empty function, worker asleep: weir / two bare futex wake-ups"
    yield target("6c", text, ratio(*asleep), 1.2, times)

    used = results.values("idle", "weir_idle", "cpu_seconds")
    passed = results.values("idle", "weir_idle", "seconds")
    idle = [cpu / time * 5e3 for cpu, time in zip(used, passed) if cpu is not None]
    yield target("7a", "Eight idle workers, CPU time in 5 s", median(idle), 50, milliseconds, below=True)
    used = [results.values("paced", name, "cpu_seconds_per_million") for name in ("weir", "pipe")]
    yield target("7b", "1,000 items a second, CPU time of both processes: weir / pipe", ratio(*used), 2, times)


def teams(results):
    for key, case, text in (
        ("8a", "collective/barrier", "Barrier of 2 ranks: weir / OpenMPI"),
        ("8b", "collective/all_reduce", "all_reduce of 8 B on 2 ranks: weir / OpenMPI"),
        ("8c", f"heat/{HEAT_ORDER}/2", "Heat equation, a step of 2 workers: weir / OpenMPI"),
        ("8d", f"stencil/{STENCIL_ORDER}/2", "PRK stencil, an iteration of 2 workers: weir / OpenMPI"),
        ("8e", f"transpose/{TRANSPOSE_ORDER}/2", "PRK transpose, an iteration of 2 workers: weir / OpenMPI"),
    ):
        both = [results.values(case, name, "median_ns") for name in ("weir", "openmpi")]
        yield target(key, text, ratio(*both), 1, times)


def arrays(results):
    value = results.median("triad", "weir", "ratio")
    yield target("9a", "STREAM triad, warm, rate: arrays / malloc'ed memory", value, 0.97, times, at_least=True)
    for key, kind, name in (("9b", "array", "an array"), ("9c", "distributed", "a distributed array")):
        found = [
            (value, what)
            for what in ("read", "write")
            if (value := results.median(f"elements/{ELEMENTS_COLUMNS[-1]}", "weir", f"{kind}_{what}_ratio")) is not None
        ]
        value, what = max(found, default=(None, ""))
        where = f" (of reading and writing the worse: {what})" if found else ""
        yield target(key, f"Loop over the elements of {name}, rows of {ELEMENTS_COLUMNS[-1]:,}: a(i, j) / a plain pointer{where}", value, 1.03, precise_times)
    for key, way, text in (("9d", "kept", "a handle"), ("9e", "dropped", "none meanwhile")):
        if not results.cases(f"pass_array/{way}"):
            continue
        value = results.median(f"pass_array/{way}", "weir", "p50_ns")
        text = f"4 GiB array by its handle to a worker that has had it before, and has kept {text}"
        yield target(key, text, value, 50_000, duration, below=True)


def evaluate(results):
    return [
        *small_items(results),
        *large_items(results),
        *sleeping(results),
        *single_costs(results),
        *teams(results),
        *arrays(results),
    ]
