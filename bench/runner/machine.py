# SPDX-License-Identifier: BSL-1.0
"""Describes the machine, the compiler and the versions of the peers."""

import os
import platform
import re
import subprocess

PACKAGES = {
    "OpenMPI": "openmpi-bin",
    "ZeroMQ": "libzmq5",
    "iceoryx": "iceoryx",
    "Boost": "libboost1.*-dev",
    "Python": "python3",
    "glibc": "libc6",
}


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


def versions():
    found = {}
    for name, package in PACKAGES.items():
        lines = output_of("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}\n", package).splitlines()
        installed = [line.split()[1] for line in lines if line.startswith("installed ")]
        if installed:
            found[name] = installed[-1]
    return found


def cached(build, name):
    match = re.search(rf"^{name}:\w+=(.*)$", read(os.path.join(build, "CMakeCache.txt")), re.MULTILINE)
    return match.group(1) if match else ""


def load_at_start():
    """Before anything was built for this run, if tools/bench.sh says so."""
    return float(os.environ.get("WEIR_LOAD_AT_START") or os.getloadavg()[0])


def describe(build, root):
    info = read("/proc/cpuinfo")
    model = re.search(r"^model name\s*: (.*)$", info, re.MULTILINE)
    system = re.search(r'^PRETTY_NAME="?([^"\n]*)', read("/etc/os-release"), re.MULTILINE)
    compiler = output_of(cached(build, "CMAKE_CXX_COMPILER") or "c++", "--version").splitlines()
    commit = output_of("git", "-C", root, "rev-parse", "--short", "HEAD")
    if commit and output_of("git", "-C", root, "status", "--porcelain", "--untracked-files=no"):
        commit += " with changes"
    governor = read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    virtual = " (virtual machine)" if re.search(r"^flags.*\bhypervisor\b", info, re.MULTILINE) else ""
    return {
        "CPU": (model.group(1) if model else platform.machine()) + virtual,
        "CPUs": str(len(os.sched_getaffinity(0))),
        "Governor": governor or "not known",
        "System": (system.group(1) if system else "unknown") + ", Linux " + platform.release(),
        "Compiler": compiler[0] if compiler else "unknown",
        "Flags": cached(build, "CMAKE_CXX_FLAGS_RELEASE"),
        "Commit": commit or "unknown",
        "Load average at start": f"{load_at_start():.2f}",
    }


def first_two_cpus():
    cpus = sorted(os.sched_getaffinity(0))
    return [cpus[0], cpus[min(1, len(cpus) - 1)]]
