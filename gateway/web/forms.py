"""What somebody typed into a form: bounded as it is read, typed field by field, with what is wrong for the page.

    form = form_of(request)
    name = form.text("name", max_length=200, missing=_("Enter their name"))
    if form.errors:
        return render(request, "search.html", form=form, status=400)

A field that is wrong gives an empty value and an error; `form.errors` keeps the order in which a page asks, which is
that of the error summary at its top. Templates show `form.value(name)` and `form.error(name)`.
"""

import re
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypedDict
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, web

from gateway.web.words import gettext as _

MAX_FORM_BYTES = 64 * 1024
MAX_FIELDS = 500
MAX_TEXT = 2_000  # characters of a field whose page names no other limit
MAX_ROW = 10**18 - 1  # the greatest number of a row or an entry: fits SQL's integers; addresses have 18 digits

_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")  # control and bidi override


class ErrorMessage(TypedDict):
    """As the macros of govuk-frontend-jinja take it."""

    text: str


class SummaryLine(TypedDict):
    """One link of the error summary."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it came: its name is only ever shown, never used as a path."""

    name: str
    content: bytes


@dataclass(slots=True)
class Form:
    """Fields by name, as typed; a name may come more than once."""

    fields: Mapping[str, list[str]] = field(default_factory=dict)
    files: Mapping[str, SentFile] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def raw(self, name: str) -> str:
        """A field as it came, or nothing; for what is compared and never shown (passwords, tokens)."""
        return self.fields.get(name, [""])[-1]

    def value(self, name: str) -> str:
        """What to show in the field again."""
        return _UNWANTED.sub("", self.raw(name))[:MAX_TEXT]

    def values(self, name: str) -> list[str]:
        """What was ticked."""
        return self.fields.get(name, [])

    def error(self, name: str) -> ErrorMessage | None:
        """What is wrong with a field, for its macro."""
        return {"text": self.errors[name]} if name in self.errors else None

    @property
    def summary(self) -> list[SummaryLine]:
        """For the error summary: each message links to the field of that id."""
        return [{"text": message, "href": f"#{name}"} for name, message in self.errors.items()]

    def wrong(self, name: str, message: str) -> None:
        """Say what is wrong with a field; its first error stays."""
        self.errors.setdefault(name, message)

    def text(self, name: str, *, max_length: int = MAX_TEXT, missing: str = "") -> str:
        """One line or several, trimmed; `missing` is the message if it may not be empty."""
        typed = _UNWANTED.sub("", self.raw(name)).replace("\r\n", "\n").strip()
        if not typed and missing:
            self.wrong(name, missing)
        if len(typed) > max_length:
            self.wrong(name, _("This must be %(number)s characters or fewer") % {"number": max_length})
            return ""
        return typed

    def line(self, name: str, *, max_length: int = 200, missing: str = "") -> str:
        """One line of text."""
        return " ".join(self.text(name, max_length=max_length, missing=missing).split())

    def choice(self, name: str, allowed: Collection[str], *, missing: str = "") -> str:
        """One of `allowed`, or nothing; a value that the page does not offer counts as none."""
        chosen = self.raw(name)
        if chosen in allowed:
            return chosen
        if missing:
            self.wrong(name, missing)
        return ""

    def choices(self, name: str, allowed: Collection[str]) -> list[str]:
        """Those of `allowed` that were ticked, each once, in the order of `allowed`."""
        ticked = set(self.values(name))
        return [each for each in allowed if each in ticked]

    def ticked(self, name: str) -> bool:
        """Whether a single box was ticked."""
        return name in self.fields

    def whole(self, name: str, *, least: int, most: int, missing: str = "") -> int | None:
        """A whole number within bounds."""
        typed = self.raw(name).strip()
        if not typed:
            if missing:
                self.wrong(name, missing)
            return None
        if not (typed.isascii() and typed.isdecimal() and len(typed) <= 9 and least <= int(typed) <= most):  # noqa: PLR2004
            self.wrong(name, _("Enter a whole number from %(least)s to %(most)s") % {"least": least, "most": most})
            return None
        return int(typed)

    def date(self, name: str, *, missing: str = "") -> date | None:
        """The three boxes NAME-day, NAME-month and NAME-year of a GOV.UK date input; the error is NAME's."""
        day, month, year = (self.raw(f"{name}-{part}").strip() for part in ("day", "month", "year"))
        if not (day or month or year):
            if missing:
                self.wrong(name, missing)
            return None
        if all(part.isascii() and part.isdecimal() and len(part) <= 4 for part in (day, month, year)):  # noqa: PLR2004
            try:
                return date(int(year), int(month), int(day))
            except ValueError:
                pass
        self.wrong(name, _("Enter a real date, as in 27 3 2007"))
        return None


FORM = web.RequestKey("form", Form)


def form_of(request: web.Request) -> Form:
    """What was posted; empty when a page is only looked at."""
    return request.get(FORM) or Form()


def number_in(query: Mapping[str, str], name: str, *, most: int = MAX_ROW) -> int | None:
    """A number that an address may carry, such as where a list goes on; None if there is none from 0 to `most`."""
    typed = query.get(name, "").strip()
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= len(str(most)) and int(typed) <= most):
        return None
    return int(typed)


async def read_form(request: web.Request, max_bytes: int) -> Form:
    """Read a posted form, `application/x-www-form-urlencoded` or with files as `multipart/form-data`.

    Raises HTTPRequestEntityTooLarge beyond `max_bytes` in all, HTTPUnsupportedMediaType and HTTPBadRequest.
    """
    if request.content_type == "application/x-www-form-urlencoded":
        body = await _read(request.content.iter_any(), max_bytes)
        try:
            pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
        except ValueError:  # includes what is not UTF-8
            raise web.HTTPBadRequest from None
        return _form(pairs, {})
    if request.content_type == "multipart/form-data":
        try:
            return await _read_parts(request, max_bytes)
        except (ValueError, AssertionError):  # aiohttp's words for a body that is not what its header says
            raise web.HTTPBadRequest from None
    raise web.HTTPUnsupportedMediaType


async def _read_parts(request: web.Request, max_bytes: int) -> Form:
    pairs: list[tuple[str, str]] = []
    files: dict[str, SentFile] = {}
    left = max_bytes
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None or len(pairs) + len(files) >= MAX_FIELDS:
            raise web.HTTPBadRequest
        content = await _read(_chunks(part), left)
        left -= len(content)
        if part.filename is None:
            pairs.append((part.name, content.decode("utf-8")))
        elif part.filename:  # empty: no file was chosen
            files[part.name] = SentFile(part.filename[:MAX_TEXT], content)
    return _form(pairs, files)


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk():
        yield chunk


async def _read(chunks: AsyncIterator[bytes], max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise web.HTTPRequestEntityTooLarge(max_size=max_bytes, actual_size=len(body))
    return bytes(body)


def _form(pairs: list[tuple[str, str]], files: dict[str, SentFile]) -> Form:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return Form(fields=fields, files=files)
