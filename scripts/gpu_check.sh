#!/usr/bin/env bash
# Checks and measures Imago on a machine with an NVIDIA GPU; needs no network. Run it in a source
# tree, which it builds (cmake, ninja, nvcc and the packages of scripts/packages.sh must be there),
# or in an unpacked bundle of scripts/gpu_bundle.sh, which needs no compiler.
#   scripts/gpu_check.sh [--quick] [--rehearse] [--out DIR]
# What is right comes first, so that it is not what the time runs out for: the test suite, then
# compute-sanitizer on some of the tests. Then the benches in turn with PyTorch on the same GPU
# (where python3 has a torch that sees it), ours a second time after the peer's: what two equal runs
# differ by is noise, and a ratio within it is called ambiguous. A part that fails stops no other.
#   --quick     at most 8 minutes after the build (in a bundle: in all); fewer steps, engines, peers
#   --rehearse  without a GPU: the same parts with the emulated device, which times nothing, and
#               PyTorch on the CPU with small problems
#   --out DIR   default build/gpu_check: a log for each part, results as JSON, summary.txt, and all
#               of it in gpu_check.tar.gz
# Exits with 0 when every part that ran passed, 1 when one failed or was cut short (they are named),
# 2 for a bad flag, 3 where there is no GPU.
# Environment: PYTHON, the python3 to use; IMAGO_PREFIX, where packages are installed (tree only);
# IMAGO_CUDNN_LIBRARY, the libcudnn.so.9 to compare with (default: the one that PyTorch brings).
set -uo pipefail
start=$PWD
cd "$(dirname "$0")/.." || exit 1

quick=0 rehearse=0 out=build/gpu_check
while (($#)); do
  case $1 in
    --quick) quick=1 ;;
    --rehearse) rehearse=1 ;;
    --out)
      [[ ${2:-} ]] || { echo "gpu_check.sh: --out needs a folder" >&2; exit 2; }
      out=$2
      [[ $out == /* ]] || out=$start/$out
      shift ;;
    -h | --help) sed -n '2,21s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *)
      echo "gpu_check.sh: unknown flag $1 (there are --quick, --rehearse and --out DIR)" >&2
      exit 2 ;;
  esac
  shift
done
python=${PYTHON:-python3}

if ((rehearse)); then
  preset=emulated device=cpu
elif ! command -v nvidia-smi >/dev/null || ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
  echo "gpu_check.sh: no GPU here, nvidia-smi lists none; --rehearse runs the same parts without" \
    "one" >&2
  exit 3
else
  preset=cuda device=cuda
fi
bin=build/$preset
mkdir -p "$out" && rm -rf "${out:?}"/{*.log,*.json,summary.txt,gpu_check.tar.gz} || exit 1

# part NAME SECONDS COMMAND...: runs the command for at most so long, its output into NAME.log.
limit=3600   # seconds of all parts together
failed=() cut_short=() not_run=()
part() {
  local name=$1 seconds=$2 left=$((limit - SECONDS)) status began=$SECONDS
  shift 2
  ((seconds < left)) || seconds=$left
  if ((seconds <= 0)); then
    skip "$name" "no time left"
    cut_short+=("$name")
    return
  fi
  printf '%-22s ' "$name"
  timeout --kill-after=10 "$seconds" "$@" >"$out/$name.log" 2>&1
  status=$?
  case $status in
    0) echo "passed in $((SECONDS - began)) s" ;;
    124 | 137) echo "cut short after $seconds s"; cut_short+=("$name") ;;
    *) echo "FAILED ($status): $(tail -n 1 "$out/$name.log")"; failed+=("$name") ;;
  esac
  return $status
}
skip() {
  printf '%-22s not run: %s\n' "$1" "$2"
  not_run+=("$1")
}

# Named in the results, too (bench/provenance.h).
IMAGO_COMMIT=$(cat BUNDLE 2>/dev/null || git describe --always --dirty --abbrev=12)
export IMAGO_COMMIT
machine() {
  echo "Imago $IMAGO_COMMIT"
  uname -srm
  local asked=name,driver_version,memory.total,power.limit,clocks.max.sm,clocks.max.mem
  ((rehearse)) || nvidia-smi --query-gpu=$asked --format=csv
}
machine >"$out/machine.log"
cat "$out/machine.log"

if [[ ! -f BUNDLE ]]; then
  flags=()
  [[ ${IMAGO_PREFIX:-} ]] && flags+=(-DCMAKE_PREFIX_PATH="$IMAGO_PREFIX")
  if [[ $preset == cuda ]]; then
    capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
    flags+=(-DIMAGO_CUDA_ARCHITECTURES="${capability/#90/90a}-real")
  fi
  if ! { part configure 300 cmake --preset "$preset" "${flags[@]}" &&
    part build 3600 cmake --build --preset "$preset" --target \
      test_{tensor,kernels,autograd,nn,models,data} bench_{conv,ops,step} train_gan; }; then
    echo "gpu_check.sh: cannot build here; scripts/gpu_bundle.sh makes a bundle on a machine that" \
      "can" >&2
    exit 1
  fi
fi
SECONDS=0
limit=$((quick && !rehearse ? 460 : 14400))   # of what follows
# Under a sanitizer the emulated device takes minutes for what a GPU does in seconds.
tests_seconds=$((quick && !rehearse ? 60 : 1800))

export OMP_WAIT_POLICY=passive
# The suite. Without a device its CUDA half fails, it does not fall silent.
for folder in tensor kernels autograd nn models data; do
  part "test_$folder" $tests_seconds "$bin/tests/test_$folder"
done
# The cases that name no device, once more with their tensors on the GPU; and the training program.
for folder in nn models; do
  part "test_${folder}_on_cuda" $tests_seconds "$bin/tests/test_$folder" --device=cuda
done
train=(--model dcgan32 --base 16 --batch 32 --steps 200)
((rehearse)) && train=(--model dcgan16 --base 4 --batch 4 --steps 3)
rm -rf "$out/run"
part train_gan $((quick ? 30 : 300)) "$bin/apps/train_gan" --device cuda --data procedural \
  "${train[@]}" --out "$out/run"

# compute-sanitizer sees what the emulator cannot: memory of the real device, real races.
if ((rehearse)); then
  skip compute-sanitizer "the emulated build runs under AddressSanitizer"
elif ! command -v compute-sanitizer >/dev/null; then
  skip compute-sanitizer "it is not installed"
else
  subset='--source-file=*test_conv2d*,*test_gemm*,*test_batch_norm*,*test_reduce*'
  subset+=',*test_compare*,*test_softmax*'
  subset+=',*test_cross_entropy*,*test_group_norm*,*test_gather*,*test_permute*,*test_optimizers*'
  subset+=',*test_clip*'
  ((quick)) && subset='--test-case=conv2d on CUDA: bf16 gradients*,gemm: random inputs*'
  for tool in memcheck racecheck initcheck; do
    # Exact allocations: the tool sees the end of every tensor and what nobody wrote.
    part "$tool" $((quick ? 40 : 1200)) env IMAGO_EXACT_ALLOCATIONS=1 \
      compute-sanitizer --tool "$tool" --error-exitcode 9 "$bin/tests/test_kernels" "$subset"
  done
fi

# Benches. JSON files are for Google Benchmark's compare.py and for bench/peers/table.py.
small_ops=() small=() steps=()
((rehearse)) && small_ops=(--megabytes 1) small=(--base 8 --image 16 --batch 8 --steps 3)
((quick && !rehearse)) && steps=(--steps 100)
bench() {   # NAME SECONDS PROGRAM FLAGS...
  local name=$1 seconds=$2 program=$3
  shift 3
  part "$name" "$seconds" "$bin/bench/$program" --device cuda "$@" \
    --benchmark_out="$out/$name.json" --benchmark_out_format=json
}
our_step() {   # NAME
  part "$1" $((quick ? 60 : 600)) "$bin/bench/bench_step" --device cuda --json "$out/$1.json" \
    "${small[@]}"
}
# The same once more, for the noise: again NAME COMMAND...
again() {
  local name=$1
  shift
  if ((rehearse)); then skip "$name" "the emulated device times nothing"; else "$@"; fi
}

# The peer, on the same device.
if [[ $device == cuda ]]; then
  usable='import sys, torch; sys.exit(not torch.cuda.is_available())'
else
  usable='import torch'
fi
peers=1
"$python" -c "$usable" >/dev/null 2>&1 ||
  { peers=0; skip peers "$python has no torch that can use $device"; }
peer_conv() {   # PRECISION
  local name=peer_conv_$1 flags=(--device cuda --precision "$1")
  ((peers)) || return 0
  ((rehearse)) && flags=(--layers D2,G1 --batch 4 --seconds 0.2)
  part "$name" $((quick ? 60 : 600)) "$python" bench/peers/conv_layers.py --channels-last \
    "${flags[@]}" --json "$out/$name.json"
}
peer_step() {   # NAME FLAGS...
  local name=peer_step_$1
  shift
  ((peers)) || return 0
  part "$name" $((quick ? 60 : 600)) "$python" bench/peers/dcgan_step.py --device "$device" \
    --json "$out/$name.json" "${steps[@]}" "${small[@]}" "$@"
}

conv_seconds=$((quick ? 60 : 900))
conv_f32() { bench "$1" $conv_seconds bench_conv --engine auto; }
conv_bf16() { bench "$1" $conv_seconds bench_conv --engine auto --dtype bf16; }
# The vendor's library without PyTorch around it. A build has the engine where it found the headers.
if [[ -z ${IMAGO_CUDNN_LIBRARY:-} ]]; then
  folder=$("$python" -c 'import nvidia.cudnn as c; print(list(c.__path__)[0])' 2>/dev/null)
  [[ -f $folder/lib/libcudnn.so.9 ]] && export IMAGO_CUDNN_LIBRARY=$folder/lib/libcudnn.so.9
fi
conv_cudnn() {   # PRECISION
  local name=conv_$1_cudnn
  if ((rehearse)); then
    skip "$name" "cuDNN needs a GPU"
  elif [[ -z ${IMAGO_CUDNN_LIBRARY:-} ]] && ! ldconfig -p | grep -q 'libcudnn\.so\.9'; then
    skip "$name" "there is no libcudnn.so.9; name it in IMAGO_CUDNN_LIBRARY"
  elif [[ ! -f BUNDLE ]] && ! grep -q '^IMAGO_CUDNN_INCLUDE_DIR:PATH=/' "$bin/CMakeCache.txt"; then
    skip "$name" "this build found no cudnn_backend.h"
  else
    bench "$name" $conv_seconds bench_conv --engine cudnn --dtype "$1"
  fi
}
conv_f32 conv_f32
conv_cudnn f32
peer_conv f32
again conv_f32_again conv_f32 conv_f32_again

our_step step
if ((rehearse)); then
  peer_step default
  peer_step frozen --channels-last --freeze-d
  again step_again our_step step_again
else
  strict=(--precision f32 --channels-last --fused-adam)
  fast=(--precision amp --channels-last --fused-adam)
  peer_step default
  peer_step f32 "${strict[@]}" --freeze-d
  again step_again our_step step_again
  peer_step amp "${fast[@]}" --freeze-d
  peer_step graph "${fast[@]}" --freeze-d --graph
fi

conv_bf16 conv_bf16
conv_cudnn bf16
if ((!rehearse)); then
  peer_conv bf16
  ((quick)) || again conv_bf16_again conv_bf16 conv_bf16_again
  peer_conv tf32
fi

ops_f32() { bench "$1" $((quick ? 120 : 900)) bench_ops "${small_ops[@]}"; }
ops_f32 ops_f32
if ((!quick)); then
  bench ops_bf16 900 bench_ops --dtype bf16 "${small_ops[@]}"
  again ops_f32_again ops_f32 ops_f32_again
  bench conv_f32_engines 900 bench_conv --engine naive --engine tiled --engine blocked
fi
if ((!quick && !rehearse)); then
  peer_step default_frozen --freeze-d
  peer_step f32_not_frozen "${strict[@]}"
  peer_step f32_graph "${strict[@]}" --freeze-d --graph
  peer_step tf32_graph --precision tf32 --channels-last --fused-adam --freeze-d --graph
  peer_step amp_not_frozen "${fast[@]}"
  peer_step graph_not_frozen "${fast[@]}" --graph
  peer_step compile "${fast[@]}" --freeze-d --compile
  peer_step compile_not_frozen "${fast[@]}" --compile
fi

{
  cat "$out/machine.log"
  echo
  if command -v "$python" >/dev/null; then
    "$python" bench/peers/table.py "$out"
  else
    echo "no $python: no table"
  fi
  echo
  for list in failed cut_short not_run; do
    declare -n names=$list
    ((${#names[@]})) && echo "${list/_/ }: ${names[*]}"
  done
  ((${#failed[@]} + ${#cut_short[@]})) || echo "every part that ran passed, in $SECONDS s"
} >"$out/summary.txt" 2>&1
echo
cat "$out/summary.txt"
(cd "$out" && tar czf gpu_check.tar.gz --exclude gpu_check.tar.gz ./*)
echo "results: $out/gpu_check.tar.gz"
((${#failed[@]} + ${#cut_short[@]} == 0))
