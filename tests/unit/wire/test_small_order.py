"""Public keys to which nothing can be sealed are refused when they are read, not when somebody needs them."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from gateway.errors import MalformedMessage
from gateway.wire.seal import _SMALL_ORDER, HybridPrivateKey, HybridPublicKey, ReplyKey


@pytest.mark.parametrize("point", sorted(_SMALL_ORDER), ids=bytes.hex)
@pytest.mark.parametrize("top", [0, 0x80])
def test_a_point_of_small_order_is_no_sealing_key(point: bytes, top: int) -> None:
    share = point[:-1] + bytes((point[-1] | top,))
    with pytest.raises(ValueError, match="shared key"):
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(share))
    good = ReplyKey.generate().private.public.raw
    with pytest.raises(MalformedMessage, match="nothing can be sealed"):
        HybridPublicKey(good[:-32] + share)


def test_usual_keys_are_read_again() -> None:
    for seed in range(50):
        public = HybridPrivateKey(bytes((seed,)) * 96).public
        assert HybridPublicKey(public.raw).kid == public.kid
