# Sourced by the other scripts: installs the Debian packages Imago builds with.
imago_packages=(build-essential cmake ninja-build ccache doctest-dev libbenchmark-dev libhwy-dev
  libstb-dev libcli11-dev nlohmann-json3-dev libboost-context-dev libeigen3-dev zlib1g-dev python3
  doxygen
  pkg-config)
# For tests/interop only. Debian's PyTorch is a CPU build; the one that pip gets brings gigabytes of
# CUDA.
imago_python_packages=(python3-venv python3-numpy python3-torch)

# Installs what is missing, as root or through sudo; otherwise prints the exact line and stops.
ensure_packages() {
  local missing=() package
  for package in "${imago_packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  local sudo=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null || ! sudo -v; then
      echo "Imago needs some Debian packages. Install them with this line, then run the script" \
        "again:" >&2
      echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
      exit 1
    fi
    sudo=(sudo)
  fi
  echo "Installing: ${missing[*]}"
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

# build/python: a virtual environment over Debian's Python with safetensors, which Debian 12 lacks.
make_python() {
  local python=build/python/bin/python3
  if ! $python -c 'import numpy, torch, safetensors' 2>/dev/null; then
    echo "Making build/python with NumPy, PyTorch and safetensors"
    rm -rf build/python
    /usr/bin/python3 -m venv --system-site-packages build/python
    $python -m pip install --quiet --disable-pip-version-check 'safetensors>=0.4,<1' || {
      echo "pip could not install safetensors into build/python; without network leave --python" \
        "out" >&2
      exit 1
    }
  fi
  $python -c 'import numpy, torch, safetensors as s
print("build/python: NumPy", numpy.__version__, "PyTorch", torch.__version__,
      "safetensors", s.__version__)'
}
