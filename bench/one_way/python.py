#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSL-1.0
"""one_way of Python's multiprocessing: see question.hpp and methods/ping_pong.hpp for the method."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "transports"))
from python_transports import LAST, Payload, WrongItem, cpu_seconds, now, parse, run  # noqa: E402


def receive_number(payload, queue, expected):
    item = payload.read(queue.receive())
    if item & ~LAST != expected:
        raise WrongItem(f"item {item & ~LAST} came instead of {expected}")
    return item


def ask(options, queues):
    there, back = queues
    payload = Payload(options.bytes)
    sent = received = number = before = 0
    latencies = []
    warm = now() + int(options.seconds * 0.2e9)
    end = warm + int(options.seconds * 1e9)
    begin = cpu = None
    last = 0
    while not last:
        time = now()
        if begin is None and time >= warm:
            begin, before, cpu = time, number, cpu_seconds()
        last = LAST if time >= end else 0
        number += 1
        sent += number | last
        there.send(payload.write(number | last))
        received += receive_number(payload, back, number)
        if begin is not None:
            latencies.append((now() - time) // 2)
    messages = 2 * (number - before)
    return {
        "sent": sent,
        "received": received,
        "latencies": latencies,
        "items": messages,
        "seconds": (now() - begin) / 1e9,
        "cpu_seconds": cpu_seconds() - cpu,
        "messages": messages,
    }


def answer(options, queues):
    there, back = queues
    payload = Payload(options.bytes)
    sent = received = number = item = 0
    cpu = cpu_seconds()
    while not item & LAST:
        number += 1
        item = receive_number(payload, there, number)
        received += item
        back.send(payload.write(item))
        sent += item
    return {"sent": sent, "received": received, "cpu_seconds": cpu_seconds() - cpu, "messages": 2 * number}


if __name__ == "__main__":
    run("one_way", parse(__doc__), 2, ask, answer)
