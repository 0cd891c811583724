"""MAIS SharingPolicy JSON: what is exported has the standard's fields, and means the same when it is imported again."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ConfigurationError
from gateway.policy.agreement import Agreement, read_agreement
from gateway.policy.sharing_policy import EXTENSION, export_policy, import_policy
from gateway.policy.toml_text import toml_text
from tests.agreement_texts import agreed, rule
from tests.policy_cases import AGREEMENTS, agreement
from tests.policy_draw import some_agreement

MODEL = json.loads((Path(__file__).parents[2] / "vectors" / "mais" / "dsa.json").read_text("utf-8"))
(FIELDS,) = (entity["fields"] for entity in MODEL["entities"] if entity["name"] == "SharingPolicy")


def faults(fields: list[dict[str, Any]], value: dict[str, Any], where: str = "") -> list[str]:
    """Where an object departs from a list of fields of the model."""
    found = [f"{where}{name}: unknown" for name in value.keys() - {field["name"] for field in fields} - {EXTENSION}]
    for field in fields:
        least, most = field["cardinality"].split("..")
        name = where + field["name"]
        if field["name"] not in value:
            found += [f"{name}: missing"] if least == "1" else []
            continue
        held = value[field["name"]]
        if isinstance(held, list) != (most == "*"):
            found.append(f"{name}: not {field['cardinality']}")
            continue
        each = held if isinstance(held, list) else [held]
        if len(each) < int(least):
            found.append(f"{name}: empty")
        for one in each:
            if "children" in field:
                found += faults(field["children"], one, f"{name}.")
            elif not isinstance(one, str) or not one:
                found.append(f"{name}: no text")
    return found


def meaning(text: Agreement) -> Agreement:
    """Everything but which bytes said it."""
    return replace(text, sha256="")


def imported(policy: dict[str, Any], version: str = "1") -> Agreement:
    return import_policy(json.dumps(policy).encode(), where="policy.json", version=version).agreement


def exported(text: Agreement) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(export_policy(text))
    return policy


@pytest.mark.parametrize("name", AGREEMENTS)
def test_what_is_exported_has_the_fields_of_the_model_and_one_extension(name: str) -> None:
    policy = exported(agreement(name))
    assert faults(FIELDS, policy) == []
    assert set(policy) - {field["name"] for field in FIELDS} == {EXTENSION}
    assert policy[EXTENSION]["AgreementSha256"] == agreement(name).sha256


def test_the_model_is_strict_enough_to_notice() -> None:
    policy = exported(agreement("all-sorts"))
    del policy["Contact"]
    broken = {**policy, "Purpose": [], "Data": "text", "Party": [{"Name": "A"}], "Odd": 1}
    assert faults(FIELDS, broken) == [
        "Odd: unknown",
        "Contact: missing",
        "Party.CatalogueID: missing",
        "Data: not 1..*",
        "Purpose: empty",
    ]


@pytest.mark.parametrize("name", AGREEMENTS)
def test_exported_and_imported_it_means_the_same(name: str) -> None:
    assert meaning(imported(exported(agreement(name)))) == meaning(agreement(name))


def test_any_agreement_comes_back_with_its_meaning() -> None:
    chance = random.Random(7)  # noqa: S311 - a draw that can be drawn again
    for _ in range(100):
        drawn = read_agreement(toml_text(some_agreement(chance)).encode(), "drawn.toml")
        assert meaning(imported(exported(drawn))) == meaning(drawn)


def test_texts_that_json_and_toml_write_differently_come_back() -> None:
    odd = 'quote " back\\slash \x7f \u2028 tab\t line\n 😀 é ['
    small = agreed(rule("coordination"), name=odd, data=[odd, "]"])
    assert meaning(imported(exported(small))) == meaning(small)


def test_an_import_is_a_new_text_and_names_the_one_exported() -> None:
    original = agreement("children-and-families")
    again = import_policy(export_policy(original), where="policy.json", version="9")
    assert again.has_rules
    assert again.of_sha256 == original.sha256
    assert again.agreement.sha256 != original.sha256
    assert again.agreement.version == original.version


def test_without_the_extension_there_are_no_rules_and_the_version_is_the_importers() -> None:
    policy = exported(agreement("children-and-families"))
    del policy[EXTENSION]
    bare = import_policy(json.dumps(policy).encode(), where="policy.json", version="2026-draft")
    assert not bare.has_rules
    assert bare.agreement.rules == ()
    assert bare.agreement.version == "2026-draft"
    assert bare.of_sha256 is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"URI": None}, "policy.json: URI: must be a text"),
        ({"Identifier": "x"}, "policy.json: Identifier: must be an object"),
        ({"Identifier": {"value": "x"}}, "policy.json: Identifier: System: must be a text"),
        ({"Party": {}}, "policy.json: Party: must be a list of objects"),
        ({"Party": []}, "policy.json: party: must be 1 to 200 tables"),
        ({"Party": [{"Name": "A", "CatalogueID": []}]}, "policy.json: Party: CatalogueID: must be a list of texts"),
        ({"StartDate": "soon"}, "policy.json: StartDate: must be a date"),
        ({"EndDate": "2020-01-01"}, "policy.json: end_date is before start_date"),
        ({"Purpose": ["Section 47"]}, "policy.json: purpose: must be some of COC"),
        ({"PermittedUse": [1]}, "policy.json: PermittedUse: must be a list of texts"),
        ({"Rules": []}, "policy.json: 'Rules' is no field"),
        ({EXTENSION: []}, f"policy.json: {EXTENSION}: must be an object"),
        ({EXTENSION: {"Version": "1", "AgreementSha256": "x"}}, f"policy.json: {EXTENSION}: Rules: must be a list"),
        (
            {EXTENSION: {"Version": "1", "AgreementSha256": "x", "Rules": [{"id": None}]}},
            f"{EXTENSION}: Rules: a value that no rule can have",
        ),
        (
            {EXTENSION: {"Version": "1", "AgreementSha256": "x", "Rules": [{"id": {"a": "b"}}]}},
            f"{EXTENSION}: Rules: a value that no rule can have",
        ),
        (
            {EXTENSION: {"Version": "1", "AgreementSha256": "x", "Rules": [{"id": "x", "effect": "permit"}]}},
            "policy.json: rule x: purposes: missing",
        ),
    ],
)
def test_a_bad_policy_is_refused_naming_file_and_field(changed: dict[str, Any], said: str) -> None:
    policy = {**exported(agreement("all-sorts")), **changed}
    with pytest.raises(ConfigurationError) as refused:
        imported(policy)
    assert said in str(refused.value)


def test_a_rule_of_the_extension_is_read_as_strictly_as_the_toml() -> None:
    policy = exported(agreement("all-sorts"))
    policy[EXTENSION]["Rules"][0]["mood"] = "bad"
    with pytest.raises(ConfigurationError, match="rule coordination: mood: unknown key"):
        imported(policy)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"URI": "a", "URI": "b"}', b"\xff", b"{" + b" " * 300_000 + b"}"])
def test_hostile_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"^policy\.json: "):
        import_policy(data, where="policy.json", version="1")


def test_an_agreement_without_rules_discloses_nothing() -> None:
    assert agreed(rule=[]).rules == ()
