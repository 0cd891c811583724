"""Writes the golden answers and AuditEvents anew, to be read before a commit: `python -m tests.fhir.write_golden`."""

import orjson

from gateway.wire.answer import Disclosure
from tests.fhir.audit_cases import AUDIT_FOLDER, CASES, events
from tests.fhir.teams import GOLDEN, disclosed
from tests.fhir.validators import GOLDEN_FOLDER


def main() -> None:
    """Write one file per case."""
    for name, (whole, modes) in GOLDEN.items():
        answer = disclosed(whole, modes)
        assert isinstance(answer, Disclosure)
        text = orjson.dumps(orjson.loads(answer.bundle), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (GOLDEN_FOLDER / f"{name}.json").write_bytes(text)
    for name in CASES:
        text = orjson.dumps(events(name), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (AUDIT_FOLDER / f"{name}.json").write_bytes(text)


if __name__ == "__main__":
    main()
