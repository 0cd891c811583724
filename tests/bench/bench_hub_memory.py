"""What a hub process knows of 10,000 people after it relayed a question and an answer about each of them.

python -m tests.bench.bench_hub_memory
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.hub.kit import federated
from tests.hub.searched_hub import searched_hub

QUESTIONS = 10_000


def run() -> dict[str, int]:
    """`hub_names_found` counts names, birth dates, NHS numbers and postcodes, of anybody, in any spelling.

    `hub_canary_found` is 1 if the same search found what a hub does know; without it the other figure says nothing.
    Takes some two minutes.
    """
    with tempfile.TemporaryDirectory() as folder:
        searched = asyncio.run(searched_hub(federated(Path(folder)), questions=QUESTIONS))
    return {
        "hub_questions_asked": len(searched.ids),
        "hub_canary_found": int(searched.canary_found()),
        "hub_names_found": len(searched.asked_found()),
        "hub_searched_mb": round((len(searched.memory) + len(searched.files)) / 2**20),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(), indent=2) + "\n")
