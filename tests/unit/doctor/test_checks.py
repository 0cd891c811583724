"""Each check of `patchwork doctor`, from facts to what an administrator reads."""

from dataclasses import replace
from pathlib import Path

import pytest

from consent_ledger.heads import Said, Word
from gateway.days import DAY_S, HOUR_S
from gateway.doctor.clock import ClockFacts, check_clock
from gateway.doctor.document import DocumentFacts, check_document
from gateway.doctor.doors import DoorFacts, check_door, check_hub_reach
from gateway.doctor.expiry import Ending, findings_of
from gateway.doctor.finding import Finding, Level, spell, well, worst
from gateway.doctor.gather_federations import named
from gateway.doctor.gather_hub import (
    TAKEN_WITHIN_S,
    HubDocumentFacts,
    HubKeyFacts,
    check_hub_document,
    check_hub_keys,
    check_restored,
)
from gateway.doctor.imports import SourceFacts, check_sources
from gateway.doctor.keys import KeyFacts, check_keys
from gateway.doctor.member_clocks import MemberClock, check_member_clocks
from gateway.doctor.record import RecordFacts, check_record
from gateway.doctor.storage import DatabaseFacts, DiskFacts, check_databases, check_disk
from gateway.wire.federation import Federation, Member, MemberKey, sign_document
from gateway.wire.keys import LedgerKey, SigningKey, fingerprint
from mappings.vocabulary import OrganisationType, Sector

NOW = 1_790_000_000
OPERATOR, HUB, KEY, LEDGER = SigningKey.generate(), SigningKey.generate(), SigningKey.generate(), LedgerKey.generate()
MEMBER = Member(
    id="housing",
    identifier=(),
    name="Orchard Homes",
    type=OrganisationType.HOUSING,
    sector=Sector.STATUTORY,
    status="active",
    keys=(MemberKey(key=KEY.verify_key(), not_before=NOW - DAY_S, not_after=NOW + 365 * DAY_S),),
    ledger_key=LEDGER.public_jwk(),
    endpoint=None,
    duty_contact=(),
)


def document(*members: Member, seq: int = 7, at: int = NOW) -> Federation:
    return sign_document(
        operator="orchard",
        name="orchard",
        seq=seq,
        members=members,
        agreements=(),
        hub_keys=(HUB.verify_key(),),
        key=OPERATOR,
        now=at,
    )


FACTS = DocumentFacts(me="housing", now=NOW, offered=document(MEMBER), held=document(MEMBER), fresh_until=NOW + HOUR_S)
KEYS = KeyFacts(signing=frozenset({KEY.kid}), ledger_kid=LEDGER.kid, sealing_until=NOW + DAY_S, folder_mode=0o700)


def said(findings: list[Finding]) -> str:
    return "\n".join(f"{finding.what} / {finding.do}" for finding in findings)


def test_what_is_well_says_so_and_wants_nothing() -> None:
    findings = [
        *check_document(FACTS),
        *check_keys(KEYS, FACTS.held, "housing", NOW),
        *check_clock(ClockFacts(now=NOW, hub=NOW - 4, record=NOW - 100)),
        *check_databases([DatabaseFacts(file=Path("node.db"))]),
        *check_disk(DiskFacts(folder=Path(), free=1 << 40)),
        *check_sources([SourceFacts(name="tenancies", outcome="completed", finished_at=NOW - HOUR_S)], NOW, clients=9),
        *check_door(DoorFacts(address="127.0.0.1:8401", status=200), who="node", start="patchwork node serve"),
        *check_record(RecordFacts(now=NOW, size=9, signed_size=9, signed_at=NOW - HOUR_S, words=())),
    ]
    assert worst(findings) is Level.WELL
    assert not any(finding.do for finding in findings)
    assert len({finding.check for finding in findings}) == 8


def test_a_document_that_is_over_answers_nothing_and_names_who_renews_it() -> None:
    old = document(MEMBER, at=NOW - 9 * DAY_S)
    (finding,) = check_document(replace(FACTS, offered=old, held=old))
    assert finding.level is Level.WRONG
    assert "federation document 7 expired 2 days ago" in finding.what
    assert "asks nothing and answers nothing" in finding.what
    assert "`patchwork federation renew`" in finding.do


@pytest.mark.parametrize(
    ("fresh_until", "level", "words"),
    [
        (NOW - 1, Level.WRONG, "the hub's word that document 7 is the newest ended"),
        (None, Level.WRONG, "the hub's word that document 7 is the newest never came"),
        (NOW + 600, Level.SOON, "gives no federation document; from 2026-09-21"),
    ],
)
def test_a_hub_that_is_silent_stops_a_node_when_its_word_has_run_out(
    fresh_until: int | None, level: Level, words: str
) -> None:
    (finding,) = check_document(replace(FACTS, offered=None, problem="cannot be reached", fresh_until=fresh_until))
    assert (finding.level, words in finding.what) == (level, True)
    assert "cannot be reached" in finding.what
    assert "answers nothing" in finding.what


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(FACTS, alarm="seq 7 has two contents"), "clear-alarm"),
        (replace(FACTS, offered=None, held=None, problem="refused"), "no federation document has arrived"),
        (replace(FACTS, offered=document(MEMBER, seq=5)), "the hub serves document 5, and this node has seen 7"),
        (replace(FACTS, offered=document(seq=8)), "housing is not in federation document 8"),
        (replace(FACTS, offered=document(replace(MEMBER, status="suspended"), seq=8)), "housing is suspended"),
    ],
)
def test_whatever_else_stops_a_node_is_named(facts: DocumentFacts, words: str) -> None:
    findings = check_document(facts)
    assert worst(findings) is Level.WRONG
    assert words in said(findings)


def test_a_node_that_waits_is_told_what_to_read_to_whom_and_one_that_was_renamed_its_name() -> None:
    waiting = replace(FACTS, offered=document(seq=8), signing=frozenset({KEY.kid}))
    (finding,) = check_document(waiting)
    assert "waits for the operator to admit it" in finding.what
    assert fingerprint(KEY.public_jwk()) in finding.do
    (finding,) = check_document(replace(waiting, offered=document(replace(MEMBER, id="orchard-homes"), seq=8)))
    assert finding.level is Level.WRONG
    assert "lists this node as orchard-homes, not as housing" in finding.what
    assert 'member = "orchard-homes"' in finding.do


def test_keys_that_are_not_the_listed_ones_are_noticed() -> None:
    listed = document(MEMBER)
    stranger = SigningKey.generate()
    findings = check_keys(replace(KEYS, signing=frozenset({stranger.kid})), listed, "housing", NOW)
    assert [finding.level for finding in findings] == [Level.WRONG, Level.SOON]
    assert "all that it signs is refused" in findings[0].what
    assert KEY.kid in findings[1].what
    assert "ledger.pem" in said(check_keys(replace(KEYS, ledger_kid="other"), listed, "housing", NOW))
    rotating = replace(KEYS, ledger_kid="other", ledger_next=frozenset({LEDGER.kid}))
    assert worst(check_keys(rotating, listed, "housing", NOW)) is Level.WELL
    over = check_keys(KEYS, listed, "housing", NOW + 366 * DAY_S)
    assert "lists no signing key of this node that is in force" in said(over)
    assert "chmod 700" in said(check_keys(replace(KEYS, folder_mode=0o755), listed, "housing", NOW))
    broken = check_keys(KeyFacts(problems=("signing.pem: mode is 0644 (chmod 600)",)), listed, "housing", NOW)
    assert [(each.level, "who has read" in each.do) for each in broken] == [(Level.WRONG, True)]


@pytest.mark.parametrize(
    ("hub", "level", "words"),
    [(-90, Level.WRONG, "90 s ahead of the hub's"), (90, Level.WRONG, "90 s behind"), (30, Level.SOON, "30 s behind")],
)
def test_a_clock_says_how_far_it_is_off_and_against_whom(hub: int, level: Level, words: str) -> None:
    (finding,) = check_clock(ClockFacts(now=NOW, hub=NOW + hub))
    assert (finding.level, words in finding.what) == (level, True)
    (finding,) = check_clock(ClockFacts(now=NOW, hub=NOW, record=NOW + 2 * HOUR_S))
    assert finding.level is Level.WRONG
    assert "2 hours behind the newest entry of its own ledger" in finding.what


def test_of_several_hubs_the_one_that_the_clock_is_held_against_is_named() -> None:
    (finding,) = check_clock(ClockFacts(now=NOW, hub=NOW - 90, whom="https://hub-2.example.org"))
    assert "90 s ahead of the hub's at https://hub-2.example.org" in finding.what


@pytest.mark.parametrize("hub", [-4, 0, 5])
def test_a_clock_is_not_said_to_be_off_by_the_age_of_the_hubs_word(hub: int) -> None:
    (finding,) = check_clock(ClockFacts(now=NOW, hub=NOW + hub))
    assert finding.what == "this machine's clock is within 5 s of the hub's"


def test_a_clock_that_is_days_off_is_not_told_in_seconds() -> None:
    (finding,) = check_clock(ClockFacts(now=NOW, hub=NOW - 691_201))
    assert "8 days ahead of the hub's" in finding.what


def test_a_hub_that_is_down_while_another_answers_stops_nothing() -> None:
    (finding,) = check_hub_reach("https://hub.example.org", "cannot be reached", another=True)
    assert (finding.level, finding.check) == (Level.SOON, "hub")
    (finding,) = check_hub_reach("https://hub.example.org", "cannot be reached", another=False)
    assert finding.level is Level.WRONG


def test_a_node_whose_clients_are_typed_into_pages_is_not_told_that_it_has_none() -> None:
    (finding,) = check_sources([], NOW, clients=3)
    assert "answers from what is typed into its pages or uploaded there (clients: 3)" in finding.what


def test_what_is_found_of_one_federation_names_it_though_it_is_the_same_in_another() -> None:
    keys, disk = well("keys", "the signing key can be used"), well("disk", "9 GiB are free")
    north, south = [keys, disk, well("hub", "answers")], [keys, disk]
    assert [each.what for each in named({"north": north, "south": south})] == [
        "north, south: the signing key can be used",
        "9 GiB are free",
        "north: answers",
    ]
    assert named({"north": north}) == north


def clocks(**ahead: float) -> dict[str, MemberClock]:
    return {member: MemberClock(ahead=each, seen_at=NOW - 60) for member, each in ahead.items()}


@pytest.mark.parametrize(
    ("seen", "level", "words"),
    [
        (clocks(a=-95, b=-94, c=-96), Level.WRONG, "95 s ahead of what members' requests say (a, b, c)"),
        (clocks(a=15, b=15, c=14), Level.SOON, "15 s behind what members' requests say"),
        (clocks(a=0, b=-1, c=95), Level.SOON, "c's clock is 95 s ahead of other members'"),
        (clocks(a=0, b=-95), Level.WRONG, "0 s behind a's; 95 s ahead of b's"),
        (clocks(a=400), Level.WRONG, "400 s behind a's"),
        (clocks(a=1, b=0), Level.WELL, "what members' requests say"),
        ({"a": MemberClock(ahead=900, seen_at=NOW - 2 * HOUR_S)}, Level.WELL, "not compared"),
        ({"a": MemberClock(ahead=900, seen_at=NOW + 60)}, Level.WELL, "not compared"),
    ],
)
def test_a_hubs_clock_is_held_against_most_of_its_members(
    seen: dict[str, MemberClock], level: Level, words: str
) -> None:
    findings = check_member_clocks(seen, NOW)
    assert (worst(findings), words in said(findings)) == (level, True), findings


def test_one_member_that_shows_old_requests_does_not_make_the_hubs_clock_wrong() -> None:
    liar = clocks(a=0, b=1, c=-900)
    assert worst(check_member_clocks(liar, NOW)) is Level.SOON
    assert "this machine" not in said(check_member_clocks(liar, NOW))
    many = clocks(**{f"m{number}": 60 for number in range(9)})
    assert "m4 and 4 more" in said(check_member_clocks(many, NOW))


def test_a_next_hub_key_that_nobody_has_listed_is_not_forgotten() -> None:
    waits = HubKeyFacts(kids=frozenset({HUB.kid, KEY.kid}), waiting=KEY.kid, waiting_since=NOW - 15 * DAY_S)
    assert "was made 15 days ago and is not listed" in said(check_hub_keys(waits, document(MEMBER), NOW))
    fresh = replace(waits, waiting_since=NOW - DAY_S)
    assert worst(check_hub_keys(fresh, document(MEMBER), NOW)) is Level.WELL
    listed = replace(waits, waiting=HUB.kid)
    assert worst(check_hub_keys(listed, document(MEMBER), NOW)) is Level.WELL
    assert worst(check_hub_keys(HubKeyFacts(problem="hub.pem: mode is 0644"), None, NOW)) is Level.WRONG


def test_a_hub_that_was_put_back_says_how_long_it_waits() -> None:
    (finding,) = check_restored(NOW + 150, NOW)
    assert (finding.level, "takes no questions for 2 minutes" in finding.what) == (Level.SOON, True)
    assert check_restored(NOW, NOW) == check_restored(0.0, NOW) == []
    assert "for 3 minutes" in said(check_restored(NOW + DAY_S, NOW))  # by a clock that was ahead then


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (DatabaseFacts(file=Path("node.db"), problem="node.db: the file is damaged"), Level.WRONG),
        (DatabaseFacts(file=Path("node.db"), version=9, known=8), Level.WRONG),
        (DatabaseFacts(file=Path("node.db"), version=7, known=8), Level.SOON),
        (DatabaseFacts(file=Path("node.db"), writable=False), Level.WRONG),
        (DatabaseFacts(file=Path("node.db"), mode=0o644), Level.SOON),
        (DatabaseFacts(file=Path("node.db"), ours=False), Level.WRONG),
        (DatabaseFacts(file=Path("node.db"), exists=False), Level.SOON),
        (DatabaseFacts(file=Path("node.db"), exists=False, lost=True), Level.WRONG),
    ],
)
def test_each_fault_of_a_database_has_its_next_step(facts: DatabaseFacts, level: Level) -> None:
    (finding,) = check_databases([facts])
    assert finding.level is level
    assert finding.do


def test_a_disk_that_fills_up_is_told_before_it_is_full() -> None:
    levels = [check_disk(DiskFacts(folder=Path(), free=free))[0].level for free in (1 << 20, 1 << 30, 1 << 33)]
    assert levels == [Level.WRONG, Level.SOON, Level.WELL]
    (finding,) = check_disk(DiskFacts(folder=Path("data"), free=1 << 40, writable=False))
    assert (finding.level, "data cannot be written" in finding.what) == (Level.WRONG, True)


def test_a_ledger_that_has_lost_entries_or_is_refused_is_wrong() -> None:
    fine = RecordFacts(now=NOW, size=9, signed_size=9, signed_at=NOW, words=())
    assert "has 9 entries, and has signed that it had 12" in said(check_record(replace(fine, signed_size=12)))
    refusal = Word(witness="hub", at=NOW, said=Said.REFUSED, head=None, reason="does not follow")
    assert worst(check_record(replace(fine, words=[refusal]))) is Level.WRONG
    silent = Word(witness="hub", at=NOW, said=Said.NO_WORD, head=None, reason="cannot be reached")
    assert worst(check_record(replace(fine, words=[silent]))) is Level.SOON
    assert "last signed 4 hours ago" in said(check_record(replace(fine, signed_at=NOW - 4 * HOUR_S)))
    cosigned = Word(witness="hub", at=NOW, said=Said.COSIGNED, head=None)
    assert "cosigned by 1 witness /" in said(check_record(replace(fine, words=[cosigned])))
    assert "cosigned by 2 witnesses" in said(check_record(replace(fine, words=[cosigned, cosigned])))


def test_a_ledger_of_which_a_witness_holds_more_is_wrong_and_so_is_one_that_a_running_node_doubts() -> None:
    fine = RecordFacts(now=NOW, size=37, signed_size=37, signed_at=NOW, words=())
    older = replace(fine, doubt="the ledger has 37 entries, fewer than what the hub holds of epoch 1 (104)")
    (finding,) = check_record(older)
    assert (finding.level, "(104): nothing is disclosed" in finding.what) == (Level.WRONG, True)
    assert "`patchwork ledger restore`" in finding.do
    (same,) = check_record(replace(older, told=older.doubt))
    assert same == finding
    waits = replace(fine, told="the ledger has not yet been compared with what the hub holds of it: cannot be reached")
    (finding,) = check_record(replace(waits, unheard="cannot be reached"))
    assert (finding.level, "goes on by itself" in finding.do) == (Level.WRONG, True)
    (finding,) = check_record(replace(fine, unheard="cannot be reached"))
    assert (finding.level, "could not be compared" in finding.what) == (Level.SOON, True)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (SourceFacts(name="tenancies"), "never been imported"),
        (SourceFacts(name="tenancies", outcome="held", finished_at=NOW), "was held"),
        (SourceFacts(name="tenancies", outcome="completed", finished_at=NOW - 9 * DAY_S), "9 days ago"),
    ],
)
def test_an_import_that_is_old_or_broken_off_is_named(source: SourceFacts, words: str) -> None:
    (finding,) = check_sources([source], NOW, clients=0)
    assert (finding.level, words in finding.what) == (Level.SOON, True)
    assert "`patchwork import tenancies`" in finding.do


@pytest.mark.parametrize(
    ("left", "days"), [(31 * DAY_S, None), (30 * DAY_S, 30), (7 * DAY_S, 7), (DAY_S + 1, 7), (DAY_S, 1), (0, 0)]
)
def test_what_ends_is_told_thirty_seven_and_one_day_before(left: int, days: int | None) -> None:
    ending = Ending(kind="agreement", name="agreement A", at=NOW + left, do="agree the next")
    assert ending.days_left(NOW) == days
    findings = findings_of([ending], NOW)
    assert [finding.level for finding in findings] == (
        [] if days is None else [Level.WRONG if days == 0 else Level.SOON]
    )


def test_a_door_that_is_closed_or_would_not_answer_is_wrong() -> None:
    closed = DoorFacts(address="127.0.0.1:8401", problem="ClientConnectorError")
    (finding,) = check_door(closed, who="node", start="patchwork node serve")
    assert (finding.level, finding.do) == (Level.WRONG, "`patchwork node serve`")
    stale = DoorFacts(address="127.0.0.1:8401", status=503, code="federation-stale")
    assert "federation-stale" in said(check_door(stale, who="node", start="patchwork node serve"))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"file": None, "held": None, "problem": "cannot be read"}, "no federation document"),
        ({"problem": "not the operator's", "file": None}, "the file is not taken, document 7 serves on"),
        ({"file": document(MEMBER, seq=5)}, "the file holds document 5, and this hub has served 7"),
        ({"file": document(MEMBER, seq=8)}, "serves document 7, and the file holds 8, which it has not taken"),
        ({"now": NOW + 8 * DAY_S}, "expired 1 day ago"),
        ({"now": NOW - HOUR_S}, "is not yet by this clock"),
        ({"kids": frozenset({KEY.kid})}, "does not name this hub's key"),
    ],
)
def test_what_keeps_a_hub_from_serving_a_document_is_named(facts: dict[str, object], words: str) -> None:
    whole: dict[str, object] = {
        "now": NOW,
        "kids": frozenset({HUB.kid}),
        "file": document(MEMBER),
        "held": document(MEMBER),
    }
    assert [each.level for each in check_hub_document(HubDocumentFacts(**whole))] == [Level.WELL]  # type: ignore[arg-type]
    findings = check_hub_document(HubDocumentFacts(**{**whole, **facts}))  # type: ignore[arg-type]
    assert worst(findings) is Level.WRONG
    assert words in said(findings)


def test_a_file_that_has_just_come_may_not_be_taken_yet() -> None:
    facts = HubDocumentFacts(
        now=NOW,
        kids=frozenset({HUB.kid}),
        file=document(MEMBER, seq=8),
        file_since=NOW - TAKEN_WITHIN_S,
        held=document(MEMBER),
    )
    assert [each.level for each in check_hub_document(facts)] == [Level.WELL]


def test_a_file_that_lies_among_the_hubs_keys_and_is_none_is_named() -> None:
    facts = HubKeyFacts(kids=frozenset({HUB.kid}), unusable=("keys/hub-backup.pem: left alone",))
    (finding,) = check_hub_keys(facts, document(MEMBER), NOW)
    assert (finding.level, finding.what) == (Level.SOON, "keys/hub-backup.pem: left alone")


def test_times_are_spelt_as_people_say_them() -> None:
    spelt = [spell(each) for each in (0, 59, 60, 7199, HOUR_S * 2, DAY_S - 1, DAY_S, 2 * DAY_S, 30.5 * DAY_S)]
    assert spelt == [
        "0 seconds",
        "59 seconds",
        "1 minute",
        "1 hour",
        "2 hours",
        "23 hours",
        "1 day",
        "2 days",
        "30 days",
    ]
