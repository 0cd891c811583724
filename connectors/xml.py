"""XML exports of any size and shape: each element of a configured name is one record.

Options (docs/connecting-a-case-system.md): path, kinds.<kind>.{element,key}. Names are compared without namespaces.
No DTD, hence no entity but XML's own five, no external file, no network; depth, attributes and the size of a record are
bounded. An element becomes a dictionary: attributes as `@name`, children by name (a list where they repeat), text as
`#text`; an element with text only is that text, an empty one None.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn, cast

from lxml import etree

from connectors.contract import Cursor, FieldValue, Manifest, Rejected, SourceError, SourceRecord
from connectors.files import CountedFile, fingerprint, opened, size, with_cursors
from connectors.options import Options, joined_key

MAX_DEPTH = 64  # of elements; exports of case systems have about ten
MAX_ATTRIBUTES = 200  # of one element
MAX_RECORD_ELEMENTS = 10_000  # in one record: a client with some hundred referrals and contacts
MAX_RECORD_BYTES = 1_048_576  # of one record, to within what the parser reads at a time (32 KiB)
MAX_PROLOG_BYTES = 65_536  # before the first element
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class _Kind:
    kind: str
    key: tuple[tuple[str, ...], ...]


class XmlConnector:
    """Reads one XML file, a snapshot of all its kinds of records."""

    manifest = Manifest(incremental=False, deletions="snapshot")

    def __init__(self, options: Mapping[str, Any], expects: Mapping[str, frozenset[str]]) -> None:
        given = Options("xml", options)
        self._path = given.path("path")
        self._kinds: dict[str, _Kind] = {}
        for kind, of_kind in given.kinds(expects).items():
            element = of_kind.text("element")
            if element in self._kinds:
                of_kind.fail(f"option 'element': {element!r} belongs to another kind already")
            self._kinds[element] = _Kind(kind, tuple(tuple(path.split("/")) for path in of_kind.texts("key")))
            of_kind.done()
        given.done()
        self._file: CountedFile | None = None

    def records(self, since: Cursor | None) -> Iterator[SourceRecord | Rejected | Cursor]:
        """Yield the records in the order of the file; raises SourceError."""
        return with_cursors(self._records(), fingerprint([self._path]), since)

    def acknowledge(self, cursor: Cursor) -> None:
        """Nothing to tell: a file stays as it is."""

    def estimate(self) -> int:
        """Bytes of the file."""
        return size([self._path])

    def position(self) -> int:
        """Bytes read in this run."""
        return self._file.bytes_read if self._file else 0

    def _records(self) -> Iterator[SourceRecord | Rejected]:
        with opened(self._path) as stream:
            try:
                # (1) refuse a DTD before anything of it can be used (2) read on from the start
                _refuse_dtd(stream, self._path.name)
                stream.seek(0)
                self._file = CountedFile(stream)
                yield from _Reader(self._file, self._path.name, self._kinds).records()
            except etree.XMLSyntaxError as error:
                # lxml's message may quote the document; its type and line do not.
                last = error.error_log.last_error
                problem = last.type_name.removeprefix("ERR_").lower().replace("_", " ") if last else "cut short"
                line = last.line if last else error.lineno
                raise SourceError(f"{self._path.name} line {line}: not well-formed XML ({problem})") from None


class _Prolog:
    """Parser target that stops at a DTD (an error) or at the first element (all is well)."""

    def __init__(self) -> None:
        self.dtd = False
        self.started = False

    def doctype(self, _name: str | None, _public_id: str | None, _system_url: str | None, /) -> None:
        self.dtd = True
        raise StopIteration

    def start(self, _tag: str, _attributes: dict[str, str], /) -> None:
        self.started = True
        raise StopIteration

    def end(self, _tag: str, /) -> None:
        """Never reached: a parser wants it."""

    def close(self) -> None:
        """Nothing to hand over."""


def _refuse_dtd(stream: BinaryIO, name: str) -> None:
    target = _Prolog()
    parser = etree.XMLParser(
        target=cast("etree.ParserTarget[None]", target),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    read = 0
    try:
        while read < MAX_PROLOG_BYTES and (chunk := stream.read(_CHUNK)):
            read += len(chunk)
            parser.feed(chunk)
    except StopIteration:
        pass
    if target.dtd:
        raise SourceError(
            f"{name}: has a document type declaration (<!DOCTYPE>), which could define entities or name other files; "
            "exports must come without one"
        )
    if not read:
        raise SourceError(f"{name}: empty")
    if read >= MAX_PROLOG_BYTES and not target.started:
        raise SourceError(f"{name}: no element in the first {MAX_PROLOG_BYTES} bytes")


class _Reader:
    """Walks through the document; forgets each element as soon as its record is made."""

    def __init__(self, file: CountedFile, name: str, kinds: Mapping[str, _Kind]) -> None:
        self._file = file
        self._name = name
        self._kinds = kinds
        self._events = etree.iterparse(
            file,
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        self._depth = 0
        self._record: etree._Element | None = None
        self._elements = 0
        self._begun_at = 0

    def records(self) -> Iterator[SourceRecord | Rejected]:
        found = False
        for event, element in self._events:
            if event == "start":
                self._enter(element)
                continue
            self._depth -= 1
            if element is self._record:
                found = True
                yield self._made(element)
                self._record = None
            elif self._record is not None and not self._too_large():
                continue
            _forget(element)
        if not found:
            raise SourceError(f"{self._name}: none of the elements {', '.join(self._kinds)} is in it")

    def _enter(self, element: etree._Element) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(element, f"elements nested deeper than {MAX_DEPTH}")
        if len(element.attrib) > MAX_ATTRIBUTES:
            self._refuse(element, f"an element with more than {MAX_ATTRIBUTES} attributes")
        if self._record is None and _local(element.tag) in self._kinds:
            self._record, self._elements, self._begun_at = element, 0, self._file.bytes_read
        self._elements += 1

    def _refuse(self, element: etree._Element, reason: str) -> NoReturn:
        raise SourceError(f"{self._name} line {element.sourceline}: {reason}")

    def _too_large(self) -> bool:
        read = self._file.bytes_read - self._begun_at
        return self._elements > MAX_RECORD_ELEMENTS or read > MAX_RECORD_BYTES

    def _made(self, element: etree._Element) -> SourceRecord | Rejected:
        kind = self._kinds[_local(element.tag)]
        where = f"{self._name} line {element.sourceline}"
        if self._too_large():
            limit = f"{MAX_RECORD_ELEMENTS} elements or {MAX_RECORD_BYTES} bytes"
            return Rejected(where=where, field="", reason=f"a record of more than {limit}")
        value = _value(element)
        fields: dict[str, FieldValue] = value if isinstance(value, dict) else {"#text": value}
        key = joined_key([_at(fields, path) for path in kind.key])
        if not key:
            label = " + ".join("/".join(path) for path in kind.key)
            return Rejected(where=where, field=label, reason="the key is empty")
        return SourceRecord(kind=kind.kind, key=key, fields=fields, where=where)


def _local(name: object) -> str:
    """A name without its namespace."""
    return str(name).rpartition("}")[2]


def _value(element: etree._Element) -> FieldValue:
    """The element as plain data; its depth is bounded by MAX_DEPTH."""
    fields: dict[str, FieldValue] = {f"@{_local(name)}": str(value) for name, value in element.attrib.items()}
    text = element.text or ""
    for child in element:
        name, value = _local(child.tag), _value(child)
        if name not in fields:
            fields[name] = value
        else:
            before = fields[name]
            fields[name] = [*before, value] if isinstance(before, list) else [before, value]
        text += child.tail or ""
    text = text.strip()
    if not fields:
        return text or None
    if text:
        fields["#text"] = text
    return fields


def _at(fields: FieldValue, path: tuple[str, ...]) -> str:
    """The one text at a path; empty if there is none or more than one."""
    for part in path:
        fields = fields.get(part) if isinstance(fields, dict) else None
    if isinstance(fields, dict):
        fields = fields.get("#text")
    return fields.strip() if isinstance(fields, str) else ""


def _forget(element: etree._Element) -> None:
    """Free an element that has been dealt with, and its siblings before it."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while parent[0] is not element:
            del parent[0]
