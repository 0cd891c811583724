"""The pages in Welsh: whoever searches reads nothing in English, and a translation says what the text says."""

import importlib.util
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import pytest_asyncio
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from gateway.accounts.account import Role
from gateway.web import words
from tests.federation import TestFederation, federation, someone

ROOT = Path(__file__).parent.parent.parent
WELSH = ROOT / "gateway/web/locales/cy/LC_MESSAGES/patchwork.po"
# What somebody reads on the way from signing in to phoning a colleague.
SPOKEN = (
    "gateway/node/results_words.py",
    "gateway/web/asking.py",
    "gateway/web/break_glass.py",
    "gateway/web/error_page.py",
    "gateway/web/reached.py",
    "gateway/web/reasons.py",
    "gateway/web/result_view.py",
    "gateway/web/search.py",
    "gateway/web/second_factor.py",
    "gateway/web/sign_in.py",
    "gateway/web/subject_form.py",
    "gateway/web/words.py",
    "gateway/web/templates/base.html",
    "gateway/web/templates/break_glass.html",
    "gateway/web/templates/break_glass_confirm.html",
    "gateway/web/templates/error.html",
    "gateway/web/templates/reach.html",
    "gateway/web/templates/reach_asked.html",
    "gateway/web/templates/reach_thanks.html",
    "gateway/web/templates/results.html",
    "gateway/web/templates/results_more.html",
    "gateway/web/templates/search.html",
    "gateway/web/templates/search_closed.html",
    "gateway/web/templates/search_gone.html",
    "gateway/web/templates/second_factor.html",
    "gateway/web/templates/sign_in.html",
    "gateway/web/templates/partials/ending.html",
    "gateway/web/templates/partials/person_fields.html",
    "gateway/web/templates/partials/poll.html",
    "gateway/web/templates/partials/progress.html",
    "gateway/web/templates/partials/slot.html",
    "gateway/web/templates/partials/subject.html",
    "gateway/web/templates/partials/teams.html",
    "gateway/web/templates/partials/unreached.html",
    "gateway/web/templates/partials/ways.html",
    "gateway/web/templates/partials/who.html",
)
PLACES = re.compile(r"%\([a-z_]+\)s|%\{[a-z]+\}|<[^>]+>")


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("catalogues", ROOT / ".ci/catalogues.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def welsh() -> Catalog:
    with WELSH.open("rb") as text:
        return read_po(text, locale="cy", abort_invalid=True)


def _forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def test_every_text_from_signing_in_to_the_results_has_its_welsh(welsh: Catalog) -> None:
    texts_of = _tool().texts_of
    missing = []
    for file in SPOKEN:
        for line, text in texts_of(ROOT / file):
            message = welsh.get(text)
            if message is None or message.fuzzy or not all(_forms(message)):
                missing.append(f"{file}:{line}: {text}")
    assert not missing


def test_a_translation_has_the_places_of_its_text(welsh: Catalog) -> None:
    for message in welsh:
        if not message.id or not any(_forms(message)):
            continue
        english = message.id if isinstance(message.id, str) else message.id[-1]
        for form in _forms(message):
            assert sorted(PLACES.findall(form)) == sorted(PLACES.findall(english)), english


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory, welsh: Catalog) -> Iterator[None]:
    """The catalogue as a program reads it, wherever the pages' files were built."""
    folder = tmp_path_factory.mktemp("locales")
    compiled = folder / "cy/LC_MESSAGES/patchwork.mo"
    compiled.parent.mkdir(parents=True)
    with compiled.open("wb") as file:
        write_mo(file, welsh)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "LOCALES", folder)
        words._catalogue.cache_clear()
        yield
    words._catalogue.cache_clear()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory, spoken: None) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path_factory.mktemp("north"), ["housing", "police"], web=True) as running:
        await running.add("police", *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


@pytest.mark.asyncio(loop_scope="module")
async def test_a_search_is_in_welsh_from_its_form_to_its_results(north: TestFederation) -> None:
    wendy = await north.sign_in("housing", Role.PRACTITIONER, language="cy")
    form = await wendy.get("/search")
    assert '<html lang="cy"' in form.text
    assert "gweithio gyda\u2019r person hwn?" in form.words
    assert "Cod post" in form.words
    wrong = await wendy.post("/search", {"name": "Katherine Bramley"})
    assert "Nid yw enw ar ei ben ei hun yn canfod neb" in wrong.words
    assert "There is a problem" not in wrong.words
    asked = {"name": "Kate Bramley", "born-day": "17", "born-month": "5", "born-year": "1991"}
    results = await wendy.post("/search", asked | {"reason": "COC:public-task"})
    for _ in range(20):
        if "Mae 1 o 1 asiantaeth wedi ateb" in results.words:
            break
        results = await wendy.get(results.path)
    assert "Mae 1 o 1 asiantaeth wedi ateb" in results.words
    assert "Dyma\u2019r person" in results.words
    assert "Robin Worker" in results.words
    assert not re.search(r"\b(the|agency|agencies|Since|asked)\b", re.sub(r"Team \S+", "", results.words))
