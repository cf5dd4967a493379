#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# tools/install-deps.sh [--test] [--bench] [--fuzz]
#
# Installs, with apt, what is missing to build weir; --test: also what tools/test.sh needs; --bench: what tools/bench.sh
# needs, the peers that it measures and what draws its plots; --fuzz: what tools/fuzz.sh needs. Then sees to it that /proc and a shared memory file system on
# /dev/shm (for the tests, /dev/pts too) are there, as in a bare chroot they may not be.
# Does nothing, and needs no rights, where all of it is there. Exits with 1 when something could not be had.
set -euo pipefail
export LC_ALL=C.UTF-8

usage() { sed -n '4,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

with_test_tools=false
with_peers=false
with_fuzzer=false
for argument in "$@"; do
  case "$argument" in
    --test) with_test_tools=true ;;
    --bench) with_peers=true ;;
    --fuzz) with_fuzzer=true ;;
    --help | -h) usage && exit 0 ;;
    *) echo "install-deps.sh: unknown option $argument" >&2 && exit 2 ;;
  esac
done

say() { echo "install-deps: $*"; }
fail() { echo "install-deps: $*" >&2 && exit 1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

can_be_root() { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null; }

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

is_available() { [ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null || true)" ]; }

# ---- packages

# Boost 1.81 or newer: its Debian packages carry the version in their names. Prints the package to have.
boost_package() {
  local name minor newest=""
  for name in $(dpkg-query -W -f='${Package}\n' 'libboost1.*-dev' 2>/dev/null || true); do
    minor=${name#libboost1.} minor=${minor%-dev}
    if [[ $minor =~ ^[0-9]+$ ]] && [ "$minor" -ge 81 ] && is_installed "$name"; then echo "$name" && return; fi
  done
  for name in libboost1.81-dev libboost1.83-dev; do
    if is_available "$name"; then echo "$name" && return; fi
  done
  for name in $(apt-cache pkgnames libboost1. 2>/dev/null || true); do
    minor=${name#libboost1.} minor=${minor%-dev}
    if [[ $minor =~ ^[0-9]+$ ]] && [ "$minor" -ge 81 ] && [ "$minor" -gt "${newest:-0}" ]; then newest=$minor; fi
  done
  echo "libboost1.${newest:-81}-dev"
}

# The version the sources are formatted with, where there is a choice.
clang_format_package() {
  if is_installed clang-format-14 || is_available clang-format-14; then echo clang-format-14; else echo clang-format; fi
}

wanted_packages() {
  echo g++ cmake ninja-build "$(boost_package)" libcereal-dev libcli11-dev nlohmann-json3-dev libfmt-dev libgtest-dev \
    libgmock-dev libbenchmark-dev
  if $with_test_tools; then
    echo ccache clang "$(clang_runtime_package)" "$(clang_format_package)" clang-tidy strace procps spin libeigen3-dev \
      python3 python3-jsonschema python3-numpy mandoc man-db bash zsh
  fi
  if $with_fuzzer; then echo clang "$(clang_runtime_package)"; fi
  if $with_peers; then
    echo openmpi-bin libopenmpi-dev libzmq3-dev iceoryx libiceoryx-posh-dev python3 python3-numpy python3-matplotlib valgrind
  fi
}

# libFuzzer and the sanitizers of the clang that is the default, which Debian has in a package of their own.
clang_runtime_package() {
  local version
  version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
  if command -v clang++ >/dev/null; then version=$(clang++ -dumpversion) version=${version%%.*}; fi
  echo "libclang-rt-${version:-14}-dev"
}

missing_packages() {
  local name
  for name in $(wanted_packages); do
    if ! is_installed "$name"; then echo "$name"; fi
  done
}

install_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "this is not Debian or Ubuntu: nothing is installed. Needed: a C++20 compiler, CMake 3.25, Ninja, Boost 1.81," \
      "cereal, fmt 9, CLI11, nlohmann-json, GoogleTest with GoogleMock, Google Benchmark" \
      "$(if $with_test_tools; then echo '(to test also ccache, clang, clang-format 14, clang-tidy, strace, SPIN, Eigen,' \
        'Python with NumPy and jsonschema, mandoc, man, bash, zsh)'; fi)" \
      "$(if $with_peers; then echo '(to measure also OpenMPI, ZeroMQ, iceoryx 2, Python with NumPy and Matplotlib)'; fi)"
    return
  fi
  local missing
  missing=$(missing_packages)
  if [ -z "$missing" ]; then
    say "all packages are there"
    return
  fi
  can_be_root ||
    fail "missing, and neither root nor sudo to install them: run as root: apt-get install" $missing
  say "reading the package lists"
  as_root apt-get -q -o DPkg::Lock::Timeout=300 update ||
    fail "apt-get update failed; missing:" $missing
  missing=$(missing_packages) # now that the lists are there, the names may be others
  if [ -z "$missing" ]; then return; fi
  if is_installed libboost1.74-dev && [[ $missing == *libboost1.* ]]; then
    say "note: Debian does not allow two versions of Boost's headers; apt replaces those of 1.74"
  fi
  say "installing" $missing
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Use-Pty=0 install --no-install-recommends $missing ||
    fail "apt-get install failed; missing:" $missing
}

# ---- file systems

try_mount() { # TYPE OPTIONS DIRECTORY
  can_be_root && command -v mount >/dev/null && as_root mkdir -p "$3" && as_root mount -t "$1" -o "$2" "$1" "$3"
}

check_file_systems() {
  if [ ! -r /proc/self/stat ]; then
    say "/proc is not mounted; mounting it"
    try_mount proc nosuid,nodev,noexec /proc ||
      fail "/proc is not mounted, and weir needs it: as root, mount -t proc proc /proc"
  fi
  if [ "$(stat -f -c %T /dev/shm 2>/dev/null || true)" != tmpfs ]; then
    say "/dev/shm is not a shared memory file system (tmpfs); mounting one"
    if ! try_mount tmpfs mode=1777,nosuid,nodev /dev/shm; then
      local hint="as root, mount -t tmpfs -o mode=1777 tmpfs /dev/shm"
      if [ -d /dev/shm ] && [ -w /dev/shm ]; then
        say "could not; segments will be files on a disk, which is slow: $hint"
      else
        fail "/dev/shm is missing, and weir's segments live there: $hint"
      fi
    fi
  fi
  # Some tests look at what the command prints on a terminal.
  if $with_test_tools && [ ! -e /dev/pts/ptmx ]; then
    say "/dev/pts is not mounted; mounting it"
    try_mount devpts mode=620,ptmxmode=666 /dev/pts ||
      fail "/dev/pts is not mounted, and tests need a terminal: as root, mount -t devpts devpts /dev/pts"
  fi
}

install_packages
check_file_systems
