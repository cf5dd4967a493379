#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# tools/demo.sh
#
# Installs what is missing, builds the library, its examples and the weir command, and runs them: the tour; a word count
# over /usr/share/common-licenses on four workers, with a look at its session from outside while it works; and a heat
# equation on four workers, one of which is killed meanwhile, with a picture of the result in build/heat.png.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
  "") ;;
  --help | -h) sed -n '4,8s/^# \{0,1\}//p' tools/demo.sh && exit 0 ;;
  *) echo "demo.sh takes no options" >&2 && exit 2 ;;
esac

current="start"
section() {
  current=$1
  printf '\n==== %s\n\n' "$1"
}
trap 'status=$?; if [ $status -ne 0 ]; then printf "\n==== FAILED: %s\n" "$current"; fi; exit $status' EXIT

section "Installing what is missing"
tools/install-deps.sh

section "Building (preset release, in build/release)"
mkdir -p build
cmake --preset release >build/configure.log 2>&1 || { cat build/configure.log && exit 1; }
cmake --build --preset release --target weir_command example_tour example_word_count example_heat

section "The tour: examples/tour.cpp"
build/release/examples/tour

section "Word count of /usr/share/common-licenses on 4 workers, and \`weir ls\` meanwhile: examples/word_count.cpp"
licenses=(/usr/share/common-licenses/*)
[ -f "${licenses[0]}" ] || { echo "there are no files in /usr/share/common-licenses" && exit 1; }
build/release/examples/word_count --workers 4 --weir-ls "$PWD/build/release/tools/weir" "${licenses[@]}"

section "A heat equation on 4 workers, one of which is killed after 500 steps: examples/heat.cpp"
build/release/examples/heat --size 200 --workers 4 --kill-after 500 --check --picture build/heat.png
echo "the picture is build/heat.png"

printf '\n==== Done. The programs are in build/release/examples, the command is build/release/tools/weir.\n'
