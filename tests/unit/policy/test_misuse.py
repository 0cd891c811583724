"""Each pattern of misuse beside its innocent twin."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.policy.misuse import (
    Habits,
    Item,
    Pattern,
    PersonName,
    Search,
    budget,
    burst,
    colleague,
    no_contact,
    oneself,
    out_of_hours,
    same_family_name,
    weekly_items,
)

LONDON = Habits(zone=ZoneInfo("Europe/London"), burst_people=5, people_out_of_hours=3)
MONDAY_NOON = datetime(2026, 11, 16, 12, tzinfo=UTC).timestamp()
MINUTE, HOUR = 60, 3600


def name(given: str, family: str) -> PersonName:
    return PersonName(given=frozenset(given.split()), family=frozenset(family.split()))


ALEX = name("alex alexander", "asker")


def search(seq: int = 1, about: PersonName | None = None, *, at: float = MONDAY_NOON, **changes: object) -> Search:
    """Alex Asker of this agency asks about somebody else each time, unless told otherwise."""
    asked = Search(
        seq=seq,
        at=at,
        asked_here=True,
        member="housing",
        practitioner="alex",
        asker=ALEX,
        names=() if about is None else (about,),
        person=f"person {seq}",
    )
    return replace(asked, **changes)  # type: ignore[arg-type]  # fields by name


def item(pattern: Pattern, *entries: int) -> list[Item]:
    return [Item(pattern=pattern, asked_here=True, member="housing", practitioner="alex", entries=entries)]


def spread(count: int, seconds: float, *, start: float = MONDAY_NOON) -> list[Search]:
    return [search(number, at=start + number * seconds) for number in range(count)]


@pytest.mark.parametrize("given", ["alex", "alexander"])
def test_somebody_who_searches_for_their_own_name(given: str) -> None:
    assert oneself([search(7, name(given, "asker"))]) == item(Pattern.ONESELF, 7)
    assert same_family_name([search(7, name(given, "asker"))]) == []


def test_a_namesake_by_given_name_alone_is_nobody() -> None:
    assert oneself([search(7, name("alex", "bramley")), search(8)]) == []
    assert oneself([search(7, name("alex", ""), asker=name("alex", ""))]) == []


def test_somebody_who_searches_for_a_relative_by_name() -> None:
    assert same_family_name([search(7, name("robin", "asker"))]) == item(Pattern.FAMILY_NAME, 7)


def test_another_family_name_is_no_relative() -> None:
    assert same_family_name([search(7, name("robin", "bramley")), search(8)]) == []


def test_somebody_who_searches_for_a_colleague() -> None:
    staff = [name("wendy", "smith"), ALEX]
    assert colleague([search(7, name("wendy", "smith"))], staff) == item(Pattern.COLLEAGUE, 7)


def test_a_colleagues_family_name_alone_and_ones_own_name_are_no_colleague() -> None:
    staff = [name("wendy", "smith"), ALEX]
    assert colleague([search(7, name("john", "smith")), search(8, name("alex", "asker"))], staff) == []


def test_many_people_within_ten_minutes() -> None:
    assert burst(spread(5, MINUTE), LONDON) == item(Pattern.BURST, 0, 1, 2, 3, 4)
    assert burst(spread(40, HOUR) + spread(5, MINUTE, start=MONDAY_NOON - HOUR * 2), LONDON)[0].entries == (
        0,
        1,
        2,
        3,
        4,
    )


def test_many_people_over_a_day_are_a_days_work() -> None:
    assert burst(spread(40, 3 * MINUTE), LONDON) == []


def test_one_person_asked_about_many_times_is_no_burst() -> None:
    assert burst([replace(each, person="one") for each in spread(20, 5)], LONDON) == []


def test_two_practitioners_at_once_are_no_burst() -> None:
    both = [replace(each, practitioner=f"p{number % 2}") for number, each in enumerate(spread(8, MINUTE))]
    assert burst(both, LONDON) == []
    # The same id at another member is somebody else.
    both = [replace(each, member=f"m{number % 2}") for number, each in enumerate(spread(8, MINUTE))]
    assert burst(both, LONDON) == []


@pytest.mark.parametrize(
    "start",
    [
        datetime(2026, 11, 16, 23, tzinfo=UTC),  # a Monday night
        datetime(2026, 11, 17, 4, tzinfo=UTC),
        datetime(2026, 11, 21, 12, tzinfo=UTC),  # a Saturday
        datetime(2026, 7, 13, 19, 30, tzinfo=UTC),  # half past eight on a summer evening
    ],
)
def test_many_people_by_night_or_at_a_weekend(start: datetime) -> None:
    late = spread(3, MINUTE, start=start.timestamp())
    assert out_of_hours(late, LONDON) == item(Pattern.OUT_OF_HOURS, 0, 1, 2)


def test_an_emergency_by_night_is_one_person() -> None:
    night = datetime(2026, 11, 16, 23, tzinfo=UTC).timestamp()
    assert out_of_hours([replace(each, person="one") for each in spread(9, MINUTE, start=night)], LONDON) == []


def test_as_many_people_by_day_do_not_stand_out() -> None:
    assert out_of_hours(spread(9, MINUTE), LONDON) == []
    summer = datetime(2026, 7, 13, 6, 30, tzinfo=UTC).timestamp()  # half past seven there
    assert out_of_hours(spread(3, MINUTE, start=summer), LONDON) == []


def test_several_searches_after_which_nobody_is_seen() -> None:
    dropped = [replace(each, followed_up=False) for each in spread(3, HOUR)]
    assert no_contact(dropped, LONDON) == item(Pattern.NO_CONTACT, 0, 1, 2)


def test_one_enquiry_that_came_to_nothing_is_usual_and_what_cannot_be_known_is_not_held_against_anybody() -> None:
    outcomes = [False] * 2 + [True] * 4 + [None] * 3
    searches = [replace(each, followed_up=value) for each, value in zip(spread(9, HOUR), outcomes, strict=True)]
    assert no_contact(searches, LONDON) == []


def test_a_budget_that_was_used_up() -> None:
    assert budget([search(1), search(2, withheld=True)]) == item(Pattern.BUDGET, 2)
    assert budget([search(1)]) == []


def test_a_week_has_its_items_for_each_practitioner_apart_and_says_nobodys_name() -> None:
    searches = [
        search(1, name("alex", "asker")),
        search(2, name("robin", "asker"), practitioner="wendy"),
        search(3, name("robin", "asker"), asked_here=False, member="police"),
    ]
    items = weekly_items(searches, [], LONDON)
    assert [(each.pattern, each.asked_here, each.member, each.practitioner, each.entries) for each in items] == [
        (Pattern.ONESELF, True, "housing", "alex", (1,)),
        (Pattern.FAMILY_NAME, True, "housing", "wendy", (2,)),
        (Pattern.FAMILY_NAME, False, "police", "alex", (3,)),
    ]
    assert "robin" not in repr(items) + repr(searches)
