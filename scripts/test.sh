#!/usr/bin/env bash
# Builds and runs the whole test suite:
#   release    the CPU
#   asan       the CPU under AddressSanitizer and UndefinedBehaviorSanitizer
#   cuda       the GPU kernels compiled by nvcc, where it is found (scripts/gpu_check.sh runs them)
#   emulated   the CUDA suite on the emulated device, under both sanitizers
#   tsan       each CUDA kernel at a small size, the loader and streams under ThreadSanitizer
# and, with emulated, a sample of scripts/mutate.sh, which breaks the kernels to see that a test
# notices; each commit draws another sample.
#   scripts/test.sh [--full] [--no-mutants] [--python] [PRESET...]   default: all five; also debug
#   --full        nvcc compiles for every GPU architecture, not only for sm_90a and compute_80, and
#                 cuda is built whole, not only what differs from the other presets
#   --no-mutants  without the sample, which builds the kernels and their tests once more
#   --python      sets up build/python, a Python with NumPy, PyTorch and safetensors, so that tests
#                 of files exchanged with it (tests/interop) must run; else they run where they can
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

architectures=(-DIMAGO_CUDA_ARCHITECTURES="90a-real;80-virtual")
device_targets=(--target device_code)
presets=() mutants=true python=false
for argument in "$@"; do
  case $argument in
    --no-mutants) mutants=false ;;
    --python) python=true ;;
    --full) architectures=(-UIMAGO_CUDA_ARCHITECTURES) device_targets=() ;;
    release | debug | asan | tsan | cuda | emulated) presets+=("$argument") ;;
    *)
      echo "scripts/test.sh: '$argument' is neither --full, --no-mutants, --python nor a preset" \
        "(release, debug, asan, tsan, cuda, emulated)" >&2
      exit 2
      ;;
  esac
done
asked=true
((${#presets[@]})) || { presets=(release asan cuda emulated tsan); asked=false; }
if $python; then imago_packages+=("${imago_python_packages[@]}"); fi
SECONDS=0
ensure_packages
if $python; then
  make_python
  export IMAGO_REQUIRE_PYTHON=1
  echo "== python: ready in $SECONDS s"
fi

# Objects that two presets compile alike are compiled once.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
have_nvcc=false
if [[ -n ${CUDACXX:-} ]] || command -v nvcc >/dev/null; then have_nvcc=true; fi

no_nvcc="!! nvcc not found: the GPU kernels are compiled for the emulator only"
tested=() without_cuda=false status=0
for preset in "${presets[@]}"; do
  if [[ $preset == cuda ]] && ! $have_nvcc; then
    if $asked; then
      echo "scripts/test.sh: the cuda preset needs nvcc; put it on the PATH or set CUDACXX" >&2
      exit 1
    fi
    echo "$no_nvcc"
    without_cuda=true
    continue
  fi
  echo "== $preset: configure and build"
  SECONDS=0
  targets=()
  if [[ $preset == cuda ]]; then
    cmake --preset cuda "${architectures[@]}" >/dev/null
    targets=("${device_targets[@]}")
  else
    cmake --preset "$preset" >/dev/null
    tested+=("$preset")
  fi
  cmake --build --preset "$preset" "${targets[@]}"
  echo "== $preset: built in $SECONDS s"
  if [[ $preset == cuda ]]; then
    # The only tests of it that need no GPU: cuDNN makes plans for one that is described to it.
    ctest --preset cuda -R '^cudnn:' || status=1
  fi
done

for preset in "${tested[@]}"; do
  if [[ $preset == emulated ]] && $mutants; then
    # Each commit draws a sample of its own, the same one whenever it is tested.
    commit=$(git rev-parse HEAD 2>/dev/null) || commit=1
    seed=$((16#${commit:0:7}))
    echo "== a sample of the mutants of the kernels: scripts/mutate.sh --sample 6 --seed $seed"
    scripts/mutate.sh --sample 6 --seed $seed || status=1
  fi
  echo "== $preset: test"
  ctest --preset "$preset" --progress -j "$(nproc)" || status=1
done
# Once more where it is seen: what was not compiled was not tested.
if $without_cuda; then echo "$no_nvcc"; fi
exit $status
