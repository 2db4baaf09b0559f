# Sourced by the other scripts: installs the Debian packages Imago builds with.
imago_packages=(build-essential cmake ninja-build ccache doctest-dev libbenchmark-dev libhwy-dev libstb-dev
  libcli11-dev nlohmann-json3-dev libboost-context-dev python3 doxygen pkg-config)

# Installs what is missing, as root or through sudo; otherwise prints the exact line and stops.
ensure_packages() {
  local missing=() package
  for package in "${imago_packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  local sudo=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null || ! sudo -v; then
      echo "Imago needs some Debian packages. Install them with this line, then run the script again:" >&2
      echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
      exit 1
    fi
    sudo=(sudo)
  fi
  echo "Installing: ${missing[*]}"
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
