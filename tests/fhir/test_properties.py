"""Whatever a team holds and whatever is permitted, the answer is valid, fits, and says no more than it may."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import MalformedMessage
from gateway.fhir.text import plain
from gateway.node.disclose import disclose
from gateway.node.merge import rows_of
from gateway.node.team import Team, TeamMember
from gateway.policy.decide import Permit
from gateway.wire.answer import NOTHING_TO_DISCLOSE, Disclosure, deflate_to_fit
from mappings.model import (
    MAX_TEXT,
    ContactEvent,
    ContactPoint,
    HumanName,
    Identifier,
    Involvement,
    Organisation,
    Practitioner,
    Service,
)
from mappings.vocabulary import ODS_SYSTEM, MatchGrade, Mode, OrganisationType
from tests.fhir.teams import JTI, NOW, TRUST, permit
from tests.fhir.validators import GOLDEN_FOLDER, Json, Medplum, verdicts

PERSON_KEY = "personkey4711"
PERMITS: dict[Mode, Permit] = {mode: permit(mode) for mode in Mode if mode is not Mode.NONE}

texts = st.text(max_size=40) | st.text(alphabet="aé\u0301\x1b[\x00\u202e 漢\n", max_size=MAX_TEXT)
days = st.dates().map(lambda day: day.isoformat())
dates = days | days.map(lambda day: day[:7]) | days.map(lambda day: day[:4])
points = st.builds(
    ContactPoint,
    system=st.sampled_from(["phone", "email", "sms", "fax", "telepathy", ""]),
    value=texts,
    use=st.sampled_from(["work", "mobile", "home", ""]),
    rank=st.integers(min_value=-3, max_value=10**12),
)
identifiers = st.builds(
    Identifier, system=st.sampled_from([ODS_SYSTEM, "urn:x", ""]), value=texts, protected=st.booleans()
)


def marked(kind: str, index: int, text: str) -> str:
    """Text that tells in the answer whose it is."""
    return f"{kind}Mark{index}Q {text}"


@st.composite
def practitioners(draw: st.DrawFn, index: int, kind: str) -> Practitioner:
    return Practitioner(
        key=f"p{draw(st.integers(0, 1))}",
        name=HumanName(
            family=marked(kind, index, draw(texts)),
            given=tuple(draw(st.lists(texts, max_size=2))),
            protected=draw(st.booleans()),
        ),
        role=marked(kind, index, draw(texts)),
        contact_points=tuple(draw(st.lists(points, max_size=4))),
        working_pattern=marked(kind, index, draw(texts)),
        away_until=draw(st.none() | dates | st.just("2027")),
        cover_key=f"coverkey{index}",
    )


@st.composite
def members(draw: st.DrawFn, index: int) -> TeamMember:
    service = Service(
        key=f"s{draw(st.integers(0, 1))}",
        name=marked("service", index, draw(texts)),
        code=draw(texts),
        duty_contact=tuple(draw(st.lists(points, max_size=3))),
        description=f"descriptionMark{index}Q",
    )
    practitioner = draw(practitioners(index, "person"))
    organisation = Organisation(
        key=f"o{draw(st.integers(0, 1))}",
        name=marked("organisation", index, draw(texts)),
        type=draw(st.none() | st.sampled_from(OrganisationType)),
        identifiers=tuple(draw(st.lists(identifiers, max_size=3))),
        duty_contact=tuple(draw(st.lists(points, max_size=2))),
    )
    involvement = Involvement(
        key=f"involvementkey{index}",
        person_key=PERSON_KEY,
        role=marked("person", index, draw(texts)),
        start=draw(st.none() | dates),
        end=draw(st.none() | dates),
        last_confirmed=draw(st.none() | dates),
        lead=draw(st.booleans()),
    )
    events = st.builds(
        ContactEvent,
        key=st.just("event"),
        person_key=st.just(PERSON_KEY),
        kind=texts.map(lambda text: marked("event", index, text)),
        date=dates,
        planned=st.booleans(),
    )
    named = draw(st.booleans())
    return TeamMember(
        involvement_id=index,
        involvement=involvement,
        practitioner=practitioner if named else None,
        service=service if not named or draw(st.booleans()) else None,
        organisation=organisation if draw(st.booleans()) else None,
        contact_events=tuple(draw(st.lists(events, max_size=3))),
        cover=draw(st.none() | practitioners(index, "cover")) if named else None,
    )


@st.composite
def permitted_teams(draw: st.DrawFn) -> tuple[Team, dict[int, Mode]]:
    size = draw(st.integers(0, 6))
    whole = tuple(draw(members(index)) for index in range(size))
    modes: dict[int, Mode] = {
        index: mode for index in range(size) if (mode := draw(st.none() | st.sampled_from(list(PERMITS))))
    }
    return Team(person_id=1, person_ids=(1,), restricted=False, involvements=whole), modes


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(case=permitted_teams(), grade=st.sampled_from(MatchGrade))
def test_any_team_under_any_permits_is_disclosed_validly_and_no_further(
    case: tuple[Team, dict[int, Mode]], grade: MatchGrade, medplum: Medplum
) -> None:
    whole, modes = case
    permits = [(index, PERMITS[mode]) for index, mode in modes.items()]
    answer = disclose(
        whole, permits, member=TRUST, jti=JTI, grade=grade, policy_uri="urn:p", policy_version="1", now=NOW
    )
    shown = {index: mode for index, mode in modes.items() if mode >= Mode.DUTY_CONTACT}
    if not shown or grade.rank < MatchGrade.PROBABLE.rank:
        assert answer is NOTHING_TO_DISCLOSE
        return
    assert isinstance(answer, Disclosure)
    assert deflate_to_fit(answer.bundle) == answer.deflated is not None
    assert verdicts(json.loads(answer.bundle), medplum) == {"models": [], "medplum": [], "ours": []}
    rows_of(TRUST, answer.bundle)
    for secret in _must_not_appear(whole, shown):
        assert secret.encode() not in answer.bundle


def _must_not_appear(whole: Team, shown: dict[int, Mode]) -> list[str]:
    secrets = [PERSON_KEY, "involvementkey", "coverkey", "descriptionMark"]
    for index, member in enumerate(whole.involvements):
        mode = shown.get(index, Mode.NONE)
        if mode is Mode.NONE:
            secrets += [f"serviceMark{index}Q", f"organisationMark{index}Q"]
        if mode < Mode.PRACTITIONER or (member.practitioner is not None and member.practitioner.name.protected):
            secrets += [f"personMark{index}Q", f"coverMark{index}Q"]
        if member.cover is not None and member.cover.name.protected:
            secrets += [f"coverMark{index}Q"]
        if mode < Mode.SCHEDULE or member.practitioner is None:
            secrets += [f"eventMark{index}Q"]
    return secrets


keys = st.sampled_from(
    [
        *("resourceType", "entry", "resource", "fullUrl", "reference", "member", "participant", "telecom", "name"),
        *("coding", "extension", "notAvailable", "during", "end", "valueString", "valueReference"),
    ]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["CareTeam", "urn:uuid:1", "\x1b[31m"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=200)
@given(data=st.data())
def test_any_part_of_an_answer_may_be_anything_and_harms_nobody(data: st.DataObject) -> None:
    golden = data.draw(st.sampled_from(["schedule.json", "away_with_cover.json"]))
    bundle: Json = json.loads((GOLDEN_FOLDER / golden).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        _replace_somewhere(bundle, data, copy.deepcopy(data.draw(anything)))
    try:
        rows = rows_of(TRUST, json.dumps(bundle).encode())
    except MalformedMessage:
        return
    for row in rows:
        texts = (row.professional, row.role, row.service, row.organisation, row.working_pattern)
        cover = (row.cover.professional, row.cover.role) if row.cover else ()
        assert all(text.isprintable() for text in texts + cover)


def _replace_somewhere(node: Any, data: st.DataObject, value: Any) -> None:
    """Walk down at random, and put `value` where the walk stops."""
    while True:
        steps = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not steps:
            return
        step = data.draw(st.sampled_from(steps))
        if not isinstance(node[step], dict | list) or not data.draw(st.integers(0, 5)):
            node[step] = value
            return
        node = node[step]


@given(text=st.text())
def test_plain_text_is_printable_and_stays_as_it_is(text: str) -> None:
    once = plain(text)
    assert once.isprintable()
    assert plain(once) == once


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Zoë  O\u2019Hara-Müller ", "Zoë O\u2019Hara-Müller"),
        ("نور الهدى", "نور الهدى"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x1b\\x", "x"),
        ("\x9b2Jx", "x"),
        ("a\x1bcb", "ab"),
        ("e\u0301", "é"),
        ("e\x00\u0301", "é"),
        ("z" + "\u0336" * 40, "z" + "\u0336" * 3),
        ("abc\u202edef", "abcdef"),
        ("line\r\nbreak", "line break"),
    ],
)
def test_plain_text_keeps_names_and_drops_commands(raw: str, shown: str) -> None:
    assert plain(raw) == shown
