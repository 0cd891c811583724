"""From where a request comes, for the limits on signing in, and on what kind of device, for its owner to recognise."""

from ipaddress import IPv6Address, IPv6Network

from aiohttp import web

from gateway.settings import WebTable

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def address_of(request: web.Request, table: WebTable) -> str:
    """The address that asks; behind our own proxy the one that it wrote last, because the others anybody can write.

    Of an IPv6 one the network: whoever has one address of it has 2^64 (RFC 4291, section 2.5.4).
    """
    if table.behind_proxy:
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


def device_of(request: web.Request) -> str:
    """As in `Firefox, Windows`: of what a browser says of itself only words of ours are kept."""
    agent = request.headers.get("User-Agent", "")
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return ", ".join(word for word in (browser, system) if word)
