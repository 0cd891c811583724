"""seal_1000_ms: what a question to a thousand members costs its asker before anything is sent (docs/benchmarks.md).

    python -m tests.bench.bench_seal

The whole of `seal_query`: padding, encrypting once, and the content key sealed to each of 1,000 different keys, as they
are held since the sealing keys were read; no key is used in two rounds, since the first use of one is dearer.
"""

import statistics
import sys
import time
from dataclasses import replace
from uuid import uuid4

from gateway.wire.envelope import seal_query
from gateway.wire.keys import SigningKey
from gateway.wire.query import AskingPractitioner, NameParts, Query, Subject, sign_query
from gateway.wire.seal import HybridPrivateKey, HybridPublicKey, PublicSealingKey, ReplyKey
from mappings.vocabulary import AuthMethod, LawfulBasis, Mode, Purpose

MEMBERS = 1_000
ROUNDS = 7
NOW = 1_800_000_000


def run() -> dict[str, float]:
    """Median of the rounds; takes about 10 s, most of it to make keys."""
    names = tuple(f"member-{number:04}" for number in range(MEMBERS))
    published = [HybridPrivateKey.generate().public.raw for _ in names]
    taken = []
    for _ in range(ROUNDS):
        keys = {name: _published(raw) for name, raw in zip(names, published, strict=True)}
        signed = sign_query(replace(_QUERY, recipients=names, jti=str(uuid4())), _KEY)
        began = time.perf_counter()
        envelope = seal_query(signed, keys, deadline_ms=4000)
        taken.append(time.perf_counter() - began)
        assert len(envelope.copies) == MEMBERS
    return {"seal_1000_ms": statistics.median(taken) * 1000}


def _published(raw: bytes) -> PublicSealingKey:
    key = HybridPublicKey(raw)
    return PublicSealingKey(key=key, kid=key.kid, not_before=NOW, expires=NOW + 86_400)


_KEY = SigningKey.generate()
_QUERY = Query(
    federation="bench",
    issuer="asker",
    issued_at=NOW,
    expires_at=NOW + 120,
    jti="",
    recipients=(),
    fed_seq=1,
    fed_sha256="0" * 64,
    practitioner=AskingPractitioner(id="a-1", name="Alex Asker", role="Social worker", organisation="asker"),
    auth_method=AuthMethod.MFA,
    auth_time=NOW,
    purpose=Purpose.COORDINATION,
    lawful_basis=LawfulBasis.PUBLIC_TASK,
    agreement_uri="https://agreements.example.org/bench",
    agreement_version="1",
    mode=Mode.SCHEDULE,
    subject=Subject(names=(NameParts(text="Katherine Bramley"),), birth_date="1991-05-17"),
    reply_key=ReplyKey.generate().public,
)


if __name__ == "__main__":
    for figure, value in run().items():
        sys.stdout.write(f"{figure} {value:.1f}\n")
