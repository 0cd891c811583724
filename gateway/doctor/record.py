"""The ledger: how far it is, what its witnesses last said, and whether anything speaks against it."""

from collections.abc import Sequence
from dataclasses import dataclass

from consent_ledger.heads import Said, Word
from gateway.days import DAY_S, HOUR_S
from gateway.doctor.finding import Finding, moment, soon, spell, well, wrong
from gateway.node.checkpoints import NOT_COMPARED

CHECK = "ledger"
LATE_S = 3 * HOUR_S  # a serving node signs a head each hour
_RESTORE = "follow `patchwork ledger restore` (docs/ledger.md)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFacts:
    """`size`: entries; `signed_size` and `signed_at` of the newest checkpoint; `words`: each witness's last.

    `doubt`: what speaks against this ledger, of its own signatures and of what witnesses hold; `told`: why the running
    node says that it discloses nothing; `unheard`: why the hub could not be asked.
    """

    now: float
    size: int
    signed_size: int | None
    signed_at: float | None
    words: Sequence[Word]
    problem: str = ""
    doubt: str = ""
    told: str = ""
    unheard: str = ""


def check_record(facts: RecordFacts) -> list[Finding]:
    """What would make the node disclose nothing, or keep others from believing its record."""
    if facts.problem:
        return [wrong(CHECK, f"{facts.problem}: nothing is disclosed", _RESTORE)]
    found = _doubts(facts)
    if facts.size and (facts.signed_at is None or facts.now - facts.signed_at > LATE_S):
        said = "never" if facts.signed_at is None else f"{spell(facts.now - facts.signed_at)} ago"
        found.append(
            soon(CHECK, f"the ledger's head was last signed {said}", "let the node serve: it does so each hour")
        )
    for word in facts.words:
        if word.said is Said.REFUSED:
            what = f"witness {word.witness} refused the ledger at {moment(word.at)}: {word.reason}"
            found.append(wrong(CHECK, what, _RESTORE))
        elif facts.now - word.at > DAY_S or word.said is Said.NO_WORD:
            what = f"witness {word.witness} gave no cosignature at {moment(word.at)}" + (
                f": {word.reason}" if word.reason else ""
            )
            found.append(soon(CHECK, what, "see that it can be reached; `patchwork node status` has its last word"))
    witnesses = len(facts.words)
    said = f"cosigned by {witnesses} witness{'es' if witnesses != 1 else ''}" if witnesses else "cosigned by nobody yet"
    return found or [well(CHECK, f"{facts.size} entries, {said}")]


def _doubts(facts: RecordFacts) -> list[Finding]:
    """Why nothing is disclosed now, or would not be after a start; each reason once."""
    if facts.doubt:
        return [wrong(CHECK, f"{facts.doubt}: nothing is disclosed", _RESTORE)]
    if facts.signed_size is not None and facts.signed_size > facts.size:
        what = (
            f"the ledger has {facts.size} entries, and has signed that it had {facts.signed_size}: nothing is disclosed"
        )
        return [wrong(CHECK, what, _RESTORE)]
    if facts.told:
        do = "get that witness to answer: the node goes on by itself" if NOT_COMPARED in facts.told else _RESTORE
        return [wrong(CHECK, f"{facts.told}: nothing is disclosed", do)]
    if facts.unheard:
        what = f"the ledger could not be compared with what the hub holds of it: {facts.unheard}"
        return [soon(CHECK, what, "a node that is started before that hub answers discloses nothing until it does")]
    return []
