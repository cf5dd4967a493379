#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# release_code_test.sh SOURCE_ROOT LIBRARY COMPILER [FLAG…]
#
# Crash points cost nothing: without WEIR_CRASH_POINTS the compiler makes the same object code, byte for byte, of a source
# as of that source with every point deleted; and LIBRARY, built so, knows nothing of points.
set -euo pipefail
[ $# -ge 3 ] || { echo "usage: $0 SOURCE_ROOT LIBRARY COMPILER [FLAG...]" >&2 && exit 2; }
root=$1 library=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The functions that make use of points are in these; the headers are in all of them.
readonly sources=(channel/put channel/take channel/recovery segment/segment sync/robust_mutex runtime/results)

mkdir "$work/with" "$work/without"
cp -r "$root/lib" "$root/include" "$work/with"
cp -r "$root/lib" "$root/include" "$work/without"
points=$(grep -rhoE 'WEIR_CRASH_POINT\("[^"]+"\);' "$work/without/lib" "$work/without/include" | wc -l)
[ "$points" -gt 100 ] || { echo "only $points points found: the search is wrong" && exit 1; }
find "$work/without" -name '*.[ch]pp' -exec sed -i -E 's/WEIR_CRASH_POINT\("[^"]+"\);//' {} +
if grep -rE "^ *[^/ ].*WEIR_CRASH_POINT\(\"" "$work/without"; then
  echo "these points could not be deleted" && exit 1
fi

for source in "${sources[@]}"; do
  for tree in with without; do
    (cd "$work/$tree" && "$@" -std=c++20 -O3 -DNDEBUG -g0 -DBOOST_PROCESS_USE_STD_FS -Iinclude -Ilib -c "lib/$source.cpp" -o object.o)
  done
  cmp "$work/with/object.o" "$work/without/object.o" || { echo "$source.cpp: the object code differs" && exit 1; }
  echo "$source.cpp: $(stat -c %s "$work/with/object.o") bytes of object code, the same"
done

if nm -C "$library" | grep g_at_crash_point || grep -qa 'ring.put.claimed' "$library"; then
  echo "$library has crash points in it" && exit 1
fi
echo "$points points deleted; none in the library"
