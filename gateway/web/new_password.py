"""A new password as somebody chose it: what is asked of it, in words, wherever one is set (docs/pages.md)."""

from gateway.accounts.account import Account
from gateway.accounts.passwords import MIN_LENGTH, is_guessable, is_long_enough
from gateway.web.forms import Form
from gateway.web.words import gettext as _

FIELD = "new-password"


def read_new_password(form: Form, account: Account) -> str:
    """What was typed; says on the form what is wrong with it."""
    password = form.raw(FIELD)
    if not password:
        form.wrong(FIELD, _("Enter a new password"))
    elif not is_long_enough(password):
        form.wrong(
            FIELD, _("Your password must be %(least)s characters or more, and no more than 200") % {"least": MIN_LENGTH}
        )
    elif is_guessable(password, account.login or "", account.name):
        form.wrong(FIELD, _("This password is easy to guess. Three words that have nothing to do with you are better."))
    return password
