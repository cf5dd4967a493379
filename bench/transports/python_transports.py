# SPDX-License-Identifier: BSL-1.0
"""What the Python contenders share: multiprocessing's Pipe and Queue, the payload and its check, the line of JSON.

The payload and the methods are those of support/payload.hpp and methods/*.hpp.
"""

import argparse
import json
import multiprocessing
import os
import resource
import sys
import time

import numpy

LAST = 1 << 63
STEP = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


class WrongItem(Exception):
    """An item is wrong, missing, or came twice."""


class Payload:
    """Writes items, all words of them, and checks what was received."""

    def __init__(self, size):
        self.count = size // 8
        self.steps = numpy.arange(self.count, dtype=numpy.uint64) * numpy.uint64(STEP)
        self.item = numpy.empty(self.count, dtype=numpy.uint64)

    def write(self, number):
        numpy.add(self.steps, numpy.uint64(number), out=self.item)
        return self.item

    def read(self, words):
        number = int(words[0])
        right = (number * self.count + STEP * (self.count * (self.count - 1) // 2)) & MASK
        if len(words) != self.count or int(numpy.sum(words, dtype=numpy.uint64)) != right:
            raise WrongItem(f"the words of item {number & ~LAST} do not add up")
        return number


class Pipe:
    """Connection objects; bytes go in and come out of the same array each time."""

    def __init__(self, size):
        self.receiver, self.sender = multiprocessing.Pipe(duplex=False)
        self.buffer = numpy.empty(size // 8, dtype=numpy.uint64)

    def send(self, words):
        self.sender.send_bytes(memoryview(words).cast("B"))

    def receive(self):
        self.receiver.recv_bytes_into(memoryview(self.buffer).cast("B"))
        return self.buffer


class Queue:
    """Arrays are pickled by a thread of the sender."""

    def __init__(self, size):
        self.queue = multiprocessing.Queue(max(2, min(256, (4 << 20) // size)))

    def send(self, words):
        # A copy, since the thread pickles it later, when the next item is being written.
        self.queue.put(words.copy())

    def receive(self):
        return self.queue.get()


TRANSPORTS = {"pipe": Pipe, "queue": Queue}


def parse(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--transport", choices=sorted(TRANSPORTS), required=True)
    parser.add_argument("--bytes", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--waiting", choices=["spin", "sleep"], default="sleep")
    parser.add_argument("--pause-us", type=float, default=1000)
    parser.add_argument("--cpus")
    parser.add_argument("--buckets", action="store_true")
    options = parser.parse_args()
    if options.cpus:
        options.cpus = [int(cpu) for cpu in options.cpus.split(",")]
    else:
        options.cpus = sorted(os.sched_getaffinity(0))[:2]
    return options


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _other(function, options, queues, results):
    os.sched_setaffinity(0, {options.cpus[-1]})
    try:
        results.send(("result", function(options, queues)))
    except WrongItem as error:
        results.send(("error", str(error)))


def run(question, options, queue_count, here, there):
    """Runs here(options, queues) in this process and there(…) in another, and prints the figures.

    Both return dicts with `received` (the sum of the numbers), `sent`, `cpu_seconds` and `messages`; those that keep the
    time add `latencies` (in ns), `items` and `seconds`.
    """
    multiprocessing.set_start_method("fork")
    queues = [TRANSPORTS[options.transport](options.bytes) for _ in range(queue_count)]
    results, for_results = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_other, args=(there, options, queues, for_results), daemon=True)
    process.start()
    os.sched_setaffinity(0, {options.cpus[0]})
    try:
        mine = here(options, queues)
        kind, theirs = results.recv()
        if kind == "error":
            raise WrongItem(theirs)
        process.join()
        if mine["sent"] + theirs["sent"] != mine["received"] + theirs["received"]:
            raise WrongItem("what was received is not what was sent")
    except WrongItem as error:
        print(f"{question} of python {options.transport}: {error}", file=sys.stderr)
        sys.exit(1)
    print(json.dumps(_line(question, options, mine, theirs)))


def _line(question, options, mine, theirs):
    line = {
        "question": question,
        "contender": "python_" + options.transport,
        "bytes": options.bytes,
        "waiting": options.waiting,
    }
    latencies = mine.get("latencies") or theirs.get("latencies")
    if latencies:
        ordered = numpy.sort(numpy.array(latencies))
        line["samples"] = len(ordered)
        for name, part in (("p50_ns", 0.5), ("p99_ns", 0.99), ("p99_9_ns", 0.999)):
            line[name] = float(ordered[min(len(ordered) - 1, int(part * len(ordered)))])
        if options.buckets:
            # 3 % wide, as those of support/histogram.hpp.
            exponents = numpy.floor(numpy.log(numpy.maximum(ordered, 1)) / numpy.log(1.03))
            lowest, counts = numpy.unique(exponents, return_counts=True)
            line["buckets"] = [[float(1.03**each), int(count)] for each, count in zip(lowest, counts)]
    timed = mine if "items" in mine else theirs
    if timed.get("items"):
        line["items"] = timed["items"]
        line["seconds"] = timed["seconds"]
        line["items_per_second"] = timed["items"] / timed["seconds"]
    line["cpu_seconds"] = mine["cpu_seconds"] + theirs["cpu_seconds"]
    per_message = sum(side["cpu_seconds"] / side["messages"] for side in (mine, theirs) if side["messages"])
    line["cpu_seconds_per_million"] = per_message * 1e6
    return line


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)
