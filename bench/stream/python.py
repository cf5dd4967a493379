#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSL-1.0
"""stream of Python's multiprocessing: see question.hpp and methods/stream.hpp for the method."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "transports"))
from python_transports import LAST, Payload, WrongItem, cpu_seconds, now, parse, run  # noqa: E402


def put(options, queues):
    payload = Payload(options.bytes)
    number = sent = 0
    cpu = cpu_seconds()
    end = now() + int(options.seconds * 1.2e9)
    last = 0
    while not last:
        last = LAST if now() >= end else 0
        queues[0].send(payload.write(number | last))
        sent += number | last
        number += 1
    return {"sent": sent, "received": 0, "cpu_seconds": cpu_seconds() - cpu, "messages": number}


def take(options, queues):
    payload = Payload(options.bytes)
    number = received = item = before = counted = 0
    flowing = now() + int(options.seconds * 0.2e9)
    latest = flowing + int(options.seconds * 1e9)
    begin = end = cpu = None
    while not item & LAST:
        item = payload.read(queues[0].receive())
        if item & ~LAST != number:
            raise WrongItem(f"item {item & ~LAST} came instead of {number}")
        received += item
        number += 1
        time = now()
        if begin is None and time >= flowing:
            begin = end = time
            before, cpu = number, cpu_seconds()
        elif begin is not None and time < latest:
            end, counted = time, number - before
    return {
        "sent": 0,
        "received": received,
        "items": counted,
        "seconds": (end - begin) / 1e9,
        "cpu_seconds": cpu_seconds() - cpu,
        "messages": number - before,
    }


if __name__ == "__main__":
    run("stream", parse(__doc__), 1, put, take)
