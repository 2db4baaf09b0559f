#!/usr/bin/env bash
# Builds and runs the whole test suite: the release preset, then the same tests under
# AddressSanitizer and UndefinedBehaviorSanitizer (the asan preset).
#   scripts/test.sh [PRESET...]     default: release asan
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
ensure_packages

presets=("$@")
((${#presets[@]})) || presets=(release asan)
for preset in "${presets[@]}"; do
  echo "== $preset: configure and build"
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset"
done
status=0
for preset in "${presets[@]}"; do
  echo "== $preset: test"
  ctest --preset "$preset" --progress -j "$(nproc)" || status=1
done
exit $status
