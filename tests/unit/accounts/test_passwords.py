"""Passwords: slow to guess, the same from every keyboard, and never more at work than memory allows."""

import asyncio

import pytest

from gateway.accounts import passwords as module
from gateway.accounts.passwords import Passwords, is_guessable
from gateway.errors import Overloaded


async def test_a_password_is_kept_as_argon2id_of_its_own_salt_and_costs_what_owasp_asks() -> None:
    passwords = Passwords()
    first, second = [await passwords.hash("correct horse battery") for _ in range(2)]
    assert first.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert first != second
    assert await passwords.verify(first, "correct horse battery")
    assert not await passwords.verify(first, "correct horse batterz")
    passwords.close()


async def test_an_account_without_a_password_and_a_damaged_one_open_to_nothing() -> None:
    passwords = Passwords(memory_kib=8)
    for stored in (None, "", "$argon2id$v=19$m=8,t=1,p=1$damaged"):
        assert not await passwords.verify(stored, "")
    passwords.close()


async def test_the_same_letters_typed_on_another_keyboard_are_the_same_password() -> None:
    passwords = Passwords(memory_kib=8)
    assert await passwords.verify(await passwords.hash("cafe\u0301 au lait, s'il"), "caf\u00e9 au lait, s'il")
    passwords.close()


async def test_more_sign_ins_than_can_wait_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    passwords = Passwords()
    outcomes = await asyncio.gather(*(passwords.hash("x" * 12) for _ in range(5)), return_exceptions=True)
    assert [isinstance(each, Overloaded) for each in outcomes] == [False, False, False, True, True]
    assert await passwords.hash("x" * 12)  # and afterwards there is room again
    passwords.close()


async def test_one_account_and_one_address_do_not_take_all_places_to_wait() -> None:
    passwords = Passwords(memory_kib=8)
    stored = await passwords.hash("correct horse battery")

    async def tries(count: int, **whose: bytes) -> list[bool]:
        """For each try, whether it was turned away."""
        many = (passwords.verify(stored, "correct horse battery", **whose) for _ in range(count))
        return [isinstance(each, Overloaded) for each in await asyncio.gather(*many, return_exceptions=True)]

    mine, theirs = await asyncio.gather(tries(40, account=b"mallory"), tries(1, account=b"wendy", address=b"office"))
    assert (mine.count(False), theirs) == (module.MAX_OF_ACCOUNT, [False])
    mine, theirs = await asyncio.gather(tries(40, address=b"one"), tries(1, account=b"wendy", address=b"other"))
    assert (mine.count(False), theirs) == (module.MAX_OF_ADDRESS, [False])
    assert await tries(1, account=b"mallory", address=b"one") == [False]  # and afterwards there is room again
    passwords.close()


@pytest.mark.parametrize("password", ["aaaaaaaaaaaa", "wendysmith123", "Wendy Smith!!", "abababababab"])
def test_what_hardly_varies_or_is_ones_own_name_is_guessable(password: str) -> None:
    assert is_guessable(password, "w.smith", "Wendy Smith")


def test_three_words_are_not_guessable() -> None:
    assert not is_guessable("kettle orbit lamb", "w.smith", "Wendy Smith")
