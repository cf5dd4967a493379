# SPDX-License-Identifier: BSL-1.0
"""The plots, as SVG."""

import collections
import os

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as pyplot  # noqa: E402
from matplotlib.ticker import FuncFormatter, NullLocator  # noqa: E402

from runner.text import duration, rate, size_text  # noqa: E402

# Colours that colour-blind people can tell apart (Okabe and Ito, then Tol); a contender has the same in each plot, and
# its own marker.
STYLES = {
    "raw": ("#000000", "x"),
    "futex": ("#000000", "x"),
    "weir": ("#0072B2", "o"),
    "weir_view": ("#56B4E9", "s"),
    "weir_loan": ("#009E73", "D"),
    "openmpi": ("#D55E00", "^"),
    "iceoryx": ("#E69F00", "v"),
    "zeromq": ("#CC79A7", "<"),
    "boost_message_queue": ("#882255", ">"),
    "posix_mq": ("#999933", "P"),
    "pipe": ("#666666", "h"),
    "socketpair": ("#332288", "*"),
    "python_pipe": ("#DDAA33", "1"),
    "python_queue": ("#AA4499", "2"),
}


def style(contender):
    colour, marker = STYLES[contender]
    ours = contender.startswith("weir")
    return {
        "color": colour,
        "marker": marker,
        "markersize": 5,
        "linewidth": 2.2 if ours else 1.1,
        "linestyle": "--" if contender in ("raw", "futex") else "-",
        "zorder": 3 if ours else 2,
    }


def axis(which, scale, texts, ticks=None):
    """`scale` is the base of a logarithmic axis, None: a linear one."""
    if scale:
        set_scale = which.axes.set_xscale if which.axis_name == "x" else which.axes.set_yscale
        set_scale("log", base=scale)
    which.set_major_formatter(FuncFormatter(lambda value, _: texts(value).replace(".00 ", " ").replace(".0 ", " ")))
    if ticks:
        which.set_ticks(ticks)
        which.set_minor_locator(NullLocator())


def save(figure, path):
    figure.savefig(path, format="svg", bbox_inches="tight")
    pyplot.close(figure)


def legend(axes):
    """To the right of the plot, in the order of STYLES."""
    order = list(STYLES)
    lines = sorted(axes.get_lines(), key=lambda line: order.index(line.get_label()))
    axes.legend(handles=lines, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


def new(columns=1):
    return pyplot.subplots(1, columns, figsize=(8.5, 5), sharey=True, squeeze=False)


def by_size(results, prefixes, field, texts, label, path):
    """Latency or rate against size. Of several ways of waiting a contender is shown with the best."""
    better = min if field.endswith("_ns") else max
    points = collections.defaultdict(dict)
    for prefix in prefixes:
        for case in results.cases(prefix):
            size = int(case.split("/")[-1])
            for name in results.contenders([case]):
                value = results.median(case, name, field)
                if value is not None:
                    points[name][size] = better(value, points[name].get(size, value))
    sizes = sorted({size for of_name in points.values() for size in of_name})
    figure, [[axes]] = new()
    for name, of_name in points.items():
        axes.plot(sorted(of_name), [of_name[size] for size in sorted(of_name)], label=name, **style(name))
    axis(axes.xaxis, 2, lambda size: size_text(int(size)), sizes)
    axis(axes.yaxis, 10, texts)
    axes.set_xlabel("size of an item")
    axes.set_ylabel(label)
    axes.grid(True, which="major", alpha=0.3)
    legend(axes)
    save(figure, path)


def merged(runs):
    """The samples of all repetitions: sorted latencies, and for each the part of the samples that are above it."""
    counts = collections.Counter()
    for run in runs:
        for lowest, count in (run or {}).get("buckets", []):
            counts[lowest] += count
    total, seen = sum(counts.values()), 0
    for lowest in sorted(counts):
        seen += counts[lowest]
        yield lowest, max(total - seen, 0.5) / total


def distribution(results, cases, path):
    figure, [[axes]] = new()
    latest = {}
    for case in cases:
        for name, runs in results.runs.get(case, {}).items():
            points = list(merged(runs))
            if points:
                latest.setdefault(name, points)  # the first way of waiting that it has
    for name, points in latest.items():
        look = style(name) | {"marker": ""}
        parts = [1 / above for _, above in points]
        axes.step(parts, [lowest for lowest, _ in points], where="post", label=name, **look)
    axes.set_xlim(1, 1e5)
    axis(axes.xaxis, 10, lambda part: f"{100 - 100 / part:.7g} %", [1, 10, 100, 1000, 1e4, 1e5])
    axis(axes.yaxis, 10, duration)
    axes.set_xlabel("part of the items that are at least as fast")
    axes.set_ylabel("one way, 8 B")
    axes.grid(True, which="major", alpha=0.3)
    legend(axes)
    save(figure, path)


def processes(results, path):
    """Rate against the number of putters, and of takers."""
    figure, [panels] = new(2)
    for axes, side, title in ((panels[0], 0, "putters, one taker"), (panels[1], 1, "takers, one putter")):
        shapes = {case: [int(n) for n in case.split("/")[1].split(":")] for case in results.cases("many/")}
        shapes = {case: shape[side] for case, shape in shapes.items() if shape[1 - side] == 1}
        for name in results.contenders(shapes):
            points = {count: results.median(case, name, "items_per_second") for case, count in shapes.items()}
            known = sorted(count for count, value in points.items() if value is not None)
            axes.plot(known, [points[count] for count in known], label=name, **style(name))
        axis(axes.yaxis, 10, rate)
        axis(axes.xaxis, None, lambda count: f"{count:.0f}", sorted(set(shapes.values())))
        axes.set_xlabel(title)
        axes.grid(True, which="major", alpha=0.3)
    panels[0].set_ylabel("items of 8 B, all together")
    legend(panels[1])
    save(figure, path)


def draw_all(results, directory):
    # The same figures give the same files; text stays text.
    matplotlib.rcParams.update({"svg.hashsalt": "weir", "svg.fonttype": "none", "font.size": 10})
    matplotlib.rcParams["axes.spines.top"] = matplotlib.rcParams["axes.spines.right"] = False
    os.makedirs(directory, exist_ok=True)
    for name in os.listdir(directory):
        if name.endswith(".svg"):
            os.remove(os.path.join(directory, name))  # of an earlier run
    drawn = []

    def draw(name, cases, function, *arguments):
        if any(results.cases(prefix) for prefix in cases):
            function(results, *arguments, os.path.join(directory, name))
            drawn.append(name)

    both = ["one_way/spin/", "one_way/sleep/"]
    draw("latency.svg", both, by_size, both, "p50_ns", duration, "one way, median")
    draw("rate.svg", ["stream/"], by_size, ["stream/"], "items_per_second", rate, "items, one putter and one taker")
    draw("distribution.svg", both, distribution, ["one_way/spin/8", "one_way/sleep/8"])
    if len(results.cases("many/")) > 1:
        draw("processes.svg", ["many/"], processes)
    return drawn
