"""The hub as a witness of every member's ledger (docs/ledger.md, "Witnesses"): it sees sizes and hashes, no entry.

(1) the member that signed the request submits its own log's head, signed with the ledger key that the document lists
(2) it is checked against the last head seen of that member, and stored, in one transaction
(3) only then the cosignature is made and leaves
"""

from collections.abc import Callable
from pathlib import Path

from consent_ledger.checkpoint import origin_of
from consent_ledger.note import NoteInvalid, NoteKey
from consent_ledger.witness import WitnessRefused, cosign_next, newest_seen
from gateway.database.contract import Database
from gateway.events import Bounded
from gateway.wire.checkpoints import Held, Submission, Verdict, sign_witness_key
from gateway.wire.federation import HUB, Federation, Member
from gateway.wire.keys import LedgerKey, SigningKey, ledger_public

WITNESS_KEY_FILE = "witness.pem"


class HubWitness:
    """Cosigns with an Ed25519 key of its own; `hub_key`, the one to sign with now, vouches for it."""

    def __init__(self, *, key: LedgerKey, hub_key: Callable[[], SigningKey], database: Database) -> None:
        self._key = key
        self._hub_key = hub_key
        self._database = database
        self._refusals = Bounded("checkpoint.refused")

    async def held(self, member_id: str, federation: Federation, *, now: float) -> Held:
        """The newest head seen of a member's log, and which key this hub cosigns with; raises StorageError."""
        statement = sign_witness_key(self._key.public_jwk(), self._hub_key(), federation=federation.name, now=now)
        return Held(note=await self._database.read(newest_seen(member_id)), witness_key=statement)

    async def take(self, member: Member, submission: Submission, federation: Federation, *, now: float) -> Verdict:
        """Steps (1)-(3); a refusal is a verdict. Raises StorageError."""
        public = ledger_public(self._key.public_jwk())
        try:
            line = await cosign_next(
                self._database,
                member=member.id,
                note=submission.note,
                proof=submission.proof,
                logs=[
                    NoteKey(name=origin_of(federation.name, member.id), public=ledger_public(jwk))
                    for jwk in member.ledger_keys_at(now)
                ],
                own=NoteKey(name=origin_of(federation.name, HUB), public=public),
                signer=self._key,
                now=now,
            )
        except (NoteInvalid, WitnessRefused) as error:
            self._refusals.warn(member=member.id, reason=str(error), now=now)
            return Verdict(refused=str(error))
        return Verdict(cosignature=line)


def witness_key(folder: Path) -> LedgerKey:
    """The hub's cosigning key, made at its first start; raises ConfigurationError."""
    file = folder / WITNESS_KEY_FILE
    if not file.exists():
        LedgerKey.generate().save(file)
    return LedgerKey.load(file)
