"""Keys: whether they can be used, and whether they are those that the federation document lists."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.doctor.finding import Finding, soon, well, wrong
from gateway.wire.federation import Federation, Member

CHECK = "keys"
DO_WITH_UNUSABLE = "set its mode to 0600 if it is a next key; keep copies in another folder"
_OTHERS_MAY = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """`problems`: files that cannot be used, each with what is wrong. `signing`: kids of private keys that are here.

    `unusable`: as `problems`, of what lies there under the name of a next key.
    `ledger_kid` and `sealing_until` (epoch seconds) are None where there is no such key; `ledger_next`: of next ledger
    keys, while one rotates; `folder_mode` as of stat().
    """

    problems: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    signing: frozenset[str] = field(default_factory=frozenset)
    ledger_kid: str | None = None
    ledger_next: frozenset[str] = field(default_factory=frozenset)
    sealing_until: float | None = None
    folder_mode: int | None = None


def check_keys(facts: KeyFacts, document: Federation | None, me: str, now: float) -> list[Finding]:
    """A node's keys."""
    found = [wrong(CHECK, problem, _do(problem)) for problem in facts.problems]
    found += [soon(CHECK, problem, DO_WITH_UNUSABLE) for problem in facts.unusable]
    if facts.folder_mode is not None and facts.folder_mode & _OTHERS_MAY:
        found.append(
            soon(CHECK, f"others may enter the folder of keys (mode {facts.folder_mode:04o})", "chmod 700 the folder")
        )
    if not facts.problems and (facts.sealing_until is None or facts.sealing_until <= now):
        found.append(
            soon(CHECK, "no sealing key is in force: nobody can seal a question to this node", "let the node serve")
        )
    member = None if document is None else document.members.get(me)
    if member is not None and not facts.problems:
        found += _against(facts, member, now)
    signing = "the signing key" if len(facts.signing) == 1 else f"{len(facts.signing)} signing keys"
    return found or [well(CHECK, f"{signing}, the ledger key and the sealing key can be used")]


def _against(facts: KeyFacts, member: Member, now: float) -> Iterator[Finding]:
    in_force = set(member.keys_at(now))
    if not in_force & facts.signing:
        yield wrong(
            CHECK,
            "the federation document lists no signing key of this node that is in force: all that it signs is refused",
            "if the keys here are the right ones, send a request with them to the operator for "
            "`patchwork federation update`; else put the right keys back",
        )
    for kid in sorted(in_force - facts.signing):
        yield soon(
            CHECK,
            f"the federation document lists signing key {kid} for this node, which is not here",
            "if it is a key from before, that is well until it ends; if nobody here knows it, ring the operator",
        )
    if member.ledger_key.get("kid") not in {facts.ledger_kid, *facts.ledger_next}:
        yield wrong(
            CHECK,
            "the ledger key here is not the one that the federation document lists: no checkpoint is believed",
            "put the right ledger.pem back from the backup",
        )


def _do(problem: str) -> str:
    if "chmod" in problem:
        return "set the mode, and find out who has read the key"
    return "put the file back from the backup of keys/; if it is lost, see docs/running-a-node.md, Keys"
