"""Which address has which hub's key, whatever the others pass on."""

from gateway.links.shown_keys import ShownKeys

FIRST, SECOND = "https://hub.example.org", "https://hub-2.example.org"


def test_of_two_addresses_with_one_key_the_first_is_believed() -> None:
    shown = ShownKeys()
    assert shown.take({FIRST: "one", SECOND: "one"}) == {SECOND: FIRST}
    assert (shown.key_of(FIRST), shown.key_of(SECOND), shown.holder_of("one")) == ("one", None, FIRST)


def test_a_key_stays_with_the_address_that_had_it_though_another_is_preferred_or_it_is_silent() -> None:
    shown = ShownKeys()
    assert shown.take({FIRST: "one", SECOND: "two"}) == {}
    assert shown.take({FIRST: "two", SECOND: "two"}) == {FIRST: SECOND}
    assert shown.take({FIRST: "two"}) == {FIRST: SECOND}
    assert (shown.key_of(FIRST), shown.key_of(SECOND)) == (None, "two")
    assert shown.take({FIRST: "one"}) == {}
    assert (shown.key_of(FIRST), shown.key_of(SECOND)) == ("one", "two")


def test_a_hub_that_rotates_its_key_and_hubs_that_change_addresses_are_believed() -> None:
    shown = ShownKeys()
    shown.take({FIRST: "one", SECOND: "two"})
    assert shown.take({FIRST: "next", SECOND: "two"}) == {}
    assert shown.take({FIRST: "two", SECOND: "next"}) == {}
    assert (shown.key_of(FIRST), shown.key_of(SECOND), shown.holder_of("one")) == ("two", "next", None)
