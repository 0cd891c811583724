"""Doors: whether the process listens and would answer, and whether the pages are there."""

from dataclasses import dataclass

from gateway.doctor.finding import Finding, soon, well, wrong

_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorFacts:
    """`address` as configured. `problem`: why nothing was heard; `status` and `code` of `GET /v1/ready` otherwise."""

    address: str
    problem: str = ""
    status: int = 0
    code: str = ""


def check_door(facts: DoorFacts, *, who: str, start: str) -> list[Finding]:
    """`who` (node, hub) is looked at where it listens; `start` is the command that runs it."""
    check = "door"
    if facts.problem:
        return [wrong(check, f"no {who} is serving at {facts.address} ({facts.problem})", f"`{start}`")]
    if facts.status != _OK:
        what = f"the {who} at {facts.address} is up and would not answer: {facts.code or facts.status}"
        return [wrong(check, what, "the other findings here say why; if none does, its log does")]
    return [well(check, f"the {who} at {facts.address} is serving")]


def check_pages(facts: DoorFacts, start: str) -> list[Finding]:
    """Pages answer something; a proxy before them is not looked at."""
    if facts.problem:
        return [wrong("pages", f"no pages are served at {facts.address} ({facts.problem})", f"`{start}`")]
    return [well("pages", f"pages are served at {facts.address}")]


def check_hub_reach(address: str, problem: str, *, another: bool) -> list[Finding]:
    """Whether a node gets a document that the operator signed from this hub; `another`: it does from another."""
    if problem:
        what = f"the hub at {address} gives no federation document that this node believes: {problem}"
        do = "check `hubs` and the network; then ask the hub's operator to run this command there"
        if another:
            return [soon("hub", f"{what}; questions go to another", do)]
        return [wrong("hub", what, do)]
    return [well("hub", f"the hub at {address} answers")]
