"""A person at a browser without JavaScript: follows links, fills in the forms that a page has, keeps cookies.

async with federation(tmp_path, ["housing"], web=True) as north:
    wendy = await north.sign_in("housing", Role.PRACTITIONER)
    page = await wendy.get("/clients/7")
    page = await wendy.post("/clients/7/still", {"answer": "yes"}, form="/clients/7")
    assert page.status == 200 and "Thank you" in page.text
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from io import BytesIO
from types import TracebackType

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from gateway.accounts.account import Account

Fields = Mapping[str, str | Sequence[str]]

_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Shown:
    """What the browser shows at the end, after redirects."""

    status: int
    path: str
    text: str
    headers: CIMultiDictProxy[str]

    @property
    def token(self) -> str:
        """The token of the page's forms; fails if it has no form of ours."""
        found = _TOKEN.search(self.text)
        assert found, f"{self.path} has no form with a token"
        return unescape(found[1])

    @property
    def words(self) -> str:
        """The page's text without its markup, to be compared with what people read."""
        body = re.sub(r"<(script|style|head)\b.*?</\1>", " ", self.text, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


class WebUser:
    """One browser; signed in if TestFederation.sign_in made it."""

    def __init__(self, url: str, *, account: Account | None = None, language: str = "en") -> None:
        self.url = URL(url)
        self.account = account
        self.cookies = aiohttp.CookieJar(unsafe=True)  # takes cookies of addresses too
        self._session = aiohttp.ClientSession(
            base_url=self.url, cookie_jar=self.cookies, headers={"Accept-Language": language}
        )

    @property
    def id(self) -> str:
        """The account's public id."""
        assert self.account is not None
        return self.account.public_id

    async def get(self, path: str, *, follow: bool = True, headers: Mapping[str, str] | None = None) -> Shown:
        """Look at a page."""
        async with self._session.get(path, allow_redirects=follow, headers=headers) as response:
            return await _shown(response)

    async def post(
        self,
        path: str,
        fields: Fields | None = None,
        *,
        form: str | None = None,
        follow: bool = True,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Shown:
        """Fill in and send a form that stands on the page `form` (by default the one at `path` itself).

        `token` sends that one instead of the page's own; an empty one sends none.
        """
        if token is None:
            token = (await self.get(form or path)).token
        data = [*_pairs(fields or {}), *([("csrf", token)] if token else [])]
        said = {"Origin": str(self.url.origin()), "Sec-Fetch-Site": "same-origin"} | dict(headers or {})
        async with self._session.post(
            path, data=aiohttp.FormData(data), headers=said, allow_redirects=follow
        ) as response:
            return await _shown(response)

    async def upload(
        self, path: str, name: str, file: tuple[str, bytes], fields: Fields | None = None, *, form: str | None = None
    ) -> Shown:
        """Send a form with one file, (file name, content), in the field `name`."""
        data = aiohttp.FormData([*_pairs(fields or {}), ("csrf", (await self.get(form or path)).token)])
        data.add_field(name, BytesIO(file[1]), filename=file[0])
        async with self._session.post(path, data=data, headers={"Origin": str(self.url.origin())}) as response:
            return await _shown(response)

    async def close(self) -> None:
        """Close the browser."""
        await self._session.close()

    async def __aenter__(self) -> "WebUser":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _pairs(fields: Fields) -> list[tuple[str, str]]:
    return [
        (name, value) for name, values in fields.items() for value in ([values] if isinstance(values, str) else values)
    ]


async def _shown(response: aiohttp.ClientResponse) -> Shown:
    return Shown(response.status, response.url.path, await response.text(errors="replace"), response.headers)
