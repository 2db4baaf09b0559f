#!/usr/bin/env bash
# Mutation testing of the CUDA kernels: plants one bug at a time, as scripts/mutation/mutants.py
# says, and demands that the tests under the emulator and AddressSanitizer find it.
#   scripts/mutate.sh [--sample N [--seed S]] [--only PATTERN] [--shared] [--list] [-j JOBS]
# A sample leaves out the headers that kernels and host share, for the time that they take to
# compile, unless --shared is given.
# Exits with 1 when a mutant survives that scripts/mutants_justified.txt does not list.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 scripts/mutation/mutate.py "$@"
