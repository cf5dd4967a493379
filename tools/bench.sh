#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# tools/bench.sh [--quick] [--only QUESTION] [--repetitions N] [--out DIRECTORY]
#
# Installs what is missing (the peers too), builds everything optimised in build/bench, and runs weir and its peers in turn.
# Writes docs/benchmarks.md, with the figures and plots in docs/benchmarks/. Run it on a machine that does nothing else.
# Exits with 1 if a contender failed. A target that is not met is no failure: the page says so.
#
#   --quick          what the targets need, in less than 4 minutes once it is built; into build/bench-quick
#   --only QUESTION  one_way, stream, many, oversubscribed, wake_up, paced, call, hand_over, collective, heat, stencil,
#                    transpose, elements, triad, pass_array, instructions or micro; may be repeated
#   --repetitions N  7, or 5 with --quick
#   --out DIRECTORY  where benchmarks.md goes
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for argument in "$@"; do
  case "$argument" in
    --help | -h) sed -n '4,14s/^# \{0,1\}//p' tools/bench.sh && exit 0 ;;
  esac
done

# What is asked of the machine is to be idle before this, not that it has forgotten the compiler.
WEIR_LOAD_AT_START=$(cut -d ' ' -f 1 /proc/loadavg)
export WEIR_LOAD_AT_START

tools/install-deps.sh --bench
mkdir -p build
echo "building (log: build/bench-build.log) ..."
{
  cmake --preset release -B build/bench -DWEIR_BUILD_PEER_BENCHMARKS=ON -DWEIR_BUILD_TESTS=OFF -DWEIR_BUILD_EXAMPLES=OFF \
    -DWEIR_BUILD_TOOLS=OFF &&
    cmake --build build/bench --target weir_contenders
} >build/bench-build.log 2>&1 || { tail -n 50 build/bench-build.log && exit 1; }
exec /usr/bin/python3 -B bench/run.py "$@"
