"""From where a request comes, for the limits on signing in, and on what kind of device, for its owner to recognise."""

from aiohttp import web

from gateway.links.address import caller
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
    """The address, or the network, that asks."""
    return caller(request, behind_proxy=table.behind_proxy)


def device_of(request: web.Request) -> str:
    """As in `Firefox, Windows`: of what a browser says of itself only words of ours are kept."""
    agent = request.headers.get("User-Agent", "")
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return ", ".join(word for word in (browser, system) if word)
