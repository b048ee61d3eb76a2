#!/usr/bin/env bash
# Installs what the suites compare nabla with. Each part may fail by itself: the suites report what is absent.
cd "$(dirname "$0")" || exit 1
failed=()

attempt() { echo "== $1"; shift; "$@" || failed+=("$*"); }

system_packages() {
  command -v apt-get >/dev/null || { echo "no apt-get here: install OpenBLAS, BLIS, oneDNN and PyTorch by hand"; return 1; }
  local sudo=(); [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -q &&
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y --no-install-recommends \
      g++ libopenblas-dev libblis-dev libdnnl-dev python3-numpy python3-torch
}
python_packages() {
  python3 -m venv .venv && .venv/bin/pip install --no-cache-dir --no-deps -r requirements.txt &&
    .venv/bin/python -c "import torch; print('PyTorch', torch.__version__)"
}

attempt "OpenBLAS, BLIS, oneDNN, the distribution's NumPy and PyTorch" system_packages
attempt "PyTorch and NumPy from the registry (about 4 GB)" python_packages
attempt "tfjs and jax-js" npm ci --no-audit --no-fund

if [ ${#failed[@]} -gt 0 ]; then printf 'did not install: %s\n' "${failed[@]}"; exit 1; fi
