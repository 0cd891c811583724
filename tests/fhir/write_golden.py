"""Writes tests/golden/bundles/ anew, to be read before it is committed: `python -m tests.fhir.write_golden`."""

import orjson

from gateway.wire.answer import Disclosure
from tests.fhir.teams import GOLDEN, disclosed
from tests.fhir.validators import GOLDEN_FOLDER


def main() -> None:
    """Write one file per case."""
    for name, (whole, modes) in GOLDEN.items():
        answer = disclosed(whole, modes)
        assert isinstance(answer, Disclosure)
        text = orjson.dumps(orjson.loads(answer.bundle), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (GOLDEN_FOLDER / f"{name}.json").write_bytes(text)


if __name__ == "__main__":
    main()
