"""The judges refuse what is broken, and agree with HL7's verdicts on its own examples."""

import json

import pytest

from tests.fhir.check_bundle import check_bundle, check_resource
from tests.fhir.validators import VECTORS, Json, Medplum, json_files, model_errors, verdicts

BROKEN: dict[str, dict[str, str]] = json.loads((VECTORS / "broken.json").read_text(encoding="utf-8"))

# What our own check says of the examples; all others are without findings. HL7's Java validator refuses the same files
# but two: it lets a searchset do without search.mode, and a fullUrl differ from the id that it ends with.
FINDINGS = {
    "bundle-duplicate-id.json": {"full-url-not-absolute"},
    "bundle-id-search-1.json": {"search-mode"},
    "bundle-id-search-2.json": {"link-repeated"},
    "bundle-id-search-3.json": {"match-without-id", "match-of-other-type"},
    "bundle-id-search-4.json": {"search-mode-of-other-type", "match-without-id"},
    "bundle-with-contained.json": {"full-url-disagrees-with-id"},
    "FAIL-organization-ods-without-value.json": {"identifier-without-value"},
    "FAIL-organization-two-ods-codes.json": {"identifier-repeated"},
    "FAIL-patient-two-nhs-numbers.json": {"identifier-repeated"},
}


def _read(folder: str, name: str) -> Json:
    resource: Json = json.loads((VECTORS / folder / name).read_bytes())
    return resource


@pytest.mark.parametrize("name", BROKEN)
def test_broken_bundle_is_refused_for_its_fault(name: str, medplum: Medplum) -> None:
    expected = BROKEN[name]
    findings = verdicts(_read("broken", name), medplum)[expected["judge"]]
    assert any(expected["reason"] in finding for finding in findings), findings


def test_every_broken_file_has_its_reason() -> None:
    assert {path.name for path in json_files(VECTORS / "broken")} == set(BROKEN)


@pytest.mark.parametrize("folder", ["r4-examples", "ukcore"])
def test_examples_are_judged_as_their_makers_do(folder: str, medplum: Medplum) -> None:
    for path in json_files(VECTORS / folder):
        resource = _read(folder, path.name)
        is_bundle = resource["resourceType"] == "Bundle"
        findings = check_bundle(resource, closed=False) if is_bundle else check_resource(resource)
        assert {finding.split(" at ")[0] for finding in findings} == FINDINGS.get(path.name, set()), path.name
        assert medplum.errors(resource) == [], path.name
        assert model_errors(resource) == [], path.name


def test_references_of_a_complete_bundle_with_server_addresses_resolve() -> None:
    assert check_bundle(_read("ukcore", "bundle-searchset.json"), closed=True) == []
