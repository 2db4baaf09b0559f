#!/usr/bin/env bash
# Prints how far a trained generator is from real procedural faces and how varied its samples are.
# Accepted are: distance at most 0.25 of the untrained generator's, variety at least 0.5 of the real.
#   scripts/score.sh [CHECKPOINT]
set -euo pipefail
cd "$(dirname "$0")/.."
exec build/release/apps/evaluate --generator "${1:-runs/demo/checkpoint.safetensors}" --data procedural --count 1000
