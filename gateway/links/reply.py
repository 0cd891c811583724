"""Reads the reply of another party: never more of it than its kind may have."""

import aiohttp
import orjson

from gateway.errors import MalformedMessage

_CHUNK_BYTES = 65_536


async def read_bounded(stream: aiohttp.StreamReader, max_bytes: int) -> bytes:
    """The whole of a reply; raises MalformedMessage as soon as there is more."""
    data = bytearray()
    async for chunk in stream.iter_chunked(_CHUNK_BYTES):
        data += chunk
        if len(data) > max_bytes:
            raise MalformedMessage(f"a reply of more than {max_bytes} bytes")
    return bytes(data)


def refusal_code(body: bytes) -> str | None:
    """The code of a refusal's OperationOutcome; None when it has none."""
    try:
        code = orjson.loads(body)["issue"][0]["details"]["coding"][0]["code"]
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
        return None
    return code if isinstance(code, str) else None
