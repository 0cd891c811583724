"""A field of a form for a phone number or an email address: what is stored can be called or written to."""

from gateway.web.contact_links import way
from gateway.web.forms import Form
from gateway.web.words import gettext as _
from mappings.model import MAX_TEXT


def contact_value(form: Form, field: str, system: str) -> str:
    """What was typed; "" if nothing was, or if it cannot be called or written to, which the form then says."""
    value = form.line(field, max_length=MAX_TEXT)
    if not value or way(system, value).href:
        return value
    wrong = (
        _("Enter an email address, like name@example.org")
        if system == "email"
        else _("Enter a phone number, like 01632 960 001 or 07700 900 982")
    )
    form.wrong(field, wrong)
    return ""
