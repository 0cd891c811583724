"""What is protected (adoption, witness protection, a former name) finds nobody and links nobody."""

from datetime import date
from typing import Any

import pytest

from consent_ledger.entries import Correction
from gateway.matching.index import find
from gateway.node.corrections import may_join
from gateway.node.protected import Guard, Held, bars, held
from gateway.node.rows import json_text
from gateway.node.same_person import candidate_of
from gateway.wire.query import NameParts, Subject
from mappings.model import HumanName, Identifier
from mappings.vocabulary import NHS_NUMBER_SYSTEM
from tests.unit.ingest.sources import person
from tests.unit.people.conftest import Register, twice

NUMBER = "999 000 0018"
OTHER_NUMBER = "999 000 0026"
P, Q, R = "cases:p1", "second:q1", "third:r1"
OLD_LIFE = {"given": "Robert", "family": "Bramley", "born": "1991-05-17", "postcode": "ZM4 7QT"}
NEW_LIFE = {"given": "Kit", "family": "Oakes", "born": "1991-05-17", "postcode": "ZM5 1AB"}


async def meets(register: Register, given: str, family: str, **details: Any) -> bool:
    """Whether this name, beside a birth date and postcode, says more to matching than a name that nobody has."""

    async def outcome(given: str, family: str) -> tuple[Any, ...]:
        subject = Subject(
            names=(NameParts(given=(given,) if given else (), family=family),),
            **{"birth_date": "1991-05-17", "postcode": "ZM5 1AB", **details},
        )
        match = await register.database.read(find(subject, today=date(2026, 11, 22)))
        return match.disclosable, match.best and (match.best.person_id, match.best.score)

    found = await outcome(given, family)
    assert found[0] or found == await outcome("Zebedee", "Quillfeather")
    return bool(found[0])


ASKED = [
    ("Robert", "Bramley"),
    ("robert", "BRAMLEY"),
    ("Bramley", "Robert"),
    ("Bob", "Bramley"),
    ("Bobby", "Bramley"),
    ("Robbert", "Bramly"),
    ("R\u00f3bert", "Br\u00e4mley"),
    ("Dr Robert", "Bramley"),
    ("Robert James", "Bramley"),
    ("Robert", "Bramley-Oakes"),
]


@pytest.mark.parametrize(("given", "family"), ASKED)
async def test_a_protected_name_finds_nobody_however_it_is_asked(register: Register, given: str, family: str) -> None:
    both = OLD_LIFE | {"postcode": NEW_LIFE["postcode"]}
    await register.imports(person("p1", **both, name_protected="yes"))
    assert not await meets(register, given, family)
    await register.imports(person("p1", **both))
    assert await meets(register, given, family)  # the question would have found them


@pytest.mark.parametrize(("given", "family"), ASKED)
async def test_nor_through_another_record_of_the_person_that_gives_it_in_another_form(
    register: Register, given: str, family: str
) -> None:
    await register.imports(person("p1", **OLD_LIFE, nhs=NUMBER, name_protected="yes"))
    await register.imports(person("q1", **NEW_LIFE | {"given": given, "family": family}, nhs=NUMBER), name="second")
    assert await register.people() == [["p1", "q1"]]
    for asked in (("Robert", "Bramley"), (given, family)):
        assert not await meets(register, *asked)


def test_a_name_that_the_protecting_record_gives_openly_stays_hers_however_like_it_is() -> None:
    guarded = json_text([HumanName(given=("Robert",), family="Oakes", protected=True)])
    hers = json_text(
        [HumanName(given=("Robert",), family="Oakes", protected=True), HumanName(given=("Roberta",), family="Oakes")]
    )
    others = json_text([HumanName(given=(given,), family="Oakes") for given in ("Roberta", "Bob", "ROBERT", "Zelda")])
    zelda, roberta = (("Zelda",), "Oakes"), (("Roberta",), "Oakes")
    assert candidate_of([(hers, None, "[]", "[]"), (others, None, "[]", "[]")]).names == (roberta, zelda)
    assert candidate_of([(guarded, None, "[]", "[]"), (others, None, "[]", "[]")]).names == (zelda,)


async def test_a_protected_number_finds_nobody(register: Register) -> None:
    subject = Subject(names=(NameParts(given=("Kit",), family="Oakes"),), identifiers=((NHS_NUMBER_SYSTEM, NUMBER),))
    disclosed = []
    for protected in ("yes", ""):
        await register.imports(person("p1", **NEW_LIFE, nhs=NUMBER, nhs_protected=protected))
        match = await register.database.read(find(subject, today=date(2026, 11, 22)))
        disclosed.append(match.disclosable)
    assert disclosed == [False, True]


async def test_a_number_that_anybody_protects_joins_nobody_whoever_comes_first(register: Register) -> None:
    await register.imports(person("p1", **OLD_LIFE, nhs=NUMBER))
    await register.imports(person("q1", **NEW_LIFE, nhs=NUMBER), name="second")
    assert await register.people() == [["p1", "q1"]]
    await register.imports(person("r1", **NEW_LIFE, nhs=NUMBER, nhs_protected="yes"), name="third")
    assert await register.people() == [["p1"], ["q1"], ["r1"]]
    await register.imports(person("s1", **NEW_LIFE, nhs=NUMBER), name="fourth")
    assert await register.people() == [["p1"], ["q1"], ["r1"], ["s1"]]
    await register.imports(name="third")
    assert await register.people() == [["p1", "q1", "s1"]]


async def test_a_number_that_becomes_protected_parts_them_and_drops_its_card_at_once(register: Register) -> None:
    await register.imports(person("p1", **OLD_LIFE, nhs=NUMBER))
    await register.imports(person("q1", **NEW_LIFE, nhs=NUMBER), name="second")
    assert await register.rows("SELECT person_id FROM person_card") == [(1,)]
    await register.imports(person("q1", **NEW_LIFE, nhs=NUMBER, nhs_protected="yes"), name="second")
    assert await register.people() == [["p1"], ["q1"]]
    cards = dict(await register.rows("SELECT person_id, card FROM person_card"))
    assert b"oakes" not in cards[1]
    assert b"bramley" not in cards[2]
    assert b"9990000018" not in cards[2]
    stale = "SELECT person_id FROM match_key WHERE person_id NOT IN (SELECT person_id FROM person_card)"
    assert await register.rows(stale) == []


async def test_a_name_that_becomes_protected_is_gone_from_the_card_with_the_import(register: Register) -> None:
    await register.imports(person("p1", **NEW_LIFE))
    await register.imports(person("p1", **NEW_LIFE, name_protected="yes", address_protected="yes"))
    ((card, keys),) = await register.rows("SELECT card, keys FROM person_card")
    assert b"oakes" not in card
    assert b"ZM5" not in card
    assert len(keys) // 8 == len(await register.rows("SELECT key FROM match_key"))


# One record protects a detail that another gives openly: making them one would connect two lives.
ACROSS = [
    ({"name_protected": "yes"}, {**NEW_LIFE, "given": "Robert", "family": "Bramley"}),
    ({"name_protected": "yes"}, {**NEW_LIFE, "given": "Bob", "family": "Bramley"}),
    ({"name_protected": "yes"}, {**NEW_LIFE, "given": "Bramley", "family": "robert"}),
    ({"address_protected": "yes"}, {**NEW_LIFE, "postcode": "zm47qt"}),
    ({"address_protected": "yes", "street": "1 Orchard Way"}, {**NEW_LIFE, "postcode": "", "street": "1, orchard way"}),
    ({"nhs": NUMBER, "nhs_protected": "yes"}, {**NEW_LIFE, "nhs": "9990000018"}),
]
ACROSS_IDS = ["name", "nickname", "order", "postcode", "street", "number"]


@pytest.mark.parametrize(("marks", "other"), ACROSS, ids=ACROSS_IDS)
@pytest.mark.parametrize("turned", [False, True])
async def test_a_merge_across_what_is_protected_is_refused_names_nobody_and_is_on_record(
    register: Register, marks: dict[str, str], other: dict[str, str], turned: bool
) -> None:
    await register.imports(person("p1", **OLD_LIFE | marks))
    await register.imports(person("q1", **other), name="second")
    before = await register.state()
    with pytest.raises(Exception, match="may not be made one person") as refused:
        await register.merge(*((Q, P) if turned else (P, Q)))
    assert not any(word.lower() in str(refused.value).lower() for word in (*OLD_LIFE.values(), *other.values()) if word)
    assert await register.state() == before
    assert await register.corrections() == twice(Correction.REFUSED)
    assert not await register.database.read(may_join((1, 2)))


async def test_a_merge_is_not_refused_for_what_both_protect_or_nobody_else_has(register: Register) -> None:
    guarded = {"name_protected": "yes", "address_protected": "yes", "nhs": NUMBER, "nhs_protected": "yes"}
    await register.imports(person("p1", **OLD_LIFE, **guarded))
    await register.imports(person("q1", **OLD_LIFE, **guarded), name="second")
    await register.imports(person("r1", **NEW_LIFE), name="third")
    await register.merge(P, Q)
    await register.merge(Q, R)
    assert await register.people() == [["p1", "q1", "r1"]]
    assert not await meets(register, "Robert", "Bramley")


async def test_records_that_an_open_number_has_connected_bar_no_merge_with_a_third(register: Register) -> None:
    await register.imports(person("p1", **OLD_LIFE, nhs=NUMBER, name_protected="yes"))
    await register.imports(person("q1", **OLD_LIFE, nhs=NUMBER), name="second")
    await register.imports(person("r1", **NEW_LIFE), name="third")
    await register.merge(P, R)
    assert await register.people() == [["p1", "q1", "r1"]]
    assert not await meets(register, "Robert", "Bramley")


@pytest.mark.parametrize("through", ["number", "hand"])
async def test_a_merge_is_refused_if_a_third_record_would_be_connected(register: Register, through: str) -> None:
    number = NUMBER if through == "number" else ""
    await register.imports(person("p1", **OLD_LIFE, name_protected="yes"))
    await register.imports(person("q1", **NEW_LIFE, nhs=number), name="second")
    await register.imports(person("r1", **OLD_LIFE, nhs=number), name="third")
    if through == "hand":
        await register.merge(Q, R)
    with pytest.raises(Exception, match="may not be made one person"):
        await register.merge(P, Q)


@pytest.mark.parametrize(("marks", "other"), ACROSS, ids=ACROSS_IDS)
async def test_a_later_mark_suspends_a_merge_reports_it_and_lifts_it_when_it_goes(
    register: Register, marks: dict[str, str], other: dict[str, str]
) -> None:
    open_marks = {name: value for name, value in marks.items() if not name.endswith("_protected")}
    await register.imports(person("p1", **OLD_LIFE | open_marks))
    report = await register.imports(person("q1", **other), name="second")
    await register.merge(P, Q)
    assert report.suspended == ()
    report = await register.imports(person("p1", **OLD_LIFE | marks))
    assert report.suspended == ((P, Q),)
    assert await register.people() == [["p1"], ["q1"]]
    assert len(await register.rows("SELECT person_id FROM person_card")) == 2
    assert [each.decision.suspended for each in (await register.shown(P)).decisions] == [True]
    assert (await register.imports(person("q1", **other), name="second")).suspended == ((P, Q),)  # until it is settled
    report = await register.imports(person("p1", **OLD_LIFE | open_marks))
    assert report.suspended == ()
    assert await register.people() == [["p1", "q1"]]


async def test_a_suspended_merge_can_be_taken_back(register: Register) -> None:
    await register.imports(person("p1", **OLD_LIFE))
    await register.imports(person("q1", **OLD_LIFE), name="second")
    await register.merge(P, Q)
    await register.imports(person("p1", **OLD_LIFE, name_protected="yes"))
    done = await register.unmerge(P, Q)
    assert (done.correction, done.one_person) == (Correction.SAME_TAKEN_BACK, False)
    assert (await register.imports(person("p1", **OLD_LIFE, name_protected="yes"))).suspended == ()


def test_an_identifier_of_any_kind_bars_a_merge_and_one_of_another_kind_does_not() -> None:
    def holding(system: str, value: str, *, protected: bool) -> Held:
        return held("[]", "[]", json_text([Identifier(system=system, value=value, protected=protected)]))

    guarded = holding("https://example.org/case", "C-12 a", protected=True)
    assert bars(holding("https://example.org/case", "c12A", protected=False), guarded)
    assert not bars(holding("https://example.org/case", "c12A", protected=True), guarded)
    assert not bars(holding("https://example.org/school", "c12A", protected=False), guarded)


@pytest.mark.parametrize(
    ("protected", "open_name"),
    [
        (("Katherine", "Holloway"), ("Katherime", "Holloway")),
        (("Katherine", "Holloway"), ("Katherine", "Hollowaj")),
        (("Katherine", "Holloway"), ("K", "Holloway")),
        (("Katherine", "Holloway"), ("Katherine", "")),
        (("Xiao Ming", "Li"), ("Xiaoming", "Li")),
        (("Ann Mary Ursula", "Holloway"), ("Ursula", "Holloway")),
        (("", "Holloway"), ("Katherine", "Holloway")),
    ],
)
def test_what_matching_could_take_for_a_protected_name_is_kept_out(
    protected: tuple[str, str], open_name: tuple[str, str]
) -> None:
    guard = Guard([((protected[0],), protected[1])], [])
    assert guard.keeps_out(((open_name[0],), open_name[1]))
    assert not guard.keeps_out((("Margaret",), "Thistlewood"))


def test_a_protected_name_typed_the_wrong_way_round_does_not_meet_a_like_one() -> None:
    assert Guard([(("martin",), "marlin")], []).keeps_out((("martin",), "marten"))
