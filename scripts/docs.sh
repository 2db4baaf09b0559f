#!/usr/bin/env bash
# Makes the API reference of the public headers with Doxygen; any warning is an error.
#   scripts/docs.sh                 into build/docs/html
#   scripts/docs.sh HEADERS FOLDER  of the headers there, into FOLDER/html
set -euo pipefail
cd "$(dirname "$0")/.."
command -v doxygen >/dev/null ||
  { echo "docs.sh: doxygen is missing: apt-get install doxygen" >&2; exit 1; }
if (($# == 2)); then
  headers=$1 out=$2
elif (($# == 0)); then
  cmake --preset release >/dev/null
  cmake --build --preset release --target imago_headers >/dev/null
  headers=$PWD/build/release/package/include out=$PWD/build/docs
else
  echo "usage: scripts/docs.sh [HEADERS FOLDER]" >&2
  exit 2
fi
mkdir -p "$out"
version=$(sed -n 's/.*const char\* version = "\(.*\)";/\1/p' "$headers/imago/version.h")
IMAGO_VERSION=$version IMAGO_HEADERS=$headers IMAGO_DOCS_OUT=$out doxygen docs/Doxyfile
echo "API reference of Imago $version: $out/html/index.html"
