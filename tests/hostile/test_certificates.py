"""Everything over TLS with a private authority; certificates expire while the federation runs."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.errors import HubError
from gateway.links import dial
from gateway.node.results import MemberOutcome
from gateway.wire.join import sign_join
from tests.certificates import certificate_files
from tests.federation import NAME, TestFederation, federation, someone
from tests.hostile.settings import change
from tests.hostile.until import until

ASKER, AGENCY, OTHER, DIALS = "childrens-services", "housing", "police", "food-bank"
TEAMS, UNREACHABLE = MemberOutcome.TEAMS, MemberOutcome.UNREACHABLE
TRUSTED = "authorities.pem"
SERVED = {"hub": "hub.toml", AGENCY: "node.toml"}


@pytest.fixture
async def north(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestFederation]:
    """Hub and AGENCY listen with TLS, DIALS dials, all trust two authorities: for good certificates and for expired."""
    monkeypatch.setattr(dial, "FIRST_WAIT_S", 0.05)
    async with federation(tmp_path, [ASKER, AGENCY, OTHER, DIALS], dialling=[DIALS]) as running:
        for member in (AGENCY, OTHER, DIALS):
            await running.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        good, expired = (
            certificate_files(tmp_path, name_of_files=name, days=days)[0]
            for name, days in (("good", 1), ("expired", -1))
        )
        (tmp_path / TRUSTED).write_bytes(good.read_bytes() + expired.read_bytes())
        await everything_over_tls(running)
        yield running


async def everything_over_tls(north: TestFederation) -> None:
    me = north.nodes[AGENCY].parts.me
    at = replace(north.operator.document.members[AGENCY], endpoint=f"https://127.0.0.1:{north.ports[AGENCY]}")
    moved = sign_join(at, me.signing_key, federation=NAME, now=north.clock.now())
    await north.publish(lambda operator: operator.update(moved, north.clock.now()))
    for party, file in SERVED.items():
        present(north, party, "good")
        tls = f'certificate = "../{party}.pem"\nkey = "../{party}.key"\n'
        home = north.folder / party / file
        if party == "hub":
            home.write_text(f'{home.read_text()}ca_file = "../{TRUSTED}"\n[hub.tls]\n{tls}')
        else:
            change(home, "[[federation]]", f"[node.tls]\n{tls}[[federation]]")
    for member in (ASKER, AGENCY, OTHER, DIALS):
        settings = north.folder / member / "node.toml"
        change(settings, f'hubs = ["http://127.0.0.1:{north.ports["hub"]}"]', _over_tls(north))
    await north.restart_hub()
    for member in (ASKER, AGENCY, OTHER, DIALS):
        await restart(north, member)
    await north.refresh()


def _over_tls(north: TestFederation) -> str:
    return f'hubs = ["https://127.0.0.1:{north.ports["hub"]}"]\nca_file = "../{TRUSTED}"'


def present(north: TestFederation, party: str, name: str) -> None:
    """From its next start the party shows this certificate."""
    for kind in ("pem", "key"):
        (north.folder / f"{party}.{kind}").write_bytes((north.folder / f"{name}.{kind}").read_bytes())


async def restart(north: TestFederation, member: str) -> None:
    await north.stop(member)
    await north.start(member)


async def ask(north: TestFederation) -> dict[str, MemberOutcome]:
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    assert completed.coverage_agrees
    return {each.member.id: each.outcome for each in completed.results}


def codes(caplog: pytest.LogCaptureFixture) -> set[str]:
    """Why links to the hub have ended, or could not be opened."""
    events = [record for record in caplog.records if record.getMessage() == "hub_link.closed"]
    return {vars(event)["event_fields"]["code"] for event in events}


async def test_an_expired_certificate_is_trusted_by_nobody_and_the_next_one_at_once(
    north: TestFederation, caplog: pytest.LogCaptureFixture
) -> None:
    all_answer = {AGENCY: TEAMS, OTHER: TEAMS, DIALS: TEAMS}
    assert await ask(north) == all_answer

    present(north, AGENCY, "expired")
    await restart(north, AGENCY)
    assert await ask(north) == {**all_answer, AGENCY: UNREACHABLE}
    present(north, AGENCY, "good")
    await restart(north, AGENCY)
    assert await ask(north) == all_answer
    assert len(await north.ledger(AGENCY)) == 2, "nothing was sent to whom nobody could prove"

    present(north, "hub", "expired")
    await north.restart_hub()
    await until(lambda: "ClientConnectorCertificateError" in codes(caplog))  # DIALS dials again, and says what it sees
    assert not north.hub.links.holds(DIALS)
    with pytest.raises(HubError, match="Certificate"):
        await north.refresh(ASKER)
    with pytest.raises(HubError, match="Certificate"):
        await ask(north)
    present(north, "hub", "good")
    await north.restart_hub()
    await north.linked(DIALS)
    assert await ask(north) == all_answer
    assert len(await north.ledger(AGENCY)) == 3
    assert len(await north.ledger(DIALS)) == 4
