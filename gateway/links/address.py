"""From which address a request comes, for limits on what one address may do."""

from ipaddress import IPv6Address, IPv6Network

from aiohttp import web


def caller(request: web.Request, *, behind_proxy: bool) -> str:
    """The address that asks; behind our own proxy the one that it wrote last, because the others anybody can write.

    Of an IPv6 one the network: whoever has one address of it has 2^64 (RFC 4291, section 2.5.4).
    """
    if behind_proxy:
        forwarded = request.headers.getall("X-Forwarded-For", [])
        if forwarded:
            return _network(forwarded[-1].rsplit(",", 1)[-1].strip())
    return _network(request.remote or "")


def _network(text: str) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        return text
    mapped = address.ipv4_mapped
    return str(mapped or IPv6Network((address.packed, 64), strict=False).network_address)
