"""What a federation's operator does: admit, suspend, resume, renew, list hubs. Each makes the next document, signed.

The operator's folder holds the signing key (never on the hub), the current document `federation.jws`, which is copied
to the hub, `operator.jwk`, which every node pins (docs/wire.md, "Federation document"), and `listed-keys.json`, which
names the keys that any document has listed.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from gateway.days import DAY_S
from gateway.errors import ConfigurationError, InputError
from gateway.files import read_file, replace_file
from gateway.wire import jws
from gateway.wire.claims import read_claims
from gateway.wire.federation import (
    HUB,
    AgreementBytes,
    Federation,
    Member,
    MemberKey,
    sign_document,
    verify_document,
)
from gateway.wire.federation import TYP as DOCUMENT_TYP
from gateway.wire.hand_over import (
    OperatorKeys,
    follow_hand_overs,
    hand_overs_file,
    sign_hand_over,
)
from gateway.wire.join import KEY_YEARS_S, ROTATION_TYP, JoinRequest, read_jwk_claim, verify_join, verify_rotation
from gateway.wire.keys import SigningKey, VerifyKey
from gateway.wire.ledger_keys import check_words
from gateway.wire.limits import (
    DOCUMENT_LIFETIME_S,
    JOIN_LIFETIME_S,
    MAX_DOCUMENT_BYTES,
    MAX_HAND_OVERS,
    MAX_HUB_KEYS,
    MAX_KEYS_PER_MEMBER,
    MAX_STATEMENT_BYTES,
    SKEW_S,
)
from gateway.wire.listed_keys import ever_listed, remember
from mappings.vocabulary import OrganisationType

KEY_FILE = "operator.pem"
NEXT_KEY_FILE = "operator-next.pem"
PUBLIC_KEY_FILE = "operator.jwk"
DOCUMENT_FILE = "federation.jws"
MAX_JWK_BYTES = 4096
ROTATION_OVERLAP_S = 14 * DAY_S  # how long a rotated key is still good, so that nothing in flight is lost

_NO_ENDS: Mapping[str, int] = {}
_TYPE_CODES = frozenset(kind.value for kind in OrganisationType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """The operator's folder, opened. Every change returns the document that is now in force and on disk."""

    folder: Path
    key: SigningKey
    document: Federation

    def admit(self, token: str, now: float, *, listed_as: str = "") -> Federation:
        """Add the member of a verified join request; raises as read_join() does."""
        request = self.read_join(token, now, listed_as=listed_as)
        if request.member.id in _TYPE_CODES:
            raise InputError(f"{request.member.id} is a kind of organisation: agreements name recipients by either")
        return self._publish(now, members=(*self.document.members.values(), request.member))

    def read_join(self, token: str, now: float, *, listed_as: str = "") -> JoinRequest:
        """A join request for this federation, under another id than it asks for if `listed_as` names one.

        Raises WireError, and InputError when the id or the key is listed already.
        """
        request = self._read(token, now)
        if listed_as:
            request = replace(request, member=replace(request.member, id=listed_as))
        if request.member.id in self.document.members:
            raise InputError(f"{request.member.id} is a member already; ids are never used again")
        kid = request.member.keys[0].key.kid
        self._check_never_listed(kid)
        return replace(request, member=replace(request.member, ledger_before=()))

    def update(self, token: str, now: float) -> Federation:
        """Take a member's key, address and contacts from a new request; its status stays. Raises as read_update()."""
        asked = self.read_update(token, now).member
        return self._change(asked.id, lambda held: replace(asked, status=held.status), now)

    def read_update(self, token: str, now: float) -> JoinRequest:
        """The request of somebody who is a member already; raises WireError, InputError."""
        request = self._read(token, now)
        held = self.document.members.get(request.member.id)
        if held is None:
            raise InputError(f"{request.member.id} is not a member of {self.document.name}: admit it")
        request = replace(request, member=self._with_ledger(held, request.member, now))
        # Rotated keys stay good together with the statements that link them; the newest of them is no new key.
        known = {key.key.kid: key for key in held.keys}
        asked = request.member.keys[0]
        if asked.key.kid in known:
            return replace(request, member=replace(request.member, keys=held.keys))
        self._check_never_listed(asked.key.kid)
        if asked.rotation is None:
            return request
        return replace(request, member=replace(request.member, keys=self._rotated(held, asked, now)))

    @property
    def ever_listed(self) -> Mapping[str, str]:
        """Signing keys that any document has listed, by id, and whose they were."""
        return ever_listed(self.folder, self.document)

    def _check_never_listed(self, kid: str) -> None:
        """A key that was taken out may have been stolen: whoever shows it proves nothing by it any more."""
        holder = self.ever_listed.get(kid)
        if holder is None:
            return
        if any(key.key.kid == kid for member in self.document.members.values() for key in member.keys):
            raise InputError(f"this key is listed already, of {holder}")
        raise InputError(f"this key was listed before, of {holder}, and is so never again: make a new one")

    def _read(self, token: str, now: float) -> JoinRequest:
        """A request whose keys are listed from when it was made, or from now on, and for KEY_YEARS_S at most.

        The asker chooses both times, and for a key without an end nobody would ever have to give its word again.
        Raises WireError, and InputError if a key would have ended before it is listed.
        """
        request = verify_join(token.strip(), federation=self.document.name, now=now)
        member, latest = request.member, int(now) + KEY_YEARS_S
        key = member.keys[0]
        ledger_until = None if member.ledger_until is None else min(member.ledger_until, latest)
        if key.not_after <= now or (ledger_until is not None and ledger_until <= now):
            raise InputError("a key that it asks to list has ended already: it has to send another request")
        begins = min(max(key.not_before, request.issued_at - SKEW_S), int(now))  # it counts where clocks are behind
        key = replace(key, not_before=begins, not_after=min(key.not_after, latest))
        return replace(request, member=replace(member, keys=(key,), ledger_until=ledger_until))

    def _with_ledger(self, held: Member, asked: Member, now: float) -> Member:
        """What is asked, with the ledger keys that follow from it; raises NotAuthentic for a word that does not hold.

        (1) the same key: as it is listed   (2) another, which the listed one has named: that one stays good beside it
        for ROTATION_OVERLAP_S   (3) any other begins anew, and with it, as its witnesses see, another epoch
        """
        if asked.ledger_key == held.ledger_key:  # (1)
            return replace(asked, ledger_until=held.ledger_until, ledger_before=held.ledger_before)
        if not asked.ledger_before or asked.ledger_before[-1].jwk != held.ledger_key:  # (3)
            return replace(asked, ledger_before=())
        check_words(asked.ledger_before[-1:], asked.ledger_key, member=held.id, federation=self.document.name)  # (2)
        ends = int(now) + ROTATION_OVERLAP_S
        old = replace(
            asked.ledger_before[-1], until=ends if held.ledger_until is None else min(held.ledger_until, ends)
        )
        return replace(asked, ledger_before=(*held.ledger_before, old)[1 - MAX_KEYS_PER_MEMBER :])

    def suspend(self, member: str, now: float) -> Federation:
        """Nobody asks or answers this member any more, within one refresh."""
        return self._change(member, lambda held: replace(held, status="suspended"), now)

    def resume(self, member: str, now: float) -> Federation:
        """Undo suspend()."""
        return self._change(member, lambda held: replace(held, status="active"), now)

    def rotate(self, member: str, new: VerifyKey, statement: str, now: float) -> Federation:
        """Add a signing key that the member's newest key has signed; both are good for ROTATION_OVERLAP_S."""

        self._check_never_listed(new.kid)

        def rotated(held: Member) -> Member:
            ends = held.keys[-1].not_after
            fresh = MemberKey(key=new, not_before=int(now), not_after=ends, rotation=statement)
            return replace(held, keys=self._rotated(held, fresh, now))

        return self._change(member, rotated, now)

    def _rotated(self, held: Member, fresh: MemberKey, now: float) -> tuple[MemberKey, ...]:
        """The member's keys with one more, which one of those in force has signed; raises WireError, InputError.

        Keys that have had their time stay listed, for agreements were signed with them.
        """
        statement = fresh.rotation or ""
        kid = jws.signer(statement, typ=ROTATION_TYP, max_bytes=MAX_STATEMENT_BYTES)
        old = next((key for key in held.keys if key.key.kid == kid), None)
        if old is None or not old.not_before <= now < old.not_after:
            raise InputError(f"no key of {held.id} that is in force has signed the new one: ring its officer")
        said_at = verify_rotation(statement, new=fresh.key, old=old.key, member=held.id, federation=self.document.name)
        if not old.not_before <= said_at <= now + SKEW_S or fresh.not_after <= now:
            raise InputError(f"{held.id}'s new key ends before it begins, or its old one spoke for it out of its time")
        if len(held.keys) == MAX_KEYS_PER_MEMBER:
            raise InputError(f"{held.id} has {MAX_KEYS_PER_MEMBER} keys: revoke one that is needed no longer")
        ending = replace(old, not_after=min(old.not_after, int(now) + ROTATION_OVERLAP_S))
        # From when its predecessor spoke for it: whoever's clock is a little behind the operator's knows it at once.
        started = replace(fresh, not_before=min(said_at, int(now)))
        return (*(ending if key is old else key for key in held.keys), started)

    def revoke(self, member: str, kid: str, now: float) -> Federation:
        """Take a compromised signing key out at once; raises InputError when the member has no such key."""

        def without(held: Member) -> Member:
            kept = tuple(key for key in held.keys if key.key.kid != kid)
            if len(kept) == len(held.keys):
                raise InputError(f"{member} has no key {kid}")
            if not kept:
                raise InputError(f"{member} has no other key: suspend it, and update it from a request with a new key")
            return replace(held, keys=kept)

        return self._change(member, without, now)

    def set_agreement(self, agreement: AgreementBytes, now: float) -> Federation:
        """Carry an agreement with its signatures; the same text again adds signatures."""
        others = tuple(held for held in self.document.agreements if held.sha256 != agreement.sha256)
        signed = {s for held in self.document.agreements if held.sha256 == agreement.sha256 for s in held.signatures}
        merged = AgreementBytes(text=agreement.text, signatures=tuple(sorted(signed | set(agreement.signatures))))
        return self._publish(now, agreements=(*others, merged))

    def add_hub(self, key: VerifyKey, now: float) -> Federation:
        """List one more hub's key; raises InputError if it is listed already, or too many are."""
        return self._publish(now, hub_keys=self._with_hub(key), hub_ends={key.kid: int(now) + KEY_YEARS_S})

    def rotate_hub(self, token: str, now: float) -> Federation:
        """List the next key of a hub beside the one that has signed it, which ends after ROTATION_OVERLAP_S."""
        old, new = self.read_hub_rotation(token, now)
        held = self.document.hub_ends.get(old.kid)
        ends = int(now) + ROTATION_OVERLAP_S
        ended = {old.kid: ends if held is None else min(held, ends)}
        return self._publish(now, hub_keys=self._with_hub(new), hub_ends={**ended, new.kid: int(now) + KEY_YEARS_S})

    def read_hub_rotation(self, token: str, now: float) -> tuple[VerifyKey, VerifyKey]:
        """The key of a hub that is in force, and the next, for which it has spoken; raises WireError, InputError.

        (1) which key, still unverified   (2) one that is in force has signed it   (3) not long ago, so that nobody can
        bring up an old one again
        """
        token = token.strip()
        new = read_jwk_claim(jws.peek(token, max_bytes=MAX_STATEMENT_BYTES))  # (1)
        kid = jws.signer(token, typ=ROTATION_TYP, max_bytes=MAX_STATEMENT_BYTES)
        old = self.document.hub_keys_at(now).get(kid)
        if old is None:
            raise InputError("no hub's key that is in force has signed the new one: ring those who run it")
        said_at = verify_rotation(token, new=new, old=old, member=HUB, federation=self.document.name)  # (2)
        if not now - JOIN_LIFETIME_S <= said_at <= now + SKEW_S:  # (3)
            raise InputError("the hub's old key spoke for the new one too long ago: `patchwork hub rotate-key` again")
        return old, new

    def _with_hub(self, key: VerifyKey) -> tuple[VerifyKey, ...]:
        if key.kid in self.document.hub_keys:
            raise InputError(f"a hub with the key {key.kid} is listed already")
        if len(self.document.hub_keys) >= MAX_HUB_KEYS:
            raise InputError(f"a federation has at most {MAX_HUB_KEYS} hubs")
        return (*self.document.hub_keys.values(), key)

    def remove_hub(self, kid: str, now: float) -> Federation:
        """No longer list a hub: from then on no node believes it or answers it. Raises InputError for the only one."""
        kept = tuple(key for key in self.document.hub_keys.values() if key.kid != kid)
        if len(kept) == len(self.document.hub_keys):
            raise InputError(f"no hub has the key {kid}")
        if not kept:
            raise InputError("a federation needs a hub: add the new one first")
        return self._publish(now, hub_keys=kept)

    def hand_over(self, now: float, *, overlap_s: int) -> Federation:
        """Make the next operator's key and name it in the document, so that nodes' officers can accept it.

        Raises InputError while another is being handed over, or before the first hand-over's time is over.
        """
        if self.document.hand_over is not None:
            raise InputError("the operator's key is being handed over already: `patchwork federation show`")
        path = self.folder / NEXT_KEY_FILE
        if not path.exists():
            SigningKey.generate().save(path)
        new = SigningKey.load(path).verify_key()
        word = sign_hand_over(new, self.key, federation=self.document.name, now=now, overlap_s=overlap_s)
        return self._publish(now, hand_over=word)

    def take_over(self, now: float) -> Federation:
        """Sign with the next key from now on; raises InputError if it was not named, or its time has not come."""
        said = self.document.hand_over
        if said is None:
            raise InputError("no key was handed over: `patchwork federation hand-over` first")
        if now < said.until:
            raise InputError("members' officers still have time to accept the next key: `patchwork federation show`")
        new = SigningKey.load(self.folder / NEXT_KEY_FILE)
        if new.verify_key() != said.new:
            raise InputError(f"{NEXT_KEY_FILE} is not the key that the document names")
        document = replace(self, key=new, document=replace(self.document, hand_over=None))._publish(now)
        _promote(self.folder, self.key)
        return document

    def renew(self, now: float) -> Federation:
        """The same content for another seven days."""
        return self._publish(now)

    def _change(self, member: str, change: Callable[[Member], Member], now: float) -> Federation:
        if member not in self.document.members:
            raise InputError(f"{member} is not a member of {self.document.name}")
        members = (change(held) if held.id == member else held for held in self.document.members.values())
        return self._publish(now, members=tuple(members))

    def _publish(
        self,
        now: float,
        *,
        members: tuple[Member, ...] | None = None,
        agreements: tuple[AgreementBytes, ...] | None = None,
        hub_keys: tuple[VerifyKey, ...] | None = None,
        hub_ends: Mapping[str, int] = _NO_ENDS,
        hand_over: str | None = None,
    ) -> Federation:
        """`hub_ends`: those that are new. A hub's key that has had its time is listed no longer, but for the last."""
        listed = tuple(self.document.hub_keys.values()) if hub_keys is None else hub_keys
        ends = {**self.document.hub_ends, **hub_ends}
        listed = tuple(key for key in listed if now < ends.get(key.kid, now + 1)) or listed
        document = sign_document(
            operator=self.document.operator,
            name=self.document.name,
            seq=self.document.seq + 1,
            members=tuple(self.document.members.values()) if members is None else members,
            agreements=self.document.agreements if agreements is None else agreements,
            hub_keys=listed,
            key=self.key,
            now=now,
            lifetime_s=DOCUMENT_LIFETIME_S,
            hub_ends={key.kid: ends[key.kid] for key in listed if key.kid in ends},
            hand_over=hand_over or (None if self.document.hand_over is None else self.document.hand_over.token),
        )
        remember(self.folder, self.document)
        replace_file(self.folder / DOCUMENT_FILE, document.token)
        return document


def init_operator(folder: Path, *, name: str, hub_key: VerifyKey, now: float) -> Operator:
    """Make the operator's key and an empty federation; raises ConfigurationError if there is one already.

    The document is written last: a key without one is of a start that broke off, and is used.
    """
    if (folder / DOCUMENT_FILE).exists():
        raise ConfigurationError(f"{folder / DOCUMENT_FILE}: is there already and is not overwritten")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be made: {error.strerror}") from error
    if not (folder / KEY_FILE).exists():
        SigningKey.generate().save(folder / KEY_FILE)
    key = SigningKey.load(folder / KEY_FILE)
    replace_file(folder / PUBLIC_KEY_FILE, orjson.dumps(key.public_jwk()))
    document = sign_document(
        operator=name,
        name=name,
        seq=1,
        members=(),
        agreements=(),
        hub_keys=(hub_key,),
        key=key,
        now=now,
        lifetime_s=DOCUMENT_LIFETIME_S,
        hub_ends={hub_key.kid: int(now) + KEY_YEARS_S},
    )
    replace_file(folder / DOCUMENT_FILE, document.token)
    return Operator(folder=folder, key=key, document=document)


def open_operator(folder: Path) -> Operator:
    """Open what init_operator() made; an expired document is read too, so that it can be renewed."""
    key = SigningKey.load(folder / KEY_FILE)
    token = read_file(folder / DOCUMENT_FILE, MAX_DOCUMENT_BYTES)
    if (folder / NEXT_KEY_FILE).exists():
        following = SigningKey.load(folder / NEXT_KEY_FILE)
        if following.kid == jws.signer(token, typ=DOCUMENT_TYP, max_bytes=MAX_DOCUMENT_BYTES):
            _promote(folder, key)  # a take-over that broke off
            key = following
    return Operator(folder=folder, key=key, document=verify_document(token, operator_key=key.verify_key(), now=None))


def _promote(folder: Path, old: SigningKey) -> None:
    """The next key takes the place of the old one, whose public half stays: for the documents that it has signed."""
    replace_file(folder / f"operator-{old.kid}.jwk", orjson.dumps(old.public_jwk()))
    new = SigningKey.load(folder / NEXT_KEY_FILE)
    replace_file(folder / PUBLIC_KEY_FILE, orjson.dumps(new.public_jwk()))
    try:
        os.replace(folder / NEXT_KEY_FILE, folder / KEY_FILE)
    except OSError as error:
        raise ConfigurationError(f"{folder / NEXT_KEY_FILE}: cannot be renamed: {error.strerror}") from error


def load_operator_keys(path: Path) -> OperatorKeys:
    """The pinned operator's key and those that follow it by accepted hand-overs; raises ConfigurationError."""
    pinned, file = load_verify_key(path), hand_overs_file(path)
    if not file.exists():
        return OperatorKeys.of(pinned)
    return follow_hand_overs(pinned, read_statement(file, MAX_HAND_OVERS * MAX_STATEMENT_BYTES), file)


def load_verify_key(path: Path) -> VerifyKey:
    """A public key as a JWK file; raises ConfigurationError naming the file."""
    return VerifyKey.from_jwk(read_jwk(path))


def read_jwk(path: Path) -> Mapping[str, Any]:
    """A JWK file as its table; raises ConfigurationError naming the file."""
    return read_claims(read_file(path, MAX_JWK_BYTES), max_bytes=MAX_JWK_BYTES)


def read_statement(path: Path, max_bytes: int = MAX_STATEMENT_BYTES) -> str:
    """A file with one signed statement (join request, agreement signature); raises ConfigurationError."""
    try:
        return read_file(path, max_bytes).decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not a signed statement") from error
