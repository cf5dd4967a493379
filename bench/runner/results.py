# SPDX-License-Identifier: BSL-1.0
"""The figures of a run: for each case and contender one dict a repetition."""

import statistics


class Results:
    def __init__(self):
        self.runs = {}  # case key -> contender -> [figures or None, …], by repetition
        self.reasons = {}  # (case key, contender) -> why there can be no figure
        self.failures = []  # {"case", "contender", "repetition", "text"}

    def add(self, case, contender, repetition, figures):
        of_contender = self.runs.setdefault(case, {}).setdefault(contender, [])
        of_contender.extend([None] * (repetition + 1 - len(of_contender)))
        of_contender[repetition] = figures

    def fail(self, case, contender, repetition, text):
        self.failures.append({"case": case, "contender": contender, "repetition": repetition, "text": text})
        self.add(case, contender, repetition, None)

    def values(self, case, contender, field):
        """By repetition; None where there is none."""
        runs = self.runs.get(case, {}).get(contender, [])
        return [run.get(field) if run else None for run in runs]

    def median(self, case, contender, field):
        found = [value for value in self.values(case, contender, field) if value is not None]
        return statistics.median(found) if found else None

    def failed(self, case, contender):
        return any(each["case"] == case and each["contender"] == contender for each in self.failures)

    def contenders(self, cases):
        """Those of any of these cases, each once."""
        return list(dict.fromkeys(name for case in cases for name in self.runs.get(case, {})))

    def cases(self, prefix):
        return [case for case in self.runs if case.startswith(prefix)]


def ratio(over, under):
    """The median of the ratios of single repetitions: what ran right after one another is compared, so that a machine
    that changes its speed in between changes little."""
    found = [a / b for a, b in zip(over, under) if a is not None and b]
    return statistics.median(found) if found else None


def best(lists, choose):
    """By repetition the smallest or largest of several contenders' values."""
    length = max((len(values) for values in lists), default=0)
    result = []
    for i in range(length):
        found = [values[i] for values in lists if i < len(values) and values[i] is not None]
        result.append(choose(found) if found else None)
    return result
