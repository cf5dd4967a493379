# SPDX-License-Identifier: BSL-1.0
"""Numbers as people read them."""


def digits(value):
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def duration(nanoseconds):
    for unit, factor in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= factor:
            return f"{digits(nanoseconds / factor)} {unit}"
    return f"{digits(nanoseconds)} ns"


def rate(per_second):
    for unit, factor in (("M", 1e6), ("k", 1e3)):
        if per_second >= factor:
            return f"{digits(per_second / factor)} {unit}/s"
    return f"{digits(per_second)} /s"


def bandwidth(bytes_per_second):
    return f"{digits(bytes_per_second / 1e9)} GB/s"


def seconds(value):
    return digits(value)


def size_text(size):
    if size >= 1 << 20:
        return f"{size >> 20} MiB"
    return f"{size >> 10} KiB" if size >= 1 << 10 else f"{size} B"
