#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""check_json.py WEIR SCHEMAS

Runs every command of WEIR that has --json, on whatever is in shared memory, and validates what it prints against
SCHEMAS/COMMAND.schema.json. Which commands there are, and what they take, `weir help --json` tells: a new command is
checked by being there, and fails without a schema. What its arguments are made from is in candidates(); a command that
needs more than that to be run has its entry in RECIPES. Exits with 1, and says why, if anything is wrong.
"""
import json
import os
import subprocess
import sys
import tempfile

import jsonschema

WATCHDOG_S = 60

# Commands that change something: run last, in this order.
CHANGING = ["dump", "restore", "export", "trace", "gc", "rm"]

# How a command is run, beside --json, where what lines_for() makes of its arguments would not do: in these words only,
# once with each candidate for {name}, {channel}, {array} or {session}; {dir} is an empty directory.
RECIPES = {
    "completion": [],
    "dump": [["{channel}", "{dir}/items.dump", "--force"]],
    "export": [["{array}", "{dir}/array.npy", "--force"]],
    "restore": [
        ["{dir}/items.dump", "restored"],
        ["{dir}/items.dump", "restored"],
        ["{dir}/items.dump", "restored", "--into", "--timeout", "0.1"],
        ["{dir}/nothing", "restored again"],
    ],
    "rm": [["--dry-run", "{name}"], ["--dry-run", "*"], ["--yes", "no-such-name"], ["--yes", "*"]],
    "top": [["--once"]],
    "trace": [
        ["{session}"],
        ["{session}", "--start"],
        ["{session}"],
        ["{session}", "{dir}/trace.json", "--force"],
        ["{session}", "--stop"],
    ],
}
# Options that are not tried one by one.
UNTRIED = {"-h", "--help", "--json", "--version", "--yes", "--force"}


def fail(text):
    print(text)
    fail.count += 1


fail.count = 0


def run(weir, words):
    """Exit status, stdout, stderr."""
    done = subprocess.run([weir, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=WATCHDOG_S)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def documents(text):
    """All JSON documents in it, one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        yield value
        while at < len(text) and text[at].isspace():
            at += 1


# ---- the schemas themselves


def resolved(root, schema):
    while "$ref" in schema:
        target = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def check_schema(path, root):
    """Every object is closed, every member described."""
    if root.get("$schema") != "https://json-schema.org/draft/2020-12/schema":
        fail(f"{path}: $schema is not that of draft 2020-12")
    jsonschema.Draft202012Validator.check_schema(root)

    def look_at(schema, where):
        if isinstance(schema, list):
            for number, each in enumerate(schema):
                look_at(each, f"{where}/{number}")
        if not isinstance(schema, dict):
            return
        members = schema.get("properties")
        if isinstance(members, dict):
            is_part = where.startswith("/$defs/") and where.endswith("_members")  # of others, by allOf
            closed = schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False
            if not closed and not is_part:
                fail(f"{path}{where}: neither additionalProperties nor unevaluatedProperties is false")
            for name, member in members.items():
                if not resolved(root, member).get("description"):
                    fail(f"{path}{where}: {name} has no description")
                look_at(member, f"{where}/properties/{name}")
        for key, value in schema.items():
            if key not in ("properties", "enum", "const", "required", "dependentRequired"):
                look_at(value, f"{where}/{key}")

    look_at(root, "")


# ---- what the commands are run with


def candidates(word, names, directory):
    """Words for an argument of that name."""
    of_kind = lambda kind: [each["name"] for each in names if each.get("kind") == kind]
    sessions = [name.removeprefix("@").removesuffix(".session") for name in of_kind("session")]
    if word.startswith("CHANNEL"):
        return of_kind("channel") + ["no-such-channel"]
    if word.startswith("ARRAY"):
        return of_kind("array") + ["no-such-array"]
    if word.startswith("SESSION"):
        return sessions + ["no-such-session"]
    if word.startswith("FILE"):
        return [os.path.join(directory, "items.dump")]
    if word.startswith("PATTERN"):
        return ["*", "no-such-name"]
    if word.startswith("COMMAND"):
        return ["ls"]
    if word.startswith("PID"):
        return [str(os.getpid())]
    return [each["name"] for each in names] + ["no-such-name"]


def expanded(recipe, names, directory):
    """The recipe with each candidate for what it names."""
    for place in ("name", "channel", "array", "session"):
        if any("{" + place + "}" in word for word in recipe):
            for word in candidates(place.upper(), names, directory):
                yield [each.replace("{" + place + "}", word).replace("{dir}", directory) for each in recipe]
            return
    yield [each.replace("{dir}", directory) for each in recipe]


def values_of(option, names, directory):
    """Values to try the option with; [None]: it takes none; []: it is not tried."""
    if option["value"] is None:
        return [None]
    if option["choices"]:
        return option["choices"]
    if option["value"] == "N":
        return ["0", "2"]
    return candidates("SESSION", names, directory) if option["value"] == "SESSION" else []


def lines_for(command, names, directory):
    """Command lines, each a list of words, to run it with; all get --json."""
    if command["name"] in RECIPES:
        for recipe in RECIPES[command["name"]]:
            yield from expanded(recipe, names, directory)
        return
    lines = longest = [[]]
    for argument in command["arguments"]:
        words = candidates(argument["names"][0], names, directory)
        longest = [line + [word] for line in longest for word in words]
        lines = longest if argument["required"] else lines + longest
    yield from lines
    for option in command["options"]:
        if UNTRIED & set(option["names"]):
            continue
        for value in values_of(option, names, directory):
            for line in lines:
                yield [*line, option["names"][-1], *([] if value is None else [value])]


# ---- the run


def check_command(weir, command, validator, names, directory):
    printed = 0
    for line in lines_for(command, names, directory):
        words = [command["name"], *line, "--json"]
        said = " ".join(words)
        status, out, err = run(weir, words)
        if status not in (0, 1, 2):
            fail(f"weir {said}: exit status {status}: {err}")
        if status == 2:  # these do not go together: one line on stderr, and nothing else
            if out or not err:
                fail(f"weir {said}: exit status 2, with {out!r} and {err!r}")
            continue
        if not out and (status == 0 or not err):
            fail(f"weir {said}: exit status {status} and nothing is printed")
        try:
            for value in documents(out.decode()):
                printed += 1
                for error in validator.iter_errors(value):
                    best = jsonschema.exceptions.best_match([error])
                    fail(f"weir {said}: {best.json_path}: {best.message[:500]}")
        except ValueError as error:
            fail(f"weir {said}: no JSON: {error}")
    return printed


def main():
    weir, schemas = sys.argv[1:]
    commands = json.loads(run(weir, ["help", "--json"])[1])["commands"]
    with_json = [each for each in commands if any("--json" in option["names"] for option in each["options"])]
    order = {name: number for number, name in enumerate(CHANGING)}
    with_json.sort(key=lambda each: order.get(each["name"], -1))

    for each in commands:
        if each not in with_json and each["name"] not in RECIPES:
            fail(f"weir {each['name']} has no --json")
    for path in sorted(os.listdir(schemas)):
        if path.removesuffix(".schema.json") not in [each["name"] for each in with_json]:
            fail(f"{path} is the schema of no command that has --json")

    with tempfile.TemporaryDirectory() as directory:
        for command in with_json:
            path = os.path.join(schemas, command["name"] + ".schema.json")
            if not os.path.exists(path):
                fail(f"weir {command['name']} has --json and no schema {path}")
                continue
            with open(path, encoding="utf-8") as file:
                root = json.load(file)
            check_schema(os.path.basename(path), root)
            names = json.loads(run(weir, ["ls", "--json"])[1])
            printed = check_command(weir, command, jsonschema.Draft202012Validator(root), names, directory)
            print(f"weir {command['name']}: {printed} documents")
    return 1 if fail.count else 0


if __name__ == "__main__":
    sys.exit(main())
