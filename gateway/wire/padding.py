"""Constant sizes: parts with their lengths before them (u32, big-endian), then zeros to the end."""

from gateway.errors import MalformedMessage

LENGTH_BYTES = 4


def pad(parts: tuple[bytes, ...], size: int) -> bytes:
    """Exactly `size` bytes; raises MalformedMessage if the parts need more."""
    packed = b"".join(len(part).to_bytes(LENGTH_BYTES, "big") + part for part in parts)
    if len(packed) > size:
        raise MalformedMessage(f"{len(packed)} bytes do not fit into {size}")
    return packed.ljust(size, b"\x00")


def unpad(padded: bytes, parts: int) -> tuple[bytes, ...]:
    """The parts; raises MalformedMessage for lengths that run over, and for anything but zeros after them."""
    found = []
    start = 0
    for _ in range(parts):
        begin = start + LENGTH_BYTES
        end = begin + int.from_bytes(padded[start:begin], "big")
        if begin > len(padded) or end > len(padded):
            raise MalformedMessage("a length runs over the end")
        found.append(padded[begin:end])
        start = end
    if padded[start:] != bytes(len(padded) - start):
        raise MalformedMessage("the padding is not zeros")
    return tuple(found)
