#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# smoke_test.sh figure PROGRAM [ARGUMENT…]        the program must print a figure, or why there is none, and exit with 0
# smoke_test.sh refuses TEXT PROGRAM [ARGUMENT…]  it must say on stderr what is wrong, print nothing, and exit with 1
set -euo pipefail

what=$1
shift
expected=
if [ "$what" = refuses ]; then
  expected=$1
  shift
fi
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
status=0
output=$("$@" 2>"$errors") || status=$?
echo "exit status $status; stdout: $output; stderr: $(cat "$errors")"
case "$what" in
  figure) [ $status -eq 0 ] && grep -qE '(p50_ns|items_per_second|ratio|not_available)":' <<<"$output" ;;
  refuses) [ $status -eq 1 ] && [ -z "$output" ] && grep -qE "$expected" "$errors" ;;
esac
