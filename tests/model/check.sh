#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# tests/model/check.sh [--deep] [--only WORD]
#
# Checks the models of a channel's protocol with SPIN: the sound ones completely, without an error; and that each
# variant that leaves out one rule shows one. Prints a table. Exits with 0 only if all is as expected, 77 without spin.
#
#   --deep       larger configurations as well: some minutes, up to 8 GB of memory
#   --only WORD  only the lines of the table in which WORD comes
set -euo pipefail
export LC_ALL=C.UTF-8

deep=false only=""
while [ $# -gt 0 ]; do
  case "$1" in
    --deep) deep=true ;;
    --only) [ $# -ge 2 ] || { echo "check.sh: --only needs a word" >&2 && exit 2; }; only=$2 && shift ;;
    --help | -h) sed -n '4,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
    *) echo "check.sh: unknown option $1" >&2 && exit 2 ;;
  esac
  shift
done
command -v spin >/dev/null || { echo "check.sh: spin is not installed (tools/install-deps.sh --test)" >&2 && exit 77; }

models=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly models
work=$(mktemp -d)
readonly work
compiler=$(command -v clang || command -v clang-14 || echo gcc)
readonly compiler
trap 'rm -rf "$work"' EXIT
failed=0

# run EXPECTED MODEL OPTIMISATION MEGABYTES CONFIGURATION
# The generated checker is one huge function: without optimisation it is compiled in a second, by Clang in half of one,
# else in twenty. States are kept as they are where they fit: finding them collapsed takes a third longer.
run() {
  local expected=$1 model=$2 optimisation=$3 megabytes=$4 configuration=$5 table=
  # An error is found among few states; the usual table of 2^24 takes longer to be set up.
  if [ "$expected" = broken ]; then table=-w18; fi
  if [ -n "$only" ] && [[ "$expected $model $configuration" != *"$only"* ]]; then return; fi
  local at=$work/run result=as_expected from to
  rm -rf "$at" && mkdir "$at"
  # shellcheck disable=SC2086 # a list of options
  if ! (cd "$at" && spin -a $configuration "$models/$model.pml" >log 2>&1 &&
    "$compiler" $optimisation -w -DSAFETY -DVECTORSZ=2048 "-DMEMLIM=$megabytes" -o pan pan.c >>log 2>&1); then
    cat "$at/log" >&2
    result=DOES_NOT_COMPILE
  fi
  from=$(date +%s%N)
  # shellcheck disable=SC2086 # none or one
  if [ $result = as_expected ]; then (cd "$at" && ./pan -m20000 $table >out 2>&1) || true; fi
  to=$(date +%s%N)
  touch "$at/out"
  local errors states transitions depth found
  errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' "$at/out")
  depth=$(sed -n 's/.*depth reached \([0-9]*\),.*/\1/p' "$at/out")
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$at/out")
  transitions=$(sed -n 's/^ *\([0-9.e+]*\) transitions.*/\1/p' "$at/out")
  found=$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' "$at/out" | head -1 | cut -c 1-60)
  if [ $result = as_expected ]; then
    if [ "$expected" = sound ]; then
      if [ "$errors" != 0 ]; then result="ERROR_FOUND"; fi
      if grep -q -e "max search depth too small" -e "Search not completed" -e "out of memory" "$at/out"; then
        result=INCOMPLETE
      fi
    elif [ "${errors:-0}" = 0 ]; then
      result=NOTHING_FOUND
    fi
  fi
  if [ $result != as_expected ]; then failed=1; fi
  printf '%-7s %-6s %10s %11s %6s %7.1f  %-16s %s%s\n' "$expected" "$model" "${states:--}" "${transitions:--}" \
    "${depth:--}" "$(((to - from) / 100000000))e-1" "$result" "${configuration//-D/}" "${found:+  | $found}"
}

sound() { run sound "$1" "-O0" 4000 "$2"; }
broken() { run broken "$1" "-O0" 4000 "$2 -DBROKEN_$3"; }
deeply() { if $deep; then run sound "$1" "-O2 -DCOLLAPSE" 8000 "$2"; fi; }

printf '%-7s %-6s %10s %11s %6s %7s  %-16s %s\n' kind model states transitions depth seconds result \
  "configuration  | what was found"

sound slots "-DSLOTS=2 -DPUTS=3 -DDEATHS=2"
sound slots "-DSLOTS=1 -DPUTTERS=2 -DDEATHS=1"
sound slots "-DSLOTS=2 -DTAKERS=2 -DDEATHS=1"
sound slots "-DSLOTS=2 -DDEATHS=2 -DRACING_HINTS"
sound slots "-DSLOTS=1 -DPUTTERS=2 -DTAKERS=0 -DVIEWERS=1 -DDEATHS=1"
sound slots "-DSLOTS=1 -DRENDEZVOUS -DDEATHS=2"
sound slots "-DSLOTS=2 -DCLOSERS=1 -DDEATHS=1"
sound slots "-DSLOTS=3 -DLEFTOVER=1 -DPUTTERS=0 -DDEATHS=1"
sound slots "-DSLOTS=3 -DLEFTOVER=1 -DPUTTERS=0 -DHELPERS=0 -DLEAVERS=1 -DDEATHS=1"
sound slots "-DSLOTS=2 -DLEFTOVER=1 -DPUTTERS=0 -DTAKERS=0 -DVIEWERS=1 -DDEATHS=1"
sound wake ""
sound wake "-DLEFT_BLANK"
sound wake "-DWAKERS=1 -DCLOSERS=1"
sound wake "-DSLEEPERS=1 -DPASSERS=1 -DDEATHS=1"
sound wake "-DWAKERS=1 -DSLEEPERS=2 -DHELPERS=1 -DDEATHS=1"
sound blocks "-DPUTTERS=2 -DDEATHS=1"
sound blocks "-DTAKERS=2 -DGIVES_BACK -DDEATHS=1"
sound blocks "-DRENDEZVOUS -DTAKERS=2 -DDEATHS=2"
sound blocks "-DRENDEZVOUS -DPIECES -DBLOCKS=1 -DDEATHS=2"
sound blocks "-DSLOTS=2 -DPUTS=2 -DPIECES -DKEEPS -DGIVES_BACK -DDEATHS=2"

deeply slots "-DSLOTS=2 -DLEFTOVER=1 -DTAKERS=0 -DVIEWERS=1 -DDEATHS=1"
deeply slots "-DSLOTS=2 -DPUTTERS=2 -DDEATHS=2"
deeply slots "-DSLOTS=2 -DPUTTERS=2 -DTAKERS=2 -DDEATHS=1"
deeply slots "-DSLOTS=3 -DLEFTOVER=1 -DPUTTERS=0 -DDEATHS=2"
deeply slots "-DSLOTS=2 -DPUTTERS=2 -DTAKERS=0 -DVIEWERS=1 -DDEATHS=1"
deeply wake "-DPASSERS=1"
deeply wake "-DCLOSERS=1"
deeply wake "-DWAKERS=2 -DSLEEPERS=2 -DDEATHS=1"
deeply wake "-DWAKERS=1 -DSLEEPERS=2 -DHELPERS=1 -DDEATHS=2"
deeply blocks "-DPUTTERS=2 -DDEATHS=2"
deeply blocks "-DPUTS=2 -DTAKERS=2 -DDEATHS=2"

readonly left="-DSLOTS=3 -DLEFTOVER=1 -DPUTTERS=0" viewed="-DSLOTS=1 -DPUTTERS=2 -DTAKERS=0 -DVIEWERS=1"
broken slots "-DPUTTERS=2 -DDEATHS=0" PUT_CLAIM_NOT_CAS
broken slots "-DTAKERS=2 -DDEATHS=0" TAKE_CLAIM_NOT_CAS
broken slots "-DDEATHS=0" PUBLISH_BEFORE_WRITE
broken slots "-DSLOTS=1 -DPUTTERS=2" RELEASE_BEFORE_COPY
broken slots "-DCLOSERS=1 -DDEATHS=0" NO_CLOSED_RECHECK
broken slots "-DCLOSERS=1 -DDEATHS=0" NO_SECOND_LOOK_WHEN_CLOSED
broken slots "" RECOVER_READING_AS_EMPTY
broken slots "-DTAKERS=2" RECOVER_READING_AS_FULL
broken slots "" RECOVER_WRITING_AS_FULL
broken slots "" NO_RECOUNT
broken slots "-DDEATHS=2" ENTRY_FREED_FIRST
broken slots "-DSLOTS=2 -DLEFTOVER=1 -DPUTTERS=0 -DTAKERS=2 -DDEATHS=0" ORPHANS_WITHOUT_LOCK
broken slots "$left -DHELPERS=0 -DLEAVERS=1" LEFT_BEFORE_RECOVERY
broken slots "$left" GAPS_BEFORE_MOVES
broken slots "$left -DDEATHS=0" MOVE_WITHOUT_MOVING_STATE
broken slots "$left" RECOVER_MOVING_ALWAYS_FULL
broken slots "$left" TAKERS_PASS_MOVING
broken slots "-DSLOTS=2 -DLEFTOVER=1 -DPUTTERS=0 -DHELPERS=2 -DDEATHS=0" RECOVERY_WITHOUT_LOCK
broken slots "$viewed" VIEW_NOT_MARKED_FIRST
broken slots "$viewed" PUTTER_IGNORES_VIEW_WORD
broken slots "$viewed" VIEW_WORD_CLEARED_FIRST
broken slots "$viewed" RECOVER_VIEW_ALWAYS_ORPHAN
broken slots "$viewed" RECOVER_VIEWING_AS_SEEN
broken wake "" LOOK_BEFORE_LISTEN
broken wake "" NO_HEAVY_FENCE
broken wake "" FENCE_BEFORE_COUNTING
broken wake "" NO_WAKER_FENCE
broken wake "" SIGNAL_NOT_ANSWERED
broken wake "" ONE_WOKEN_FOR_SEVERAL
broken wake "-DLEFT_BLANK" ROW_ENDS_AT_BLANK
broken wake "-DWAKERS=1 -DCLOSERS=1" ONE_WOKEN_WHEN_CLOSED
broken wake "" CALM_WITHOUT_CAS
broken wake "-DWAKERS=1 -DDEATHS=1" SLEEPER_NOT_TAKEN_OFF
broken wake "-DWAKERS=1 -DHELPERS=1 -DDEATHS=2" TAKEN_OFF_BEFORE_LEAVING
broken wake "-DSLEEPERS=1 -DDEATHS=1" NOBODY_LOOKS
broken blocks "" MEMORY_GIVEN_BACK_WHILE_TAKEN
broken blocks "-DRENDEZVOUS" WITHDRAWN_WITHOUT_BLOCK
broken blocks "" QUEUED_FORGOTTEN
broken blocks "" READING_NAMES_NOTHING
broken blocks "-DDEATHS=2" ORPHAN_NAMES_NOTHING
broken blocks "" TAKEN_IS_FREED
broken blocks "" EMPTIED_BEFORE_TAKEN
broken blocks "-DPUTS=2" TICKET_AFTER_TAKEN
broken blocks "" BLOCK_NOT_GIVEN_TO_SLOT
broken blocks "" BLOCKS_BEFORE_SLOTS
broken blocks "-DPIECES" COPY_NOT_FREED
broken blocks "-DSLOTS=2 -DPUTS=2 -DKEEPS" ANY_TAKEN_IS_THE_SLOTS
broken blocks "-DTAKERS=2 -DGIVES_BACK" ORPHANS_WITHOUT_LOCK

if [ $failed -ne 0 ]; then echo "check.sh: not all is as expected" >&2; fi
exit $failed
