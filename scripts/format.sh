#!/usr/bin/env bash
# Formats every source file with clang-format; with --check only reports what would change.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-format >/dev/null ||
  { echo "format.sh: clang-format is missing: apt-get install clang-format" >&2; exit 1; }
mode=(-i)
[[ ${1:-} == --check ]] && mode=(--dry-run -Werror)
git ls-files -z '*.h' '*.cpp' '*.cu' '*.cuh' | xargs -0 clang-format "${mode[@]}"
