#!/usr/bin/env bash
# Builds and runs the whole test suite: the release preset, then the same tests under
# AddressSanitizer and UndefinedBehaviorSanitizer (the asan preset). The GPU kernels run under the
# emulator in both; where nvcc is found, the cuda preset shows that it compiles them as well.
#   scripts/test.sh [PRESET...]     default: release asan; there are debug and tsan too
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
if [[ -n ${CUDACXX:-} ]] || command -v nvcc >/dev/null; then
  echo "== cuda: compile the .cu files with nvcc"
  cmake --preset cuda -DIMAGO_CUDA_ARCHITECTURES="90a-real;80-virtual" >/dev/null
  cmake --build --preset cuda
else
  echo "!! nvcc not found: the .cu files were only run under the emulator"
fi
status=0
for preset in "${presets[@]}"; do
  echo "== $preset: test"
  ctest --preset "$preset" --progress -j "$(nproc)" || status=1
done
exit $status
