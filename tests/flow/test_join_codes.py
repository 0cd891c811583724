"""Join codes as somebody at a keyboard meets them: those that come to nothing say why, and leave nothing behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.app import admitted, serve_node
from gateway.app.admitted import with_member
from gateway.app.hub import RunningHub, open_hub
from gateway.cli.node_join import free_id
from gateway.cli.open_codes import open_codes, remember_code
from gateway.clock import SystemClock
from gateway.demo.servers import free_ports
from gateway.errors import ConfigurationError
from gateway.node import membership
from gateway.settings import load_hub, load_node
from gateway.wire.federation import Member, MemberKey
from gateway.wire.invitation import read_code, sign_invitation
from gateway.wire.join import sign_join
from gateway.wire.join_code import Joining, waiting_json
from gateway.wire.keys import LedgerKey, SigningKey, fingerprint
from gateway.wire.operator import Operator, init_operator, open_operator
from mappings.vocabulary import OrganisationType, Sector
from tests.certificates import certificate_files
from tests.federation import federation
from tests.flow.commands import Ran, in_process

DAY = 86_400
CLOCK = SystemClock()


def made(folder: Path, name: str, port: int) -> Path:
    """A hub's folder and its operator's, by their commands."""
    in_process("hub", "init", str(folder / "hub"))
    operator = folder / "operator"
    in_process("federation", "init", name, "--hub-key", str(folder / "hub/hub.jwk"), "--folder", str(operator))
    settings = folder / "hub" / "hub.toml"
    settings.write_text(settings.read_text().replace("127.0.0.1:8400", f"127.0.0.1:{port}"))
    publish(folder)
    return operator


def publish(folder: Path) -> None:
    for file in ("operator.jwk", "federation.jws"):
        (folder / "hub" / file).write_bytes((folder / "operator" / file).read_bytes())


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[RunningHub]:
    hub = await open_hub(load_hub(folder / "hub" / "hub.toml"), clock=CLOCK)
    try:
        yield hub
    finally:
        await hub.close()


def code_of(operator: Operator, hub: str, **changed: Any) -> str:
    given: dict[str, Any] = {
        "hubs": (hub,),
        "organisation_type": OrganisationType.VOLUNTARY,
        "sector": Sector.VOLUNTARY,
        "now": CLOCK.now(),
        "lifetime_s": DAY,
    }
    return sign_invitation(operator.document, operator.key, **given | changed).token


async def init(folder: Path, code: str, *more: str, name: str = "Anytown Food Bank") -> Ran:
    """`patchwork node init` beside a hub that runs in this loop."""
    return await asyncio.to_thread(in_process, "node", "init", str(folder), "--join", code, "--name", name, *more)


async def test_code_that_cannot_be_used_says_what_to_do_and_leaves_nothing(tmp_path: Path) -> None:
    ports = free_ports({"hub": 0, "other": 0, "nobody": 0})
    hub, other = f"http://127.0.0.1:{ports['hub']}", f"http://127.0.0.1:{ports['other']}"
    operator = open_operator(await asyncio.to_thread(made, tmp_path / "orchard", "orchard", ports["hub"]))
    await asyncio.to_thread(made, tmp_path / "lakeside", "lakeside", ports["other"])
    namesake = init_operator(tmp_path / "namesake", name="orchard", hub_key=operator.key.verify_key(), now=CLOCK.now())
    good = code_of(operator, hub)
    async with serving(tmp_path / "orchard"), serving(tmp_path / "lakeside"):
        for code, said in (
            ("hello", "this is no join code, or a part of it is missing"),
            (good[:-20], "this is no join code, or a part of it is missing"),
            ("A" * 20_000, "this is no join code, or a part of it is missing"),
            (
                code_of(operator, hub, now=CLOCK.now() - 3 * DAY),
                "this join code has ended: ask the operator for a new one",
            ),
            (code_of(operator, hub, now=CLOCK.now() + DAY), "is this machine's clock right?"),
            (code_of(operator, f"http://127.0.0.1:{ports['nobody']}"), "cannot be reached"),
            # The hub of another federation; one whose document another operator has signed.
            (code_of(operator, other), "serves no member list that the operator of this code has signed"),
            (code_of(namesake, hub), "serves no member list that the operator of this code has signed"),
        ):
            ran = await init(tmp_path / "node", code)
            assert ran.code == 1
            assert said in ran.err
            assert not (tmp_path / "node").exists()
        for name in ("Food\u202ebank", 'Food" bank', "Food\nbank", "Food\x1bbank", "x" * 201):
            ran = await init(tmp_path / "node", good, name=name)
            assert "names and addresses" in ran.err
            assert not (tmp_path / "node").exists()
        for option in (("--type", "police-force"), ("--hub", hub), ("--federation", "orchard")):
            assert "the join code says that already" in (await init(tmp_path / "node", good, *option)).err
        # A code of one's own operator is good for one key, here too: and for that one again, as after a breakdown.
        assert (await init(tmp_path / "node", good)).code == 0
        (tmp_path / "node" / "node.toml").unlink()
        assert (await init(tmp_path / "node", good)).code == 0
        again = await init(tmp_path / "node", good)
        assert f"What comes next: patchwork node serve --config {tmp_path / 'node' / 'node.toml'}" in again.err
        ran = await init(tmp_path / "thief", good)
        assert "this join code has been used, with other keys than those here" in ran.err
        assert not (tmp_path / "thief" / "node.toml").exists()


async def test_the_agency_has_the_name_that_the_operator_wrote_into_the_code(tmp_path: Path) -> None:
    port = free_ports({"hub": 0})["hub"]
    operator = open_operator(await asyncio.to_thread(made, tmp_path, "orchard", port))
    hub, node = f"http://127.0.0.1:{port}", str(tmp_path / "node")
    async with serving(tmp_path):
        nameless = ("node", "init", node, "--join", code_of(operator, hub))
        assert "--name is missing" in (await asyncio.to_thread(in_process, *nameless)).err
        named = ("node", "init", node, "--join", code_of(operator, hub, name="Foodbank Northshire"))
        told = (await asyncio.to_thread(in_process, *named)).out
    assert "Node foodbank-northshire is ready" in told


async def test_operator_without_a_network_reads_what_waits_from_a_file(tmp_path: Path) -> None:
    ports = free_ports({"hub": 0, "nobody": 0})
    operator = await asyncio.to_thread(made, tmp_path, "orchard", ports["hub"])
    at = ("--folder", str(operator))
    hubs = (f"http://127.0.0.1:{ports[hub]}" for hub in ("nobody", "hub"))
    async with serving(tmp_path):
        code = in_process("federation", "invite", *at, *(part for hub in hubs for part in ("--hub", hub))).out
        assert (await init(tmp_path / "node", code)).code == 0
        asked = await asyncio.to_thread(in_process, "federation", "joins", *at)
        assert "Anytown Food Bank" in asked.out
        assert f"Not asked: the hub at http://127.0.0.1:{ports['nobody']} cannot be reached" in asked.err
    assert "cannot be reached" in (await asyncio.to_thread(in_process, "federation", "joins", *at)).err
    listed = tmp_path / "joins.json"
    config = ("--config", str(tmp_path / "hub" / "hub.toml"))
    assert in_process("hub", "joins", *config, "--output", str(listed)).out.startswith("1 waiting")
    told = in_process("federation", "joins", "--from", str(listed), *at).out
    assert "Anytown Food Bank (anytown-food-bank)" in told
    digits = "".join(told.partition("Key ")[2].splitlines()[0].split())
    from_file = ("--from", str(listed), *at, "--yes")
    for wrong in (digits[:15], "0" * 64, digits + "0", "f" * 16, "anytown-food-bank"):
        assert in_process("federation", "admit", wrong, *from_file).code == 1
    for taken in ("police-force", "Food Bank", "hub", "operator"):
        assert in_process("federation", "admit", digits, "--as", taken, *from_file).code == 1
    assert not open_operator(operator).document.members
    assert in_process("federation", "admit", digits.upper(), *from_file).code == 0
    assert set(open_operator(operator).document.members) == {"anytown-food-bank"}
    assert "no request to join has this fingerprint" in in_process("federation", "admit", digits, *from_file).err
    publish(tmp_path)
    assert in_process("hub", "joins", *config, "--output", str(listed)).out.startswith("0 waiting")


async def test_operator_sees_when_one_code_has_brought_two_keys_and_what_a_hub_has_made_up(tmp_path: Path) -> None:
    """As when two hubs were asked, by the one who was meant and by one who has read the mail; or when a hub lies."""
    ports = free_ports({"hub": 0, "other": 0})
    operator = await asyncio.to_thread(made, tmp_path, "orchard", ports["hub"])
    at = ("--folder", str(operator))
    invitation = code_of(open_operator(operator), "https://hub.example.org", name="the food bank")
    stranger = init_operator(
        tmp_path / "stranger", name="orchard", hub_key=open_operator(operator).key.verify_key(), now=CLOCK.now()
    )
    asking = [join_request(name) for name in ("Anytown Food Bank", "Anytown Foodbank", "Made Up")]
    by = (invitation, invitation, code_of(stranger, "https://hub.example.org"))
    waiting = [
        Joining(invitation=each, request=request, received_at=1_790_000_000)
        for each, request in zip(by, asking, strict=True)
    ]
    (tmp_path / "joins.json").write_bytes(waiting_json(waiting))
    told = in_process("federation", "joins", "--from", str(tmp_path / "joins.json"), *at)
    assert told.out.count("ANOTHER KEY CAME BY THE SAME INVITATION") == 2
    assert "Made Up" not in told.out
    assert "1 more that do not hold, or are over, are left out" in told.err
    (tmp_path / "joins.json").write_bytes(b'{"joins":[{"received_at":1}]}')
    told = in_process("federation", "joins", "--from", str(tmp_path / "joins.json"), *at)
    assert "not a list of requests to join" in told.err


def test_operator_who_takes_the_next_key_is_told_which_codes_end_with_the_old_one(tmp_path: Path) -> None:
    folder = made(tmp_path, "orchard", 8400)
    at = ("--folder", str(folder))
    for name in ("the food bank", "the night shelter"):
        in_process("federation", "invite", "--name", name, "--hub", "https://hub.example.org", *at)
    code = code_of(open_operator(folder), "https://hub.example.org", name="last month's", now=CLOCK.now() - 3 * DAY)
    remember_code(folder, read_code(code, CLOCK.now() - 3 * DAY), CLOCK.now())  # it has ended by itself
    open_operator(folder).hand_over(CLOCK.now() - 2 * DAY, overlap_s=DAY)
    refused = in_process("federation", "take-over", *at)  # nobody is there to answer
    assert refused.code == 1
    ran = in_process("federation", "take-over", "--yes", *at)
    for told in (refused.out, ran.out):
        assert "Join codes end with the key that signed them" in told
        assert "the food bank" in told
        assert "the night shelter" in told
        assert "last month's" not in told
    assert open_codes(folder, CLOCK.now()) == []


async def test_key_that_was_replaced_as_stolen_waits_no_longer_and_is_not_admitted(tmp_path: Path) -> None:
    operator = await asyncio.to_thread(made, tmp_path, "orchard", free_ports({"hub": 0})["hub"])
    stolen = SigningKey.generate()
    joining = Joining(
        invitation=code_of(open_operator(operator), "https://hub.example.org"),
        request=join_request("Anytown Food Bank", stolen),
        received_at=1_790_000_000,
    )
    (tmp_path / "joins.json").write_bytes(waiting_json([joining]))
    (tmp_path / "anew.jws").write_text(join_request("Anytown Food Bank"))
    at = ("--folder", str(operator))
    admit = ("admit", fingerprint(stolen.public_jwk()), "--from", str(tmp_path / "joins.json"), "--yes", *at)
    assert in_process("federation", *admit).code == 0
    assert in_process("federation", "update", str(tmp_path / "anew.jws"), "--yes", *at).code == 0
    told = in_process("federation", "joins", "--from", str(tmp_path / "joins.json"), *at)
    assert told.out == "Nobody asks to join.\n"
    assert in_process("federation", *admit, "--as", "food-bank-2").code == 1
    (tmp_path / "again.jws").write_text(joining.request)
    for typed in (
        ("admit", str(tmp_path / "again.jws"), "--as", "food-bank-2"),
        ("update", str(tmp_path / "again.jws")),
    ):
        assert "listed before, of food-bank" in in_process("federation", *typed, "--yes", *at).err
    assert set(open_operator(operator).document.members) == {"food-bank"}


def join_request(name: str, key: SigningKey | None = None) -> str:
    key = key or SigningKey.generate()
    now = int(CLOCK.now())
    wished = Member(
        id="food-bank",
        identifier=(),
        name=name,
        type=OrganisationType.VOLUNTARY,
        sector=Sector.VOLUNTARY,
        status="active",
        keys=(MemberKey(key=key.verify_key(), not_before=now, not_after=now + 700 * DAY),),
        ledger_key=LedgerKey.generate().public_jwk(),
        endpoint=None,
        duty_contact=(),
    )
    return sign_join(wished, key, federation="orchard", now=now)


async def test_hub_with_a_certificate_of_a_private_authority_is_reached_by_what_the_code_says(tmp_path: Path) -> None:
    port = free_ports({"hub": 0})["hub"]
    operator = await asyncio.to_thread(made, tmp_path, "orchard", port)
    certificate, key = certificate_files(tmp_path)
    with (tmp_path / "hub" / "hub.toml").open("a") as settings:
        settings.write(f'[hub.tls]\ncertificate = "{certificate}"\nkey = "{key}"\n')
    at, hub = ("--folder", str(operator)), f"https://127.0.0.1:{port}"
    async with serving(tmp_path):
        code = in_process("federation", "invite", "--hub", hub, "--ca-file", str(certificate), *at).out
        assert (await init(tmp_path / "node", code)).code == 0
        assert load_node(tmp_path / "node" / "node.toml").federation[0].ca_file == tmp_path / "node" / "hub-ca.pem"
        assert (tmp_path / "node" / "hub-ca.pem").read_bytes() == certificate.read_bytes()
        config = ("--config", str(tmp_path / "node" / "node.toml"))
        looked = (await asyncio.to_thread(in_process, "doctor", *config)).out
        assert f"the hub at {hub} answers" in looked
        assert "Anytown Food Bank" in (await asyncio.to_thread(in_process, "federation", "joins", *at)).out
        # Without it, or with another's, the hub is not believed to be who it is.
        (tmp_path / "other").mkdir()
        for authorities in ((), (der_of(certificate_files(tmp_path / "other")[0]),)):
            ran = await init(tmp_path / "none", code_of(open_operator(operator), hub, authorities=authorities))
            assert "ClientConnectorCertificateError" in ran.err
        ran = await init(tmp_path / "none", code_of(open_operator(operator), hub, authorities=(b"\x30\x03abc",)))
        assert "what this join code has for certificates are none" in ran.err
        assert not (tmp_path / "none").exists()


def der_of(certificate: Path) -> bytes:
    return x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(Encoding.DER)


async def test_member_whose_hub_is_not_there_does_not_say_that_it_waits_to_be_admitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admitted, "LOOK_S", 0.05)
    said: list[str] = []
    async with federation(tmp_path, ["housing"]) as north:
        await north.stop("housing")
        north.clock.turn(2 * 3_600)  # the hub's word from before counts no longer
        node = await north.open("housing")
        waiting = asyncio.create_task(admitted.until_renamed(node, tmp_path / "none.toml", said.append))
        await asyncio.sleep(0.3)
        assert not node.parts.membership.listed.is_set()
        await node.parts.membership.refresh()
        await asyncio.sleep(0.1)
        waiting.cancel()
        await node.close()
    assert said == []


async def test_node_goes_on_under_the_id_that_the_operator_has_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    stop = asyncio.Event()
    monkeypatch.setattr(serve_node, "until_stopped", stop.wait)
    monkeypatch.setattr(admitted, "LOOK_S", 0.1)
    monkeypatch.setattr(membership, "SOON_S", 0.1)
    for not_in_a_test in ("configure_logging", "collect_rarely"):
        monkeypatch.setattr(serve_node, not_in_a_test, lambda: None)
    port = free_ports({"hub": 0})["hub"]
    operator = await asyncio.to_thread(made, tmp_path, "orchard", port)
    config = tmp_path / "node" / "node.toml"
    async with serving(tmp_path) as hub, asyncio.timeout(30):
        at = ("--folder", str(operator))
        code = in_process("federation", "invite", "--hub", f"http://127.0.0.1:{port}", *at).out
        told = (await init(tmp_path / "node", code)).out
        served = asyncio.create_task(serve_node.serve_node(load_node(config), config=config, say=said.append))
        while not said:  # noqa: ASYNC110 - the product has no event for a test
            await asyncio.sleep(0.02)
        shown: str = " ".join(told.splitlines()[1].split())
        assert f"waits for the operator to admit fingerprint {shown} at the hub http://127.0.0.1:{port}" in said[0]
        ask = ("federation", "admit", "".join(shown.split()), "--as", "food-bank", *at, "--yes")
        assert (await asyncio.to_thread(in_process, *ask)).code == 0
        publish(tmp_path)
        await hub.hub.directory.refresh()
        while not hub.links.holds("food-bank"):  # noqa: ASYNC110 - the product has no event for a test
            await asyncio.sleep(0.02)
        assert load_node(config).node.member == "food-bank"
        (then,) = said[1:]
        assert then.startswith("The operator has admitted this node, as food-bank. What is left to do")
        assert then.endswith(f"patchwork node status --config {config}")
        stop.set()
        await served


def test_first_invitation_has_to_say_where_the_hub_is_and_it_must_be_https(tmp_path: Path) -> None:
    operator = made(tmp_path, "orchard", 8400)
    at = ("--folder", str(operator))
    assert "patchwork federation invite --hub ADDRESS" in in_process("federation", "invite", *at).err
    assert "patchwork federation invite --hub ADDRESS" in in_process("federation", "joins", *at).err
    for address in ("http://hub.example.org", "hub.example.org", "https://x@hub.example.org"):
        ran = in_process("federation", "invite", "--hub", address, *at)
        assert (ran.code, ran.out) == (1, "")
    assert "patchwork federation invite --hub ADDRESS" in in_process("federation", "invite", *at).err
    assert in_process("federation", "invite", "--hub", "https://hub.example.org", *at).code == 0
    ran = in_process("federation", "invite", "--name", "Food\u202ebank", *at)
    assert (ran.code, ran.out) == (1, "")
    key = operator / "operator.pem"  # a private key is no certificate, and does not get into a code
    assert in_process("federation", "invite", "--hub", "https://h.example.org", "--ca-file", str(key), *at).code == 1


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Foodbank Northshire", "foodbank-northshire"),
        ("St. Mary's & All Saints' (Anytown)", "st-marys-all-saints-anytown"),
        ("Bwyd Môn", "bwyd-mon"),
        ("  --  ", "member"),
        ("食物銀行", "member"),
        ("Hub", "hub-2"),
        ("Operator", "operator-2"),
        ("School", "school-2"),
        ("Taken", "taken-3"),
        ("x" * 100, "x" * 48),
        ("y" * 100, "y" * 46 + "-2"),
    ],
)
def test_name_becomes_an_id_that_nobody_has(name: str, found: str) -> None:
    assert free_id(name, {"taken", "taken-2", "y" * 48}) == found


def test_only_the_line_that_was_made_here_is_changed_for_another_id(tmp_path: Path) -> None:
    config = tmp_path / "node.toml"
    text = (
        '[node]\nmember = "food-bank"  # ours\nlink = "dial"\n'
        '[[federation]]\nid = "orchard"\noperator_key = "operator.jwk"\nhubs = ["https://hub.example.org"]\n'
    )
    config.write_text(text)
    with pytest.raises(ConfigurationError, match='write member = "bank" below'):
        with_member(config, "orchard", "food-bank", "bank")
    assert config.read_text() == text
    config.write_text(text.replace("  # ours", ""))
    assert with_member(config, "orchard", "food-bank", "bank").node.member == "bank"
    assert config.read_text() == text.replace('"food-bank"  # ours', '"bank"')


def test_in_two_federations_no_operator_changes_what_another_calls_this_node(tmp_path: Path) -> None:
    config = tmp_path / "node.toml"
    text = (
        '[node]\nmember = "food-bank"\nlink = "dial"\n'
        '[[federation]]\nid = "orchard"\noperator_key = "operator.jwk"\nhubs = ["https://hub.example.org"]\n'
        '[[federation]]\nid = "meadow"\nfolder = "meadow"\noperator_key = "meadow.jwk"\n'
        'hubs = ["https://meadow.example.org"]\n'
    )
    config.write_text(text)
    with pytest.raises(ConfigurationError, match=r'write member = "bank" below the \[\[federation\]\] of meadow'):
        with_member(config, "meadow", "food-bank", "bank")
    assert config.read_text() == text
