"""One stored person beside a question: how each field compares, and which frequencies tell how much that says. Pure."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from gateway.matching.compare import (
    GOOD_FAMILY,
    GOOD_GIVEN,
    BirthLevel,
    MiddleLevel,
    NameLevel,
    NumberLevel,
    PlaceLevel,
    compare_births,
    compare_family,
    compare_first_given,
    compare_given,
    compare_middle,
    compare_numbers,
    compare_postcodes,
    shared_given,
    shared_parts,
)
from gateway.matching.frequency import (
    any_given_class,
    family_class,
    family_sound_class,
    given_class,
    given_sound_class,
    postcode_class,
    root_classes,
    sector_class,
    year_class,
)
from gateway.matching.normalise import BirthDate
from gateway.matching.record import Asked, Card, NameTokens, StoredCard

DIFFERENT = frozenset((NameLevel.OTHER, NameLevel.SECOND, NameLevel.MISSING))

# Which of several names of a person compares best is found by these: best first, given and family name together.
_NAME_RANK = {
    level: rank
    for rank, level in enumerate(
        (
            NameLevel.EXACT,
            NameLevel.NICKNAME,
            NameLevel.CLOSE,
            NameLevel.SOUND,
            NameLevel.PART,
            NameLevel.INITIAL,
            NameLevel.NEAR,
            NameLevel.SECOND,
            NameLevel.MISSING,
            NameLevel.OTHER,
        )
    )
}
_BEST_RANK = 2 * _NAME_RANK[NameLevel.EXACT]
_EXCHANGED_RANK = 3  # names typed in each other's place agree less well than they say
_OTHER_RANK = 10  # a name that differs outweighs how well the other one agrees


class Levels(NamedTuple):
    """How one person compares with the question, field by field. `exchanged`: given and family name changed places."""

    given: NameLevel
    family: NameLevel
    birth: BirthLevel
    place: PlaceLevel
    number: NumberLevel
    middle: MiddleLevel = MiddleLevel.MISSING
    exchanged: bool = False


class Rarity(NamedTuple):
    """Classes (frequency.py) of the stored values that agree; empty or None where rarity says nothing."""

    given: tuple[int, ...] = ()
    family: tuple[int, ...] = ()
    middle: tuple[int, ...] = ()
    postcode: int | None = None
    sectors: tuple[int, ...] = ()
    year: int | None = None

    def classes(self) -> tuple[int, ...]:
        """All of them."""
        single = [of for of in (self.postcode, self.year) if of is not None]
        return (*self.given, *self.family, *self.middle, *self.sectors, *single)


class Choices(NamedTuple):
    """How many different values of a field are on record: with each, a stranger's agrees as easily once more."""

    given: int = 1
    family: int = 1
    births: int = 1
    postcodes: int = 1
    numbers: int = 1


ONE_OF_EACH = Choices()


class Pair(NamedTuple):
    """The result of one comparison."""

    levels: Levels
    rarity: Rarity
    choices: Choices = ONE_OF_EACH


class ComparedNames(NamedTuple):
    """The best agreement of the names that were asked with those of one person."""

    given: NameLevel
    family: NameLevel
    exchanged: bool
    asked: NameTokens  # as they were compared: exchanged, if they were
    stored: NameTokens


_NO_NAMES = ComparedNames(NameLevel.MISSING, NameLevel.MISSING, False, ((), ()), ((), ()))


def compare(asked: Asked, card: Card | StoredCard, *, today: date) -> Pair | None:
    """Compare one stored person with the question, taking the best of all names, dates and addresses.

    None if both names differ, unless a number agrees, or the birth date and, where it was asked, the address.
    """
    names = compare_names(asked.names, card.names)
    number = compare_numbers(asked.nhs_number, card.nhs_numbers)
    strangers = names.given in DIFFERENT and names.family in DIFFERENT and number is not NumberLevel.EXACT
    if strangers and not card.was_born(asked.birth):
        return None
    place = compare_postcodes(asked.postcode, card.postcodes)
    if strangers and place not in (PlaceLevel.EXACT, PlaceLevel.EDIT, PlaceLevel.MISSING):
        return None
    births = card.births
    birth, born = compare_births(asked.birth, asked.age, births, today)
    middle = MiddleLevel.MISSING
    if names.given in GOOD_GIVEN or names.given in (NameLevel.NEAR, NameLevel.INITIAL):
        middle = compare_middle(names.asked[0], names.stored[0])
    levels = Levels(
        given=names.given,
        family=names.family,
        exchanged=names.exchanged,
        middle=middle,
        birth=birth,
        place=place,
        number=NumberLevel.INVALID if asked.number_failed else number,
    )
    rarity = Rarity(
        given=_given_classes(names),
        family=_family_classes(names),
        middle=(any_given_class(names.stored[0][1]),) if middle is MiddleLevel.EXACT else (),
        postcode=postcode_class(asked.postcode) if asked.postcode and place is PlaceLevel.EXACT else None,
        sectors=tuple(map(sector_class, card.postcodes)) if place is PlaceLevel.EDIT else (),
        year=year_class(born.year) if born is not None else None,
    )
    return Pair(levels, rarity, _choices(card, births))


def _choices(card: Card | StoredCard, births: tuple[BirthDate, ...]) -> Choices:
    names, postcodes, numbers = card.names, card.postcodes, card.nhs_numbers
    if len(names) < 2 and len(births) < 2 and len(postcodes) < 2 and len(numbers) < 2:  # noqa: PLR2004 - one of each
        return ONE_OF_EACH
    return Choices(
        given=len({given for given, _ in names}),
        family=len({family for _, family in names}),
        births=len(births),
        postcodes=len(postcodes),
        numbers=len(numbers),
    )


def compare_names(asked: Iterable[NameTokens], stored: Iterable[NameTokens]) -> ComparedNames:
    """The pair of names that agrees best, given and family name together; MISSING where there is none."""
    best, best_rank = _NO_NAMES, 1000
    for asked_name in asked:
        for name in stored:
            found = _compare_two(asked_name, name)
            rank = _rank(found)
            if rank < best_rank:
                best, best_rank = found, rank
                if rank == _BEST_RANK:
                    return best
    return best


def _rank(names: ComparedNames) -> int:
    others = (names.given is NameLevel.OTHER) + (names.family is NameLevel.OTHER)
    return (
        _NAME_RANK[names.given]
        + _NAME_RANK[names.family]
        + _OTHER_RANK * others
        + (_EXCHANGED_RANK if names.exchanged else 0)
    )


def _compare_two(asked: NameTokens, stored: NameTokens) -> ComparedNames:
    straight = ComparedNames(
        compare_given(asked[0], stored[0]), compare_family(asked[1], stored[1]), False, asked, stored
    )
    if straight.given in GOOD_GIVEN or straight.family in GOOD_FAMILY:
        return straight
    # Typed in each other's place? Only if neither agrees where it stands, and both then agree well.
    given = compare_first_given(asked[1], stored[0])
    if given in GOOD_GIVEN:
        family = compare_family(asked[0], stored[1])
        if family in GOOD_FAMILY:
            return ComparedNames(given, family, True, (asked[1], asked[0]), stored)
    return straight


def _given_classes(names: ComparedNames) -> tuple[int, ...]:
    """A nickname is as common as the commonest name that it may stand for, a misspelt name as its sound."""
    given, stored = names.given, names.stored[0]
    if given is NameLevel.EXACT:
        return (given_class(stored[0]),)
    if given is NameLevel.NICKNAME:
        return (given_class(stored[0]), *root_classes(stored[0]))
    if given in (NameLevel.SOUND, NameLevel.CLOSE):
        return (given_class(stored[0]), given_sound_class(stored[0]))
    if given is NameLevel.SECOND:
        shared = shared_given(names.asked[0], stored)
        return () if shared is None else (any_given_class(shared),)
    return ()


def _family_classes(names: ComparedNames) -> tuple[int, ...]:
    """Of a whole name its rarest part counts, of a half the part that is shared."""
    family, stored = names.family, names.stored[1]
    if family is NameLevel.EXACT:
        return tuple([family_class(token) for token in stored])
    if family is NameLevel.PART:
        return tuple([family_class(token) for token in shared_parts(names.asked[1], stored)])
    if family in (NameLevel.SOUND, NameLevel.CLOSE):
        return tuple([family_sound_class(token) for token in stored])
    return ()
