#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# tools/fuzz.sh [--seconds N] [--runs N] [--keep] [TARGET…]
#
# Builds the fuzzers of tests/fuzz (preset asan) and runs each (values, shown, messages, channel, array, inspect, or those
# named) for a while, beginning with its corpus, all at once. Prints what each did; exits with 1 if one found something:
# the input is kept in build/findings/TARGET then, and the report in build/logs/fuzz-TARGET.log.
#
#   --seconds N  for each target (60)
#   --runs N     end a target after N executions too
#   --keep       merge the new inputs that reach new code into tests/fuzz/corpus
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly programs=build/asan/tests/fuzz logs=$PWD/build/logs

seconds=60
runs=-1
keep=false
targets=()
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds | --runs)
      [[ ${2:-} =~ ^[0-9]+$ ]] || { echo "fuzz.sh: $1 needs a number" >&2 && exit 2; }
      if [ "$1" = --runs ]; then runs=$2; else seconds=$2; fi
      shift
      ;;
    --keep) keep=true ;;
    --help | -h) sed -n '4,13s/^# \{0,1\}//p' tools/fuzz.sh && exit 0 ;;
    values | shown | messages | channel | array | inspect) targets+=("$1") ;;
    *) echo "fuzz.sh: unknown argument $1 (see --help)" >&2 && exit 2 ;;
  esac
  shift
done
if [ ${#targets[@]} -eq 0 ]; then targets=(values shown messages channel inspect array); fi

# A fuzzer that was ended in the middle of a run leaves its segments; their names end in its number, or have it in them.
remove_segments_of() { # PID
  rm -f /dev/shm/weir.fuzz-*-"$1" /dev/shm/weir.@fuzz-*-"$1".*
}

number_after() { # WORD, in the last line of libFuzzer's output that has it
  grep -oE "$1[: ]+[0-9]+" "$log" | tail -n 1 | grep -oE '[0-9]+$' || echo 0
}

options_of() { # TARGET
  echo "-timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=256"
  case "$1" in
    values | shown) echo "-max_len=4096" ;;
    messages) echo "-max_len=1024 -close_fd_mask=2" ;; # a posted call's exception is printed
    *) echo "-max_len=512" ;;
  esac
}

run_target() { # TARGET
  local target=$1 findings=build/findings/$1 corpus=tests/fuzz/corpus/$1 begin=$SECONDS status=0 pid
  local new
  new=$(mktemp -d)
  log=$logs/fuzz-$target.log
  mkdir -p "$findings" "$corpus"
  # shellcheck disable=SC2046 # options are words
  "$programs/fuzz_$target" $(options_of "$target") -max_total_time="$seconds" -runs="$runs" -print_final_stats=1 \
    -artifact_prefix="$findings/" "$new" "$corpus" >"$log" 2>&1 </dev/null &
  pid=$!
  wait "$pid" || status=$?
  remove_segments_of "$pid"
  local executions time=$((SECONDS - begin)) found=none
  executions=$(number_after 'stat::number_of_executed_units')
  if [ "$executions" -eq 0 ]; then executions=$(grep -oE '^#[0-9]+' "$log" | tail -n 1 | tr -d '#' || echo 0); fi
  if [ $status -ne 0 ]; then
    found="yes: $findings"
    grep -m 1 -A 25 -E 'ERROR:|runtime error:|terminate called' "$log" | sed 's/^/  | /' || tail -n 20 "$log"
  elif $keep; then
    # shellcheck disable=SC2046
    "$programs/fuzz_$target" $(options_of "$target") -merge=1 "$corpus" "$new" >>"$log" 2>&1 </dev/null &
    pid=$!
    wait "$pid" || status=$?
    remove_segments_of "$pid"
  fi
  rm -rf "$new"
  printf '%-9s %11s %8s %7s %7s  %s\n' "$target" "$executions" $((executions / (time > 0 ? time : 1))) \
    "$(number_after cov)" "$(number_after ft)" "$found" >"$logs/fuzz-$target.row"
  return "$status"
}

tools/install-deps.sh --fuzz
mkdir -p "$logs"
cmake --preset asan >"$logs/fuzz-configure.log" || { cat "$logs/fuzz-configure.log" && exit 1; }
cmake --build --preset asan -j 2 --target weir_fuzzers >"$logs/fuzz-build.log" 2>&1 ||
  { tail -n 60 "$logs/fuzz-build.log" && exit 1; }

export UBSAN_OPTIONS=print_stacktrace=1
failed=false
log=
running=()
for target in "${targets[@]}"; do
  echo "$target ..."
  rm -f "$logs/fuzz-$target.row"
  run_target "$target" &
  running+=($!)
done
for each in "${running[@]}"; do wait "$each" || failed=true; done
printf '\n%-9s %11s %8s %7s %7s  %s\n' target executions exec/s cov ft findings
for target in "${targets[@]}"; do cat "$logs/fuzz-$target.row"; done
printf 'together %d s\n' "$SECONDS"
if $failed; then exit 1; fi
