#!/usr/bin/env bash
# Installs what is missing, builds Imago and trains a small DCGAN on procedural faces: about three
# minutes on two cores. Run it again to train further; start afresh with --fresh.
#   scripts/demo.sh [--fresh] [--steps N]
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

out=runs/demo
steps=3000   # of each run of this script
fresh=0
while (($#)); do
  case $1 in
    --fresh) fresh=1 ;;
    --steps)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] ||
        { echo "demo.sh: --steps needs a positive number" >&2; exit 2; }
      steps=$2
      shift ;;
    -h | --help) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "demo.sh: unknown flag $1 (there are --fresh and --steps N)" >&2; exit 2 ;;
  esac
  shift
done

ensure_packages
cmake --preset release >/dev/null
cmake --build --preset release --target train_gan generate evaluate

bin=build/release/apps
if ((fresh)); then rm -rf "$out"; fi
if [[ -f $out/checkpoint.safetensors ]]; then
  # The header of the checkpoint says how far it got.
  done_steps=$(grep -aom1 '"step":"[0-9]*"' "$out/checkpoint.safetensors" | head -n 1 | tr -dc 0-9)
  echo "Going on with $out after step $done_steps (start afresh with --fresh)."
  $bin/train_gan --resume --out "$out" --steps $((done_steps + steps))
else
  rm -rf "$out"
  $bin/train_gan --data procedural --model dcgan64 --base 16 --batch 64 --steps "$steps" --seed 1 \
    --sample-every 100 --checkpoint-every 250 --out "$out"
fi

echo
scripts/score.sh "$out/checkpoint.safetensors"
echo
echo "Look at:"
echo "  $(ls "$out"/samples/*.png | tail -n 1)" \
  "  the same 64 noise vectors as every sample in $out/samples"
echo "  $out/loss.svg"
echo "  $out/checkpoint.safetensors   (more faces: $bin/generate --checkpoint" \
  "$out/checkpoint.safetensors --grid 8x8 --seed 2 --out faces.png)"
