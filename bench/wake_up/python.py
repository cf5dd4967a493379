#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSL-1.0
"""wake_up of Python's multiprocessing: see question.hpp and methods/stamped.hpp for the method."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "transports"))
from python_transports import LAST, Payload, WrongItem, cpu_seconds, now, parse, run  # noqa: E402


def send_all(options, queues):
    payload = Payload(8)
    pause = int(options.pause_us * 1e3)
    sent = count = item = 0
    cpu = cpu_seconds()
    end = now() + 20 * pause + int(options.seconds * 1e9)
    while not item & LAST:
        next_time = now() + pause
        while now() < next_time:
            pass
        item = now() | (LAST if next_time >= end else 0)
        queues[0].send(payload.write(item))
        sent += item
        count += 1
    return {"sent": sent, "received": 0, "cpu_seconds": cpu_seconds() - cpu, "messages": count}


def receive_all(options, queues):
    payload = Payload(8)
    received = item = newest = 0
    latencies = []
    cpu = cpu_seconds()
    while not item & LAST:
        item = payload.read(queues[0].receive())
        latencies.append(now() - (item & ~LAST))
        received += item
        if item & ~LAST <= newest or latencies[-1] < 0:
            raise WrongItem("a time came that is not between the last and now")
        newest = item & ~LAST
    return {
        "sent": 0,
        "received": received,
        "latencies": latencies,
        "cpu_seconds": cpu_seconds() - cpu,
        "messages": len(latencies),
    }


if __name__ == "__main__":
    run("wake_up", parse(__doc__), 1, send_all, receive_all)
