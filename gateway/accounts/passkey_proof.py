"""What a browser is asked about passkeys, and whether its answer holds (Web Authentication Level 3, sections 7.1, 7.2).

The device must have verified its user, by fingerprint, face or PIN: a passkey then counts as two factors, something
that somebody has and something that they are or know. No maker's certificate is asked for, and none would be trusted.
"""

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gateway.accounts.account import Account
from gateway.accounts.passkeys import Passkey

CHALLENGE_BYTES = 32
CHALLENGE_LASTS_S = 300.0
MAX_CREDENTIAL = 16 * 1024  # characters of a browser's answer; ordinary ones have some 1,000
_MAX_ID = 1023  # bytes (section 4, Credential ID)


class PasskeyRefused(Exception):
    """A browser's answer does not hold; `reason` is a code for the log."""

    def __init__(self, reason: str) -> None:
        """`reason`: too-late, unknown-passkey, wrong-passkey, copied-passkey and the like."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """These pages, as browsers know them: `id` is the host, `origin` scheme, host and port."""

    id: str
    origin: str
    name: str


@dataclass(frozen=True, slots=True)
class Registered:
    """What a device has made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Asserted:
    """What a browser says before it is checked: which passkey it used, and whose its device holds it to be."""

    text: str
    credential_id: bytes
    user_handle: bytes


def party_of(url: str, name: str) -> RelyingParty | None:
    """The party at the pages' address; None where it is an IP address, for which browsers make no passkeys."""
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return RelyingParty(host, url, name)
    return None


def handle_of(account: Account) -> bytes:
    """Under which an account's passkeys are kept on devices; tells nothing of the person."""
    return bytes.fromhex(account.public_id)


def creation_options(party: RelyingParty, account: Account, challenge: bytes, known: Sequence[Passkey]) -> str:
    """JSON for `navigator.credentials.create`; a device that holds one of the `known` makes no second."""
    login = account.login or account.email or account.name
    return options_to_json(
        generate_registration_options(
            rp_id=party.id,
            rp_name=party.name,
            user_id=handle_of(account),
            user_name=login,
            user_display_name=account.name,
            challenge=challenge,
            timeout=int(CHALLENGE_LASTS_S * 1000),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each.credential_id) for each in known],
        )
    )


def request_options(party: RelyingParty, challenge: bytes) -> str:
    """JSON for `navigator.credentials.get`: but for the challenge the same for everybody."""
    return options_to_json(
        generate_authentication_options(
            rp_id=party.id,
            challenge=challenge,
            timeout=int(CHALLENGE_LASTS_S * 1000),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def check_creation(party: RelyingParty, challenge: bytes, text: str) -> Registered:
    """A new passkey from a browser's answer to creation_options(); raises PasskeyRefused."""
    try:
        made = verify_registration_response(
            credential=_bounded(text),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except Exception as error:  # the library fails in many ways on bytes that anybody may send
        raise PasskeyRefused("wrong-passkey") from error
    if not 0 < len(made.credential_id) <= _MAX_ID:
        raise PasskeyRefused("wrong-passkey")
    return Registered(made.credential_id, made.credential_public_key, made.sign_count)


def read_assertion(text: str) -> Asserted:
    """Which passkey a browser's answer to request_options() names; raises PasskeyRefused."""
    try:
        credential = parse_authentication_credential_json(_bounded(text))
        client = parse_client_data_json(credential.response.client_data_json)
    except Exception as error:  # as above
        raise PasskeyRefused("wrong-passkey") from error
    if client.cross_origin:  # asked for by a page of ours within another site's
        raise PasskeyRefused("wrong-passkey")
    return Asserted(text, credential.raw_id, credential.response.user_handle or b"")


def check_assertion(
    party: RelyingParty, challenge: bytes, asserted: Asserted, passkey: Passkey, account: Account
) -> int:
    """The device's new count of uses if the passkey of this account made that answer; raises PasskeyRefused.

    Whether the count has grown is use_passkey()'s to say: it must not be believed before the signature is checked, and
    two answers at once must not both pass.
    """
    if asserted.user_handle != handle_of(account):
        raise PasskeyRefused("wrong-passkey")
    try:
        verified = verify_authentication_response(
            credential=asserted.text,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # as above
        raise PasskeyRefused("wrong-passkey") from error
    return verified.new_sign_count


def _bounded(text: str) -> str:
    if len(text) > MAX_CREDENTIAL or not isinstance(json.loads(text), dict):
        raise ValueError("no credential")
    return text
