#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# heat_test.sh PROGRAM [STEPS]
#
# PROGRAM, which is heat, must find the serial solution with any number of workers, and the same one again when workers or
# the whole program are killed on the way: of so many steps (10000), so that it can be killed several times.
set -euo pipefail
export LC_ALL=C

program=$(realpath "$1")
steps=${2:-10000}
directory=$(mktemp -d)
name=heat-test-$$
trap 'rm -rf "$directory" /dev/shm/weir."$name".even /dev/shm/weir."$name".odd /dev/shm/weir."$name".journal' EXIT
cd "$directory"

fail() {
  echo "heat: $*"
  cat output errors
  exit 1
}
run() { "$program" "$@" >output 2>errors || fail "$* ended with $?"; }
must_say() { grep -qE -- "$1" output || fail "no line is '$1'"; }
must_fail() { # STATUS TEXT ARGUMENT…
  local status=0 wanted=$1 text=$2
  shift 2
  "$program" "$@" >output 2>errors || status=$?
  [ "$status" -eq "$wanted" ] || fail "$*: exit $status, expected: $wanted"
  grep -qF -- "$text" errors || fail "$*: expected an error with '$text'"
}
must_have_gone() { ! ls /dev/shm/weir."$name".* 2>/dev/null || fail "left in shared memory"; }

# As the serial solution: more or fewer rows than workers, and a plate of one inner point.
for shape in '3 1' '3 4' '40 1' '41 2' '41 3' '64 5'; do
  read -r size workers <<<"$shape"
  run --size "$size" --workers "$workers" --check
  must_say 'the serial solution is the same, bit for bit'
done

# A worker is killed in the middle of a step.
run --size 60 --workers 2 --picture whole.pgm
for after in 1 49 50 51 400; do
  run --size 60 --workers 2 --check --kill-after "$after" --picture killed.pgm
  must_say "killed by signal 9 .*; another carries on after step $after\$"
  must_say 'the serial solution is the same, bit for bit'
  cmp whole.pgm killed.pgm
done

# The next run carries on where one has stopped.
run --size 60 --name "$name" --max-steps 150
must_say '150 steps, not steady yet'
must_fail 1 'it is 60x60 in row_major order, asked for 61x61' --size 61 --name "$name"
run --size 60 --name "$name" --workers 3 --kill-after 333 --picture resumed.pgm --keep
must_say '^carrying on after step 150$'
cmp whole.pgm resumed.pgm
run --size 60 --name "$name" --picture again.pgm --check
must_say 'the serial solution is the same, bit for bit'
cmp whole.pgm again.pgm
must_have_gone

# The whole program is killed, wherever it is.
run --size 300 --workers 2 --max-steps "$steps" --tolerance 1e-9 --picture long.pgm
for _ in 1 2 3; do
  : >errors
  "$program" --size 300 --name "$name" --max-steps "$steps" --tolerance 1e-9 --progress >output 2>errors &
  until grep -qE '^step [1-9]' errors; do
    kill -0 $! || fail "ended before it was killed"
    sleep 0.01
  done
  kill -KILL $!
  wait $! || true
done
run --size 300 --name "$name" --max-steps "$steps" --tolerance 1e-9 --workers 3 --picture resumed.pgm --check
must_say '^carrying on after step [1-9]'
must_say 'the serial solution is the same, bit for bit'
cmp long.pgm resumed.pgm
run --size 300 --name "$name" --tolerance 0.1
must_have_gone

# A picture in colour; and what cannot be done.
run --size 30 --picture colour.png
[ "$(head -c 8 colour.png | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] || fail "colour.png is no PNG file"
must_fail 1 'cannot write /missing/heat.pgm' --size 10 --picture /missing/heat.pgm
must_fail 2 '--size' --size 2
must_fail 2 '--workers' --workers 0
