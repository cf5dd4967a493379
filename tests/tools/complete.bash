#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# complete.bash SCRIPT WEIR LINE: what bash would offer at the end of LINE, one on a line. The function that SCRIPT
# registers for `weir` is called as readline calls it.
set -euo pipefail
source "$1"
function_name=$(complete -p weir)
[[ $function_name =~ -F\ ([^ ]+) ]]
COMP_LINE=$3 COMP_POINT=${#3} COMP_WORDBREAKS=$' \t\n"\'@><=;|&(:'
COMPREPLY=()
"${BASH_REMATCH[1]}" "$2" "" ""
if ((${#COMPREPLY[@]})); then printf '%s\n' "${COMPREPLY[@]}"; fi
