#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# word_count_test.sh PROGRAM FILE…
#
# PROGRAM, which is word_count, must find in the files the words that the usual commands find there.
set -euo pipefail
export LC_ALL=C

program=$(realpath "$1")
shift
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

same_words() {
  cat "$@" | tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' | grep . | sort | uniq -c >"$directory/expected"
  "$program" --all "$@" >"$directory/found"
  diff "$directory/expected" "$directory/found"
}

must_fail() { # STATUS TEXT ARGUMENT…
  local status=0 wanted=$1 text=$2
  shift 2
  "$program" "$@" >/dev/null 2>"$directory/errors" || status=$?
  if [ "$status" -ne "$wanted" ] || ! grep -qF -- "$text" "$directory/errors"; then
    echo "word_count $*: exit $status (expected: $wanted), errors (expected: $text):"
    cat "$directory/errors"
    exit 1
  fi
}

same_words "$@"

# A word that is longer than many pieces, one that begins in one file and ends in the next, an empty file, no text.
cd "$directory"
head -c 100000 /dev/zero | tr '\0' 'W' >long
printf 'one two thr' >begins
: >empty
printf 'ee four\n' >ends
head -c 300000 /dev/urandom >noise
same_words long begins empty ends noise long

must_fail 1 'cannot read missing: No such file or directory' ends missing
must_fail 1 'cannot read .: Is a directory' ends .
must_fail 2 'FILES is required'
