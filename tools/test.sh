#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# tools/test.sh [--quick] [--preset NAME] [--fuzz SECONDS]
#
# Installs what is missing, then checks everything: formatting; build and tests with each preset (dev with the matrix of
# kills and the storm, asan, tsan, release); clang-tidy; and that nothing was left in shared memory or running. While the tests
# of one preset run, which mostly wait, the next ones are built. Goes on after a failure, ends with a summary, exits with 0
# only if all went well. Logs are in build/logs.
#
#   --quick         only formatting, preset dev with all its tests, and the leftovers
#   --preset NAME   only preset NAME with all its tests, and the leftovers
#   --fuzz SECONDS  also the fuzzers of tools/fuzz.sh, each for so long
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly root=$PWD logs=$PWD/build/logs jobs=2

presets=(dev asan tsan release)
check_format=true
run_tidy=true
fuzz_seconds=0
all_tests=false # of release, whose tests are a selection otherwise
while [ $# -gt 0 ]; do
  case "$1" in
    --quick) presets=(dev) run_tidy=false ;;
    --preset)
      [ $# -ge 2 ] || { echo "test.sh: --preset needs a name: ${presets[*]}" >&2 && exit 2; }
      [[ " dev asan tsan release " == *" $2 "* ]] || { echo "test.sh: no preset $2" >&2 && exit 2; }
      presets=("$2") check_format=false run_tidy=false all_tests=true
      shift
      ;;
    --fuzz)
      [[ ${2:-} =~ ^[0-9]+$ ]] || { echo "test.sh: --fuzz needs a number of seconds" >&2 && exit 2; }
      fuzz_seconds=$2
      shift
      ;;
    --help | -h) sed -n '4,13s/^# \{0,1\}//p' tools/test.sh && exit 0 ;;
    *) echo "test.sh: unknown option $1 (see --help)" >&2 && exit 2 ;;
  esac
  shift
done

# ---- steps

summary=()
failed=false
log=

# step NAME COMMAND…: runs it with its output in a log and reports.
step() {
  local name=$1 start=$SECONDS status=0
  shift
  printf '%-18s ...\n' "$name"
  "$@" >"$(log_of "$name")" 2>&1 </dev/null || status=$?
  report "$name" $status $((SECONDS - start))
}

log_of() { echo "$logs/${1//[: \/]/-}.log"; }

# What failed tests printed, the beginning of each; or, of what is no test, the log's end.
excerpt() { # LOG
  if grep -q '[*][*][*]' "$1"; then
    awk '/^\[ RUN      \]|^\[       OK \]/ { next }
         /[*][*][*](Failed|Timeout|Exception|Not Run)/ { left = 20 } left-- > 0' "$1" | head -n 200
  else
    tail -n 100 "$1"
  fi
}

# The same in a few lines, for the summary: which tests failed, and their first complaints.
complaints() { # LOG
  awk '/^The following tests FAILED/ { on = 1; next } on && /^[[:space:]]+[0-9]+ - / { print }' "$1" | head -n 10
  grep -aE -A 4 ': Failure$|^\[  FAILED  \] .*\(|ERROR: [A-Za-z]+Sanitizer|runtime error:|terminate called' "$1" | head -n 40 || true
}

# report NAME STATUS SECONDS: prints how long it took and, if it failed, what was wrong. Status 0 only if it was 0.
report() {
  local line
  log=$(log_of "$1")
  line=$(printf '%-18s %-6s %4d s' "$1" "$([ "$2" -eq 0 ] && echo ok || echo FAILED)" "$3")
  if [ "$2" -ne 0 ]; then
    failed=true
    excerpt "$log" | sed 's/^/  | /'
    echo "  the whole log: $log"
  fi
  echo "$line"
  summary+=("$line")
  if [ "$2" -ne 0 ]; then summary+=("$(complaints "$log" | sed 's/^/  | /')"); fi
  return "$2"
}

# In the background, one after the other and out of the way of the tests: the builds, then clang-tidy. What became of
# each is in a file of its own, for finish() to report.
work_in_background() {
  local preset
  for preset in "$@"; do
    if [ "$preset" = tidy ]; then
      background "clang-tidy" tidy_is_silent
    else
      background "$preset: build" build "$preset"
    fi
  done
}
background() { # NAME COMMAND…
  local name=$1 start=$SECONDS status=0 out
  shift
  out=$(log_of "$name")
  "$@" >"$out" 2>&1 </dev/null || status=$?
  echo "$status $((SECONDS - start))" >"$out.part" && mv "$out.part" "$out.ended"
}

# finish NAME: waits for what was begun in the background, and reports.
finish() {
  local out status seconds
  out=$(log_of "$1")
  printf '%-18s ...\n' "$1"
  while [ ! -e "$out.ended" ]; do
    if ! kill -0 "$background_work" 2>/dev/null && [ ! -e "$out.ended" ]; then
      echo "it was not done" >>"$out"
      report "$1" 1 0
      return 1
    fi
    sleep 0.5
  done
  read -r status seconds <"$out.ended"
  report "$1" "$status" "$seconds"
}

build() { # PRESET
  local targets=()
  # The examples are tested in the other presets.
  if [ "$1" = release ] && ! $all_tests; then targets=(--target weir tools/all bench/all tests/all); fi
  cmake --preset "$1" && cmake --build --preset "$1" -j "$jobs" "${targets[@]}"
}

# The closing lines of ctest, from "100% tests passed" on.
closing_lines() { awk '/% tests passed/ { on = 1 } on' "$log" | sed 's/^/  | /'; }

# Source files, those under git's eye where there is a clone.
sources() { # EXTENDED_REGEX
  { git ls-files 2>/dev/null || find include lib tools bench tests examples -type f; } | { grep -E "$1" || true; } | sort
}

format_is_right() {
  local tool files
  tool=$(command -v clang-format-14 || command -v clang-format)
  "$tool" --version
  if ! "$tool" --version | grep -q 'version 14'; then
    echo "not version 14, which would format differently: not checked"
    return 0
  fi
  files=$(sources '\.(hpp|cpp)$')
  [ -z "$files" ] || xargs "$tool" --dry-run -Werror <<<"$files"
}

tidy_is_silent() {
  local files
  # The library's files many at a time, as that preset compiles them: most of the work is in the headers, which are seen
  # through the files that include them. The last one includes every public header.
  files=$(ls build/asan/CMakeFiles/weir.dir/Unity/*.cxx && echo build/asan/weir_verify_interface_header_sets/weir/weir.hpp.cxx)
  clang-tidy --version
  xargs -n 1 -P "$jobs" clang-tidy -p build/asan --quiet --checks=-bugprone-suspicious-include <<<"$files"
}

# The thread sanitizer of these compilers cannot place its memory when the kernel randomises more than 28 bits.
without_randomisation() {
  local bits
  bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)
  if [ "$bits" -gt 28 ] && setarch -R true 2>/dev/null; then setarch -R "$@"; else "$@"; fi
}

test_preset() {
  local preset=$1 selection=() prefix=()
  if [ "$preset" = tsan ]; then prefix=(without_randomisation); fi
  if [ "$preset" = dev ]; then
    selection=(-LE '^matrix$') # which comes after
  elif [ "$preset" = release ] && ! $all_tests; then
    selection=(-L '^(install|bench)$')
  fi
  # Tests mostly wait for processes, those of the matrix (one killed at every point, tests/matrix) most of all.
  step "$preset: test" "${prefix[@]}" ctest --preset "$preset" -j $((2 * jobs)) --output-on-failure "${selection[@]}" || true
  closing_lines
  [ "$preset" = dev ] || return 0
  # It also measures whether waits end in time: nothing is built meanwhile (but what the compiler has begun).
  kill -STOP -- -"$background_work" 2>/dev/null || true
  step "$preset: matrix" ctest --preset "$preset" -j $((4 * jobs)) -L '^matrix$' --output-on-failure || true
  kill -CONT -- -"$background_work" 2>/dev/null || true
  closing_lines
  # Each part of it is many tests.
  echo "  | $(grep -c '^\[       OK \]' "build/$preset/Testing/Temporary/LastTest.log") combinations passed"
}

# ---- what must not be left

segments() { find /dev/shm -maxdepth 1 -name 'weir.*' 2>/dev/null | sort; }

processes() { # of programs in the build folder
  local directory program
  for directory in /proc/[0-9]*; do
    program=$(readlink "$directory/exe" 2>/dev/null || true)
    case "$program" in
      "$root"/build/*) echo "${directory#/proc/} $program" ;;
    esac
  done
}

nothing_is_left() {
  local attempt left
  for attempt in 1 2 3 4 5; do # what a dead control process leaves goes within 2 s
    left=$(segments | comm -13 "$logs/segments-before" - && processes)
    if [ -z "$left" ]; then return 0; fi
    sleep 1
  done
  echo "left behind:"
  echo "$left"
  return 1
}

# ---- all of it

install=(--test)
if [ "$fuzz_seconds" -gt 0 ]; then install+=(--fuzz); fi
tools/install-deps.sh "${install[@]}"
mkdir -p "$logs"
segments >"$logs/segments-before"
if [ -s "$logs/segments-before" ]; then
  echo "note: these segments were there before:" && sed 's/^/  /' "$logs/segments-before"
fi

if $check_format; then step "format" format_is_right || true; fi
rm -f "$logs"/*.ended

first=${presets[0]}
rest=("${presets[@]:1}")
if step "$first: build" build "$first"; then first_is_built=true; else first_is_built=false; fi
queue=("${rest[@]}")
if $run_tidy; then queue+=(tidy); fi
set -m # gives it a process group of its own
(renice -n 19 "$BASHPID" >/dev/null && work_in_background "${queue[@]}") &
background_work=$!
set +m
trap 'kill -TERM -- -$background_work 2>/dev/null && kill -CONT -- -$background_work 2>/dev/null || true' EXIT

if $first_is_built; then test_preset "$first"; fi
for preset in "${rest[@]}"; do
  if finish "$preset: build"; then test_preset "$preset"; fi
done
if [ "$fuzz_seconds" -gt 0 ]; then
  step "fuzz" tools/fuzz.sh --seconds "$fuzz_seconds" || true
  sed 's/^/  | /' "$log"
fi
if $run_tidy; then finish "clang-tidy" || true; fi
wait "$background_work" || true
step "nothing left" nothing_is_left || true

printf '\nSummary\n'
printf '  %s\n' "${summary[@]}"
printf '  %-18s        %4d s\n' "together" "$SECONDS"
if $failed; then echo "FAILED" && exit 1; fi
echo "all passed"
