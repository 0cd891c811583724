"""The `[web.mail]` table: the mail server through which the pages tell people that something changed."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway.settings.values import ShortText, Table, is_loopback

# One address as it stands on an envelope (RFC 5321): what a form or a header could be broken with is not in it. Unlike
# what the register takes (mappings/convert.py) its domain may be a name of this network: a mail server knows those.
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}", re.ASCII)
MAX_ADDRESS = 254


def is_address(text: str) -> bool:
    """Whether a mail can be sent there."""
    return len(text) <= MAX_ADDRESS and ADDRESS.fullmatch(text) is not None


class MailTable(Table):
    """Where mail goes. `security` none is for this machine's own mail server alone.

    `ca_file`: certificates to trust beside those of the system, for a private authority. `delay_s`: a mail leaves after
    a time at random up to this, so that nobody can tell from it when something happened.
    """

    host: ShortText
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    sender: ShortText
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: ShortText | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    delay_s: Annotated[int, Field(ge=0, le=3600)] = 120

    @model_validator(mode="after")
    def _consistent(self) -> "MailTable":
        if not is_address(self.sender):
            raise ValueError("mail.sender: must be one address, as in patchwork@example.org")
        if self.security == "none" and not is_loopback(f"http://{self.host}"):
            raise ValueError("mail.security: none only to a mail server on this machine")
        if (self.user is None) != (self.password_file is None):
            raise ValueError("mail: `user` and `password_file` go together")
        return self
