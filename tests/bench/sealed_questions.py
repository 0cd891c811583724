"""Questions of one real member to another, signed and sealed as the hub would hand them over, for loads."""

import uuid
from pathlib import Path

from gateway.node.membership import View
from gateway.node.signing_keys import SIGNING_KEY_FILE
from gateway.wire.envelope import member_envelope, seal_query
from gateway.wire.federation import HUB
from gateway.wire.keys import SigningKey
from gateway.wire.paths import ANSWERS_PATH
from gateway.wire.query import AskingPractitioner, Query, Subject, sign_query
from gateway.wire.request import sign_request
from gateway.wire.seal import ReplyKey
from mappings.vocabulary import AuthMethod, LawfulBasis, Mode, Purpose
from tests.federation import NAME, NOW

# A load asks more in a minute than people do in a year: lines for the answering node's settings.
NO_BUDGETS = """[budgets]
questions_per_practitioner = 1000000000
questions_per_member = 1000000000
questions_per_person = 1000000000
"""


class SealedQuestions:
    """Makes POST /v1/answers requests, as (body, headers); each is a question never asked before."""

    def __init__(self, folder: Path, view: View, *, asker: str, answerer: str) -> None:
        """`folder` is the federation's, with everybody's keys; `view` what the asker knows of it."""
        self._view = view
        self._asker, self._answerer = asker, answerer
        self._key = SigningKey.load(folder / asker / "keys" / SIGNING_KEY_FILE)
        self._hub_key = SigningKey.load(folder / "hub" / "keys" / "hub.pem")
        self._reply_key = ReplyKey.generate()

    def about(self, subject: Subject, *, purpose: Purpose = Purpose.COORDINATION) -> tuple[bytes, dict[str, str]]:
        """One question about somebody."""
        agreement = next(iter(self._view.agreements.published.values())).agreement
        query = Query(
            federation=NAME,
            issuer=self._asker,
            issued_at=int(NOW),
            expires_at=int(NOW) + 120,
            jti=str(uuid.uuid4()),
            recipients=(self._answerer,),
            fed_seq=self._view.federation.seq,
            fed_sha256=self._view.federation.sha256,
            practitioner=AskingPractitioner(
                id="a-1", name="Alex Asker", role="Social worker", organisation=self._asker
            ),
            auth_method=AuthMethod.MFA,
            auth_time=int(NOW),
            purpose=purpose,
            lawful_basis=LawfulBasis.PUBLIC_TASK,
            agreement_uri=agreement.uri,
            agreement_version=agreement.version,
            mode=Mode.SCHEDULE,
            subject=subject,
            reply_key=self._reply_key.public,
        )
        signed = sign_query(query, self._key)
        envelope = seal_query(signed, {self._answerer: self._view.sealing_keys[self._answerer]}, deadline_ms=4000)
        body = member_envelope(envelope, self._answerer, self._asker).to_json()
        token = sign_request(
            self._hub_key,
            iss=HUB,
            aud=self._answerer,
            method="POST",
            path=ANSWERS_PATH,
            body=body,
            now=NOW,
            jti=str(uuid.uuid4()),
        )
        return body, {"Authorization": token, "Content-Type": "application/json"}
