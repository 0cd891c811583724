"""Uploading a list of clients: choose a file, say what its columns mean, see what would be stored, store it.

Only whoever uploaded a file, or a list, sees it again: a list tells whom a service works with. Every step works
without JavaScript; an import goes on whatever the browser does.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web

from connectors.contract import SourceError
from connectors.spreadsheet import MAX_FILE_BYTES
from gateway.accounts.account import Role
from gateway.database.contract import Work
from gateway.errors import TooManyRequests
from gateway.node.register import TypedService, typed_services
from gateway.node.uploaded import TOLD, Known, known_rows
from gateway.web.downloads import CSV, download
from gateway.web.forms import MAX_FORM_BYTES, Form, SentFile, form_of
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.upload_preview import Look, look, preview
from gateway.web.upload_store import (
    Uploaded,
    UploadList,
    add_list,
    add_upload,
    decide,
    forget,
    lists_of,
    room_for_one,
    set_state,
    upload_of,
    uploads_of,
)
from gateway.web.upload_words import (
    FAILED,
    MEANINGS,
    NO_SUCH_SERVICE,
    OTHER_IMPORT,
    OTHER_READING,
    PROBLEMS,
    SURE,
    row_words,
)
from gateway.web.words import gettext as _
from mappings.guess import Confidence, Meaning, problem_with

PATH: Final = "/manage/uploads"
ONE: Final = PATH + "/{id:[0-9a-f]{32}}"
ROLES: Final = (Role.MANAGER, Role.ADMINISTRATOR)
MAX_NAME: Final = 100
_MEANINGS: Final = {each.value: each for each in Meaning}

routes = web.RouteTableDef()


@routes.get(PATH)
@page(*ROLES)
async def show_uploads(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """A form for a file, and one's own files that are still here."""
    return await _start_page(request, site, user, Form(fields={"list": ["new"]}))


@routes.post(PATH)
@page(*ROLES, max_bytes=MAX_FILE_BYTES + MAX_FORM_BYTES)
async def take_file(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Keep a file that can be read, with a first guess at its columns."""
    form = form_of(request)
    lists = await site.database.read(lists_of(user.account.id))
    chosen = form.choice("list", ["new", *(each.public_id for each in lists)], missing=_("Select which list this is"))
    name = ""
    if chosen == "new":
        name = form.line("name", max_length=MAX_NAME, missing=_("Enter a name for this list"))
    file = _sent(form)
    if form.errors or file is None:
        return await _start_page(request, site, user, form, status=400)
    if not await site.database.read(room_for_one(user.account.id)):
        form.wrong("file", _("Too many files are here already. Finish or delete one first"))
        return await _start_page(request, site, user, form, status=409)
    known = next((each for each in lists if each.public_id == chosen), None)

    def work(public_id: str, beginning: Look) -> Work[bool]:
        list_id = known.id if known is not None else (yield from add_list(user.account.id, name))
        if list_id is None or not (yield from room_for_one(user.account.id)):
            return False
        yield from add_upload(
            public_id,
            user.account.id,
            list_id,
            file_name=_file_name(file),
            header=beginning.header,
            meanings=_first_meanings(beginning, known),
            service=known.service if known is not None else "",
            skip=beginning.skip,
            now=site.now(),
        )
        return True

    try:
        async with site.uploads.arriving(file.content) as public_id:
            beginning = await look(site.uploads.path(public_id), owner=user.session.public_id)
            stored = await site.database.write(work(public_id, beginning))
    except SourceError as error:
        form.wrong("file", _("This file cannot be used: %(reason)s") % {"reason": _reason(error)})
        return await _start_page(request, site, user, form, status=400)
    except TooManyRequests:
        form.wrong("file", _(OTHER_READING))
        return await _start_page(request, site, user, form, status=429)
    if not stored:
        await site.uploads.discard(public_id)
        form.wrong("name", _("There are too many lists already: choose one of them"))
        return await _start_page(request, site, user, form, status=409)
    raise web.HTTPSeeOther(f"{PATH}/{public_id}")


@routes.get(ONE)
@page(*ROLES)
async def show_upload(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Where a file stands: columns and preview, under way, or what became of it."""
    upload = await _own(request, site, user)
    if upload.state == "new":
        return await _columns_page(request, site, user, upload, Form())
    return _result_page(request, site, upload, Form())


@routes.post(ONE)
@page(*ROLES)
async def decide_columns(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Take what the columns mean; show the preview again, or begin the import."""
    upload = await _own(request, site, user)
    if upload.state != "new":
        raise web.HTTPSeeOther(f"{PATH}/{upload.public_id}")
    form = form_of(request)
    services = await site.database.read(typed_services())
    meanings = _chosen(form, upload)
    service = form.choice("service", [each.key for each in services])
    await site.database.write(decide(upload, meanings, service))
    upload = await _own(request, site, user)
    problem = problem_with(upload.columns, service=bool(service))
    if problem:
        form.wrong("columns", _(PROBLEMS[problem]))
    if form.errors:
        return await _columns_page(request, site, user, upload, form, status=400)
    if form.raw("action") != "import":
        raise web.HTTPSeeOther(f"{PATH}/{upload.public_id}#preview")
    if await site.database.write(set_state(upload, "running", {}, before="new")):
        try:
            site.uploads.start(upload)
        except TooManyRequests:
            await site.database.write(set_state(upload, "new", {}, before="running"))
            form.wrong("columns", _(OTHER_IMPORT))
            return await _columns_page(request, site, user, upload, form, status=409)
    raise web.HTTPSeeOther(f"{PATH}/{upload.public_id}")


@routes.post(ONE + "/again")
@page(*ROLES)
async def begin_again(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Go on with an import that was broken off, say when the node stopped: what is stored already stays as it is."""
    upload = await _own(request, site, user)
    if upload.state == "running" and site.uploads.running(upload.public_id) is None:
        try:
            site.uploads.start(upload)
        except TooManyRequests:
            form = form_of(request)
            form.wrong("again", _(OTHER_IMPORT))
            return _result_page(request, site, upload, form, status=409)
    raise web.HTTPSeeOther(f"{PATH}/{upload.public_id}")


@routes.get(ONE + "/left-out.csv")
@page(*ROLES)
async def rows_left_out(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The rows that were left out, each with the reason, to be mended and uploaded again."""
    upload = await _own(request, site, user)
    content = await site.uploads.left_out(upload.public_id)
    if content is None:
        raise web.HTTPNotFound
    return download(content, "rows-to-mend.csv", CSV)


@routes.post(ONE + "/delete")
@page(*ROLES)
async def delete(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Remove the file at once; what was stored of it stays."""
    upload = await _own(request, site, user)
    if site.uploads.running(upload.public_id) is None:
        await site.database.write(forget(user.account.id, upload.public_id))
        await site.uploads.discard(upload.public_id)
    raise web.HTTPSeeOther(PATH)


def _sent(form: Form) -> SentFile | None:
    file = form.files.get("file")
    if file is None or not file.content:
        form.wrong("file", _("Select a file that is not empty"))
    elif len(file.content) > MAX_FILE_BYTES:
        form.wrong("file", _("The file must be smaller than 10 MB"))
    return file


async def _own(request: web.Request, site: Site, user: SignedIn) -> Uploaded:
    upload = await site.database.read(upload_of(user.account.id, request.match_info["id"]))
    if upload is None:
        raise web.HTTPNotFound
    return upload


def _result_page(request: web.Request, site: Site, upload: Uploaded, form: Form, *, status: int = 200) -> web.Response:
    running = site.uploads.running(upload.public_id) if upload.state == "running" else None
    return render(
        request,
        "upload_result.html",
        form=form,
        upload=upload,
        running=running is not None,
        progress=0 if running is None else running.percent,
        failed=_(FAILED.get(str(upload.result.get("code", "")), FAILED[""])),
        unlisted=upload.result.get("rejected", 0) - upload.result.get("listed", 0),
        status=status,
    )


def _first_meanings(beginning: Look, known: UploadList | None) -> list[Meaning | None]:
    """As the list's last file had them where the headers are the same, else as guessed."""
    said = known.meanings if known is not None else {}
    taken: set[Meaning] = set()
    meanings: list[Meaning | None] = []
    for name, (guessed, confidence) in zip(beginning.header, beginning.guessed, strict=True):
        meaning = guessed if confidence != Confidence.DOUBTFUL else None
        if name in said:
            meaning = _MEANINGS.get(said[name])
        if meaning in taken:
            meaning = None
        if meaning is not None:
            taken.add(meaning)
        meanings.append(meaning)
    return meanings


def _chosen(form: Form, upload: Uploaded) -> list[Meaning | None]:
    """What was chosen for each column; a meaning that two have is an error of the second."""
    taken: set[Meaning] = set()
    meanings: list[Meaning | None] = []
    for at in range(len(upload.header)):
        meaning = _MEANINGS.get(form.choice(f"column-{at}", _MEANINGS))
        if meaning in taken:
            form.wrong(f"column-{at}", _("Another column has this meaning already"))
            meaning = None
        if meaning is not None:
            taken.add(meaning)
        meanings.append(meaning)
    return meanings


async def _start_page(
    request: web.Request, site: Site, user: SignedIn, form: Form, *, status: int = 200
) -> web.StreamResponse:
    def work() -> Work[tuple[list[UploadList], list[Uploaded]]]:
        return (yield from lists_of(user.account.id)), (yield from uploads_of(user.account.id))

    lists, uploads = await site.database.read(work())
    return render(request, "uploads.html", form=form, lists=lists, uploads=uploads, status=status)


async def _columns_page(
    request: web.Request, site: Site, user: SignedIn, upload: Uploaded, form: Form, *, status: int = 200
) -> web.StreamResponse:
    def work() -> Work[tuple[Known, list[TypedService]]]:
        return (yield from known_rows()), (yield from typed_services())

    known, services = await site.database.read(work())
    path, owner = site.uploads.path(upload.public_id), user.session.public_id
    ready = not problem_with(upload.columns, service=bool(upload.service))
    try:
        beginning = await look(path, upload.skip, owner=owner)
        shown, whole = await preview(path, upload, known, owner=owner) if ready else ([], False)
    except SourceError as error:
        form.wrong("file", _("This file cannot be used: %(reason)s") % {"reason": _reason(error)})
        return await _start_page(request, site, user, form, status=400)
    refused = sum(row.refused for row in shown)
    return render(
        request,
        "upload_columns.html",
        form=form,
        upload=upload,
        columns=_columns(upload, beginning),
        meanings=[("", _("Not needed")), *((each.value, _(text)) for each, text in MEANINGS.items())],
        services=services,
        ready=ready,
        rows=[row_words(each, upload.header, upload.columns, known.names) for each in shown],
        new_service=any(reason == NO_SUCH_SERVICE for row in shown for _field, reason in row.problems),
        whole=whole,
        usable=len(shown) - refused,
        refused=refused,
        keyed=Meaning.KEY in upload.columns,
        status=status,
    )


def _columns(upload: Uploaded, beginning: Look) -> Sequence[Mapping[str, object]]:
    """Each column with its samples, what is chosen for it, and how sure the guess was where it is the choice."""
    columns = []
    for at, (name, samples, (guessed, confidence)) in enumerate(
        zip(upload.header, beginning.samples, beginning.guessed, strict=True)
    ):
        chosen = upload.meanings[at]
        sure = _(SURE[confidence]) if guessed is not None and (guessed == chosen or chosen is None) else ""
        columns.append(
            {
                "at": at,
                "name": name[:MAX_NAME],
                "samples": [sample[:60] for sample in samples],
                "chosen": chosen.value if chosen else "",
                "sure": sure,
            }
        )
    return columns


def _file_name(file: SentFile) -> str:
    """The file's own name, to be shown and for nothing else."""
    last = file.name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in last if each.isprintable())[:MAX_NAME]


def _reason(error: SourceError) -> str:
    return str(error).removeprefix(f"{TOLD}: ").removeprefix(f"{TOLD} ")
