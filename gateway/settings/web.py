"""The `[web]` table: the pages that this agency's own people use. Without it a node has no pages (docs/pages.md)."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from gateway.settings.mail import MailTable
from gateway.settings.values import Listen, ShortText, Table, TlsSettings, allowed_url, is_loopback

RoleName = Literal["practitioner", "manager", "governance", "administrator", "auditor"]


class OidcTable(Table):
    """The `[web.oidc]` table: the agency's own directory signs people in (OpenID Connect Core 1.0)."""

    issuer: Annotated[str, Field(max_length=500)]  # as the provider writes it, to the letter
    client_id: ShortText
    client_secret_file: Path
    role_claim: ShortText  # a claim of the ID token, or a path of such with dots between
    roles: Annotated[dict[ShortText, RoleName], Field(min_length=1, max_length=200)]  # by value of that claim
    mfa_values: Annotated[tuple[ShortText, ...], Field(max_length=20)] = ()  # of `amr` or `acr`; no others count as mfa
    scopes: Annotated[tuple[ShortText, ...], Field(max_length=20)] = ("profile", "email")  # besides `openid`
    label: ShortText | None = None  # what people call the directory
    login_claim: ShortText | None = None
    job_claim: ShortText | None = None  # what somebody is at the agency; without it they are called by a role

    @model_validator(mode="after")
    def _consistent(self) -> "OidcTable":
        allowed_url(self.issuer, plain_http="loopback only")
        parts = urlsplit(self.issuer)
        if not parts.hostname or parts.username or parts.query or parts.fragment:
            raise ValueError("issuer: scheme, host and path alone, as in https://id.example.org/agency")
        return self


class WebTable(Table):
    """Where the pages listen, under which address people know them, and how long somebody stays signed in."""

    listen: Listen = ("127.0.0.1", 8480)
    # As it stands in the browser: cookies, links in mails, other sites' posts.
    url: Annotated[str, Field(max_length=200)]
    tls: TlsSettings | None = None
    behind_proxy: bool = False  # the last entry of X-Forwarded-For is who asks: a proxy of ours has written it
    idle_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 30
    absolute_hours: Annotated[int, Field(ge=1, le=24)] = 12
    languages: Annotated[tuple[Literal["en", "cy"], ...], Field(min_length=1, max_length=2)] = ("en", "cy")
    # Then people are asked: do you still work with them?
    confirm_after_days: Annotated[int, Field(ge=1, le=3650)] = 180
    oidc: OidcTable | None = None
    small_numbers: Annotated[int, Field(ge=3, le=100)] = 5  # figures below it are withheld
    mail: MailTable | None = None  # without it nobody is told by email
    demo: bool = False  # says on every page that all people in it are invented

    @property
    def secure(self) -> bool:
        """Whether browsers reach the pages through TLS, ours or a proxy's."""
        return self.url.startswith("https://")

    @model_validator(mode="after")
    def _consistent(self) -> "WebTable":
        allowed_url(self.url, plain_http="loopback only")
        parts = urlsplit(self.url)
        if not parts.hostname or parts.username or self.url != f"{parts.scheme}://{parts.netloc}".lower():
            raise ValueError("url: scheme, host and port alone, in lower case, as in https://patchwork.example.org")
        if self.demo and not (is_loopback(self.url) and is_loopback(f"http://{_bracketed(self.listen[0])}")):
            raise ValueError("demo: only where `listen` and `url` are this machine alone")
        if len(set(self.languages)) != len(self.languages):
            raise ValueError("languages: one is there twice")
        return self


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
