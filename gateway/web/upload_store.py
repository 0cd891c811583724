"""Lists and uploaded files in web.db: work for one transaction or one read. What is in a file is not kept here."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from gateway.database.contract import Row, Statement, Work
from mappings.guess import Meaning

KEPT_S: Final = 86_400.0
MAX_UPLOADS: Final = 5  # of one account, not imported yet
MAX_FILES: Final = 30  # of the whole node, not imported yet: 10 MB each
MAX_RESULTS: Final = 50  # of one account in a day
MAX_LISTS: Final = 20  # of one account

_UPLOADS: Final = (
    "SELECT u.id, u.public_id, u.account_id, u.file_name, u.header, u.meanings, u.service, u.skip, u.state, u.result, "
    "u.at, l.public_id, l.name FROM upload u JOIN upload_list l ON l.id = u.list_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadList:
    """A list that may come again, and what its columns meant the last time, by header."""

    id: int
    public_id: str
    name: str
    meanings: Mapping[str, str]
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """One file of a list; `meanings` has one for each column of `header`, None for a column that is not needed."""

    id: int
    public_id: str
    account_id: int
    list_id: str
    list_name: str
    file_name: str
    header: tuple[str, ...]
    meanings: tuple[Meaning | None, ...]
    service: str
    skip: int
    state: str
    result: Mapping[str, Any] = field(default_factory=dict)
    at: float

    @property
    def columns(self) -> dict[Meaning, int]:
        """The column of each meaning."""
        return {meaning: at for at, meaning in enumerate(self.meanings) if meaning is not None}


def lists_of(account_id: int) -> Work[list[UploadList]]:
    """An account's lists, by name."""
    rows = yield Statement(
        "SELECT id, public_id, name, meanings, service FROM upload_list WHERE account_id = ? "
        "ORDER BY name COLLATE NOCASE, id",
        (account_id,),
    )
    return [
        UploadList(id=row_id, public_id=public_id, name=name, meanings=orjson.loads(meanings), service=service)
        for row_id, public_id, name, meanings, service in rows
    ]


def room_for_one(account_id: int) -> Work[bool]:
    """Whether this account, and the node, may keep one more file."""
    ((own, waiting, every),) = yield Statement(
        "SELECT coalesce(sum(account_id = ?), 0), coalesce(sum(account_id = ? AND state IN ('new', 'running')), 0), "
        "coalesce(sum(state IN ('new', 'running')), 0) FROM upload",
        (account_id, account_id),
    )
    return bool(own < MAX_RESULTS and waiting < MAX_UPLOADS and every < MAX_FILES)


def add_list(account_id: int, name: str) -> Work[int | None]:
    """Make a list, or find the one of this name; None if there are too many."""
    rows = yield Statement("SELECT id FROM upload_list WHERE account_id = ? AND name = ?", (account_id, name))
    if rows:
        return int(rows[0][0])
    ((lists,),) = yield Statement("SELECT count(*) FROM upload_list WHERE account_id = ?", (account_id,))
    if lists >= MAX_LISTS:
        return None
    ((list_id,),) = yield Statement(
        "INSERT INTO upload_list (public_id, account_id, name) VALUES (?, ?, ?) RETURNING id",
        (secrets.token_hex(16), account_id, name),
    )
    return int(list_id)


def add_upload(
    public_id: str,
    account_id: int,
    list_id: int,
    *,
    file_name: str,
    header: Sequence[str],
    meanings: Sequence[Meaning | None],
    service: str,
    skip: int,
    now: float,
) -> Work[None]:
    """Keep what is known of a file before anybody has decided anything."""
    yield Statement(
        "INSERT INTO upload (public_id, account_id, list_id, file_name, header, meanings, service, skip, state, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'new', ?)",
        (public_id, account_id, list_id, file_name, _json(header), _json(meanings), service, skip, now),
    )


def uploads_of(account_id: int) -> Work[list[Uploaded]]:
    """An account's files, the latest first."""
    rows = yield Statement(f"{_UPLOADS} WHERE u.account_id = ? ORDER BY u.id DESC", (account_id,))
    return [_uploaded(row) for row in rows]


def upload_of(account_id: int, public_id: str) -> Work[Uploaded | None]:
    """One of this account's own files; nobody else's."""
    rows = yield Statement(f"{_UPLOADS} WHERE u.account_id = ? AND u.public_id = ?", (account_id, public_id))
    return _uploaded(rows[0]) if rows else None


def decide(upload: Uploaded, meanings: Sequence[Meaning | None], service: str) -> Work[None]:
    """Keep what somebody says of the columns, for this file and for the list's next one."""
    yield Statement(
        "UPDATE upload SET meanings = ?, service = ? WHERE id = ? AND state = 'new'",
        (_json(meanings), service, upload.id),
    )
    said = {name: meaning or "" for name, meaning in zip(upload.header, meanings, strict=True) if name}
    yield Statement(
        "UPDATE upload_list SET meanings = ?, service = ? WHERE public_id = ?", (_json(said), service, upload.list_id)
    )


def set_state(upload: Uploaded, state: str, result: Mapping[str, Any], *, before: str) -> Work[bool]:
    """Go on from `before` to another state; False if it was not there."""
    rows = yield Statement(
        "UPDATE upload SET state = ?, result = ? WHERE id = ? AND state = ? RETURNING id",
        (state, _json(result), upload.id, before),
    )
    return bool(rows)


def forget(account_id: int, public_id: str) -> Work[None]:
    """Remove what is known of one file; what was imported of it stays."""
    yield Statement("DELETE FROM upload WHERE account_id = ? AND public_id = ?", (account_id, public_id))


def sweep(now: float) -> Work[frozenset[str]]:
    """Forget what is a day old; returns the public ids of the files that may stay."""
    yield Statement("DELETE FROM upload WHERE at < ?", (now - KEPT_S,))
    return frozenset(public_id for (public_id,) in (yield Statement("SELECT public_id FROM upload")))


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _uploaded(row: Row) -> Uploaded:
    row_id, public_id, account_id, file_name, header, meanings, service, skip, state, result, at, list_id, name = row
    return Uploaded(
        id=row_id,
        public_id=public_id,
        account_id=account_id,
        list_id=list_id,
        list_name=name,
        file_name=file_name,
        header=tuple(orjson.loads(header)),
        meanings=tuple(Meaning(each) if each else None for each in orjson.loads(meanings)),
        service=service,
        skip=skip,
        state=state,
        result=orjson.loads(result),
        at=at,
    )
