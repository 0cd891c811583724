"""This node's witnesses: the hub, and the members that the settings name; and what each of them said on one visit."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from consent_ledger.checkpoint import Checkpoint, origin_of, parse, verify_by_any
from consent_ledger.note import NoteInvalid, NoteKey, read
from gateway.errors import ClockWrong, FederationError, HubError, NotAuthentic, PatchworkError, WireError
from gateway.links.witness_client import WitnessAddress, WitnessClient
from gateway.node.identity import Identity
from gateway.node.log_key import log_keys
from gateway.node.membership import Membership
from gateway.settings import is_loopback
from gateway.wire.checkpoints import Submission, Verdict, verify_witness_key
from gateway.wire.federation import HUB

NOT_OURS = "shows a checkpoint that this node's ledger key has not signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a witness holds of us: `seen` verified as our own note, None if it has seen nothing. Or why it is silent.

    `foreign` is a checkpoint of our log under a key that is not ours: the witness's invention, or from before our
    ledger key was lost and replaced.
    """

    witness: str
    seen: Checkpoint | None = None
    foreign: Checkpoint | None = None
    key_statement: str | None = None
    silent: str = ""


class Witnesses:
    """Asks all of them at once. A note that comes back is believed only with our own signature on it."""

    def __init__(
        self,
        *,
        me: Identity,
        membership: Membership,
        client: WitnessClient,
        hub: str,
        members: Sequence[str],
        plain_http: bool,
    ) -> None:
        """`hub` is its URL, `members` the ids of member witnesses."""
        self._me = me
        self._membership = membership
        self._client = client
        self._hub = hub
        self._members = tuple(members)
        self._plain_http = plain_http

    @property
    def log(self) -> NoteKey:
        """The key that this node signs its heads with now, under its log's name."""
        return self._me.log_key

    @property
    def logs(self) -> tuple[NoteKey, ...]:
        """All that it has had: what they have signed is our own."""
        return self._me.log_keys

    @property
    def names(self) -> tuple[str, ...]:
        """Member ids, the hub's first."""
        return (HUB, *self._members)

    def check_clock(self) -> None:
        """Raises ClockWrong while this machine's clock is not the hub's; a hub that is not heard says nothing of it."""
        try:
            self._membership.current()
        except ClockWrong:
            raise
        except FederationError:
            pass

    async def ask(self) -> list[Answer]:
        """What each holds; none of them can hold up another."""
        return list(await asyncio.gather(*(self.ask_one(witness) for witness in self.names)))

    async def submit(self, witness: str, note: str, proof: Sequence[bytes]) -> Verdict:
        """Ask one for its cosignature; raises HubError, WireError, FederationError."""
        return await self._client.submit(self._address(witness), Submission(note=note, proof=proof))

    def keys_of(self, answer: Answer, now: float) -> tuple[NoteKey, ...]:
        """The keys by which a witness may cosign now, as the federation document leads to them; raises WireError.

        A member's ledger keys are in the document; the hub's one in a statement under a key of the document.
        """
        federation = self._membership.current().federation
        if answer.witness != HUB:
            return log_keys(self._me.federation, federation.member(answer.witness), now)
        if answer.key_statement is None:
            raise NotAuthentic("the hub has not said which key it cosigns with")
        public = verify_witness_key(answer.key_statement, federation)
        return (NoteKey(name=origin_of(self._me.federation, HUB), public=public),)

    async def ask_one(self, witness: str) -> Answer:
        """What one of them holds."""
        try:
            held = await self._client.held(self._address(witness))
        except (HubError, WireError, FederationError) as error:
            return Answer(witness=witness, silent=_brief(error))
        if held.note is None:
            return Answer(witness=witness, key_statement=held.witness_key)
        try:
            seen, _ = verify_by_any(held.note, self.logs)
            return Answer(witness=witness, seen=seen, key_statement=held.witness_key)
        except NoteInvalid:
            unsigned = _unsigned(held.note, self.log)
            return Answer(witness=witness, foreign=unsigned, key_statement=held.witness_key, silent=NOT_OURS)

    def _address(self, witness: str) -> WitnessAddress:
        """Raises HubError for a witness that has no address, FederationError while no member list is in force."""
        if witness == HUB:
            return WitnessAddress(url=self._hub, aud=self._me.federation)
        endpoint = self._membership.current().federation.member(witness).endpoint
        if endpoint is None:
            raise HubError("has no address at which it could be asked")
        if not endpoint.startswith("https://") and not (self._plain_http or is_loopback(endpoint)):
            raise HubError("has an address without TLS")
        return WitnessAddress(url=endpoint, aud=witness)


def _unsigned(note: str, log: NoteKey) -> Checkpoint | None:
    """A checkpoint that says it is of our log, and is not signed by our key."""
    try:
        checkpoint = parse(read(note).text)
    except NoteInvalid:
        return None
    return checkpoint if checkpoint.origin == log.name else None


def _brief(error: PatchworkError) -> str:
    return str(error)[:200]
