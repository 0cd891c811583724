"""Breaking the glass from a terminal: a reason, in a code and in words, and consequences that somebody types yes to.

A command cannot ask for the password of the operating system, so this is no sign-in: the question says, as always, that
its asker is known by `operating-system`, and an agreement may want more.
"""

import typer

from gateway.cli.options import words
from gateway.cli.wrapped import say
from gateway.errors import InputError
from gateway.node.question import BreakGlass
from mappings.vocabulary import BreakGlassReason

CONSEQUENCES = """\
You are about to break the glass. This goes on record under your name, here and at every agency that is asked and \
knows the client. An officer of each, and of your own agency, looks into it and has to write down what they find. \
The client can see it in an access report."""


def read_break_glass(code: str, reason: str) -> BreakGlass | None:
    """What the options say, None if nothing; raises InputError. `-` asks for the words."""
    if not code:
        if reason:
            raise InputError("--reason goes with --break-glass")
        return None
    try:
        known = BreakGlassReason(code)
    except ValueError:
        raise InputError(f"the reason for break-glass is one of {', '.join(BreakGlassReason)}") from None
    if reason == "-":  # what is typed on a command line, every user of this machine can read in its list of processes
        reason = typer.prompt("Why, in words", err=True)
    if not reason.strip():
        raise InputError("say with --reason, in words, why the glass must be broken")
    return BreakGlass(reason=known, words=words(reason, "--reason"))


def confirm(broken: BreakGlass) -> None:
    """Go on only if somebody types the code of the reason once more; raises InputError."""
    say(CONSEQUENCES, err=True)
    try:
        typed = typer.prompt(f"Type {broken.reason} to go on", err=True)
    except typer.Abort:
        typer.echo(err=True)
        raise InputError("nobody has confirmed it: nothing was asked") from None
    if typed.strip() != broken.reason:
        raise InputError("not confirmed: nothing was asked")
