#!/usr/bin/env bash
# Prints how far a trained generator is from real procedural faces and how varied its samples are.
#   scripts/score.sh [CHECKPOINT]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/build/release/apps/evaluate" --data procedural --count 1000 \
  --generator "${1:-$root/runs/demo/checkpoint.safetensors}"
echo "Good enough: a distance of at most 0.25 of the untrained generator's, a variety of at least" \
  "0.5 of the real."
