#!/bin/sh
# Checks that the machine has what the project needs, then makes .venv and node_modules. Called by `make setup`.
# With --check it stops after the checks and prints the Python it would take.
set -eu
cd "$(dirname "$0")/.."

stop() {
    echo "$1" >&2
    exit 1
}

find_python() {
    for candidate in "${PYTHON:-}" python3.12 python3.11 python3; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    found=$(python3 --version 2>/dev/null | head -n 1) || true
    stop "Please install Python 3.11 or 3.12${found:+ (this machine has $found)}."
}

check_node() {
    command -v node >/dev/null 2>&1 || stop "Please install Node.js 20 or newer (this machine has none)."
    found=$(node --version 2>/dev/null) || stop "Please install Node.js 20 or newer (the one on PATH does not start)."
    major=${found#v}
    major=${major%%.*}
    case $major in
        '' | *[!0-9]*) stop "Please install Node.js 20 or newer (this machine's answers \"$found\")." ;;
    esac
    [ "$major" -ge 20 ] || stop "Please install Node.js 20 or newer (this machine has $found)."
    npm --version >/dev/null 2>&1 || stop "Please install npm, which comes with Node.js 20 and newer."
}

python=$(find_python)
"$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
    stop "Please install Python's venv module (on Debian and Ubuntu: the package python3-venv)."
check_node
if [ "${1:-}" = --check ]; then
    echo "$python"
    exit 0
fi

echo "Setting up, once: Python packages into .venv, then npm packages into node_modules (about a minute) ..."
if ! .venv/bin/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' >/dev/null 2>&1; then
    "$python" -m venv --clear .venv
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]' ||
    stop "pip could not install the Python packages: the reason is above; the first set-up needs a network."
npm ci --silent --no-audit --no-fund ||
    stop "npm could not install its packages: run \"npm ci\" to see why; the first set-up needs a network."
# Programs in .venv find compiler and anvil, and keep their caches inside the project, without anybody setting
# variables: Python runs these lines when it starts from .venv.
mkdir -p .venv/solc
ln -sf ../../scripts/solc ".venv/solc/solc-v$(node -p 'require("./package.json").dependencies.solc')"
cat >"$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/marginproof-environment.pth" <<'END'
import os, sys; [os.environ.setdefault(name, os.path.join(sys.prefix, *parts)) for name, parts in {"APE_DATA_FOLDER": ("..", "build", "ape"), "MPLCONFIGDIR": ("..", "build", "matplotlib"), "SOLCX_BINARY_PATH": ("solc",)}.items()]
import os, sys; tools = os.path.join(os.path.dirname(sys.prefix), "node_modules", ".bin"); tools in os.environ.get("PATH", "") or os.environ.update(PATH=os.environ.get("PATH", os.defpath) + os.pathsep + tools)
END
echo "Compiling the contracts (under a minute) ..."
.venv/bin/python -m marginproof.protocol.deploy || echo "Set up, but the contracts do not compile: see above." >&2
echo "Set up."
