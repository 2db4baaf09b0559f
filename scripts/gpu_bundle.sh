#!/usr/bin/env bash
# Packs what scripts/gpu_check.sh needs on a GPU machine that cannot build: tests, benches and
# programs of the cuda preset with their shared libraries, the files that tests read, peer scripts.
# Unpack it there and run imago-gpu/scripts/gpu_check.sh.
#   scripts/gpu_bundle.sh [--arch LIST] [--out FILE.tar.xz] [-j JOBS]
#   --arch LIST   as nvcc takes them; default "90a-real;90-virtual"
#   --out FILE    default build/gpu_bundle.tar.xz; at most 60 MiB
# The target needs an x86-64 Linux with a C library as new as this machine's.
set -euo pipefail
start=$PWD
cd "$(dirname "$0")/.."

arch="90a-real;90-virtual" out=build/gpu_bundle.tar.xz jobs=$(nproc)
while (($#)); do
  case $1 in
    --arch | --out | -j) [[ ${2:-} ]] || { echo "gpu_bundle.sh: $1 needs a value" >&2; exit 2; } ;;&
    --arch) arch=$2; shift ;;
    --out) out=$2; [[ $out == /* ]] || out=$start/$out; shift ;;
    -j)
      [[ $2 =~ ^[1-9][0-9]*$ ]] || { echo "gpu_bundle.sh: -j needs a positive number" >&2; exit 2; }
      jobs=$2
      shift ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "gpu_bundle.sh: unknown flag $1 (there are --arch, --out and -j)" >&2; exit 2 ;;
  esac
  shift
done

# A build folder of its own, so that the cuda preset keeps its architectures. Programs look for
# shared libraries next to themselves, --disable-new-dtags also for the libraries' own sake, and
# tests look for their files where they are started.
build=build/gpu_bundle
cmake --preset cuda -B $build -DIMAGO_CUDA_ARCHITECTURES="$arch" -DIMAGO_TEST_ROOT=. \
  -DCMAKE_BUILD_RPATH='$ORIGIN/../lib' -DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags >/dev/null
programs=(tests/test_{tensor,kernels,autograd,nn,models,data} bench/bench_{conv,ops,step,loader}
  apps/{train_gan,generate,evaluate,render_faces})
# What these tests read of the source tree, which tests/scripts/test_gpu_check.py looks up in their
# text, and the peers.
sources=(tests/goldens autograd/ops nn bench/peers models/weights)
cmake --build $build -j "$jobs" --target "${programs[@]##*/}"

root=$build/imago-gpu
bin=$root/build/cuda
rm -rf $root
mkdir -p $bin/{tests,bench,apps,lib} $root/scripts
for program in "${programs[@]}"; do strip -o "$bin/$program" "$build/$program"; done
# Everything but the C library, which belongs to the system.
ldd "${programs[@]/#/$build/}" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
  grep -vE '/(libc|libm|libdl|librt|libpthread|ld-linux-[^/]*)\.so' |
  xargs -I{} cp -L {} $bin/lib/
git ls-files -z "${sources[@]}" | xargs -0 cp --parents -t $root/
cp scripts/gpu_check.sh $root/scripts/
git describe --always --dirty --abbrev=12 >$root/BUNDLE

mkdir -p "$(dirname "$out")"
# Every program holds the same kernels: a dictionary as large as all of them together stores those
# once.
tar cf - -C $build imago-gpu | xz -T0 --lzma2=preset=6,dict=512MiB >"$out"
size=$(stat -c %s "$out")
echo "$out: $((size >> 20)) MiB, architectures $arch"
((size <= 60 << 20)) ||
  { echo "gpu_bundle.sh: more than 60 MiB; name fewer architectures" >&2; exit 1; }
