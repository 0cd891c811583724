"""What `[web.oidc]` may say, and how the claims of a token become a person."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.accounts.account import Role
from gateway.accounts.directory import read_person
from gateway.accounts.oidc import read_secret
from gateway.errors import ConfigurationError
from gateway.settings import OidcTable
from mappings.vocabulary import AuthMethod

DOCUMENT = Path(__file__).parents[3] / "docs" / "pages.md"
TABLE: dict[str, Any] = {
    "issuer": "https://id.example.org",
    "client_id": "patchwork",
    "client_secret_file": "secret",
    "role_claim": "groups",
    "roles": {"staff": "practitioner"},
}


def table(**more: Any) -> OidcTable:
    return OidcTable.model_validate(TABLE | more)


def test_the_table_in_the_documentation_is_one() -> None:
    (example,) = re.findall(r"```toml\n(\[web\.oidc\].*?)```", DOCUMENT.read_text(), re.DOTALL)
    documented = OidcTable.model_validate(tomllib.loads(example)["web"]["oidc"])
    claims = {"sub": "1", "name": "Wendy Smith", "realm_access": {"roles": ["patchwork-managers", "offline_access"]}}
    person = read_person(claims | {"acr": "mfa"}, documented)
    assert person.roles == {Role.MANAGER}
    assert (person.job_role, person.method) == ("Manager", AuthMethod.MFA)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://id.example.org"},
        {"issuer": "https://id.example.org/?tenant=a"},
        {"issuer": "https://someone@id.example.org"},
        {"issuer": "id.example.org"},
        {"roles": {"staff": "owner"}},
        {"roles": {}},
        {"client_secret": "here"},
    ],
)
def test_a_directory_that_could_be_listened_to_or_gives_no_roles_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        table(**wrong)


def test_plain_http_is_allowed_on_this_machine() -> None:
    assert table(issuer="http://127.0.0.1:9000").issuer == "http://127.0.0.1:9000"


def test_a_claim_whose_own_name_has_dots_comes_before_a_path() -> None:
    named = table(role_claim="https://example.org/roles", roles={"a": "manager"})
    assert read_person({"sub": "1", "https://example.org/roles": "a"}, named).roles == {Role.MANAGER}
    path = table(role_claim="x.roles")
    assert not read_person({"sub": "1", "x": [{"roles": "staff"}]}, path).roles
    assert not read_person({"sub": "1", "x": "staff"}, path).roles


def test_without_mfa_values_nothing_counts_as_two_factors() -> None:
    assert read_person({"sub": "1", "amr": ["mfa", "hwk"], "acr": "mfa"}, table()).method == AuthMethod.PASSWORD


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": " Wendy \n Smith "}, "Wendy Smith"),
        ({"given_name": "Wendy", "family_name": "Smith"}, "Wendy Smith"),
        ({"preferred_username": "wsmith"}, "wsmith"),
        ({"email": "wendy@example.org"}, "wendy@example.org"),
        ({"name": ["Wendy"]}, "?"),
    ],
)
def test_somebody_has_the_best_name_that_the_directory_tells(claims: dict[str, Any], name: str) -> None:
    assert read_person({"sub": "1"} | claims, table()).name == name


def test_a_secret_that_others_may_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the client\n")
    secret.chmod(0o644)
    with pytest.raises(ConfigurationError, match="0600"):
        read_secret(secret)
    secret.chmod(0o600)
    assert read_secret(secret) == "of the client"
    secret.write_text(" \n")
    with pytest.raises(ConfigurationError, match="holds no client secret"):
        read_secret(secret)
