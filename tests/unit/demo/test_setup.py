"""The folder that the demonstration makes: readable settings, documents that verify, renewed at each start."""

import shutil
from pathlib import Path

import pytest

from gateway.demo.setup import HUB, Demo, make_anew, make_once, open_demo
from gateway.errors import FederationStale
from gateway.policy.in_force import publish
from gateway.settings import load_hub, load_node
from gateway.wire.federation import verify_document
from gateway.wire.operator import load_verify_key

NOW = 1_790_000_000.0
DAY = 86_400


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first start makes once: keys, and the exports, which take a while."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    make_once(open_demo(folder), NOW)
    return folder


@pytest.fixture
def demo(first_run: Path, tmp_path: Path) -> Demo:
    shutil.copytree(first_run, tmp_path / "demo")
    demo = open_demo(tmp_path / "demo")
    make_anew(demo, ports(demo, 9000), NOW)
    return demo


def ports(demo: Demo, first: int) -> dict[str, int]:
    return {name: first + place for place, name in enumerate(demo.ports)}


def test_settings_load_and_name_the_ports(demo: Demo) -> None:
    assert load_hub(demo.config(HUB)).hub.listen == ("127.0.0.1", 9000)
    for place, member in enumerate(demo.members, 1):
        settings = load_node(demo.config(member.id))
        assert settings.node.listen == ("127.0.0.1", 9000 + place)
        assert settings.web is not None
        assert settings.web.listen == ("127.0.0.1", 9005 + place)
        assert settings.web.demo
        assert settings.practitioner[0].id == member.practitioner["id"]
        (source,) = settings.source
        assert source.mapping.startswith("demo_")


def test_every_member_has_signed_the_agreement(demo: Demo) -> None:
    hub = load_hub(demo.config(HUB)).hub
    document = verify_document(
        hub.federation_document.read_bytes(), operator_key=load_verify_key(hub.operator_key), now=NOW
    )
    (published,) = publish(document).values()
    assert published.signed_by == {member.id for member in demo.members} == published.agreement.members


def test_a_start_forty_days_later_renews_the_document(demo: Demo) -> None:
    hub = load_hub(demo.config(HUB)).hub
    key = load_verify_key(hub.operator_key)
    first = verify_document(hub.federation_document.read_bytes(), operator_key=key, now=NOW)
    later = NOW + 40 * DAY
    with pytest.raises(FederationStale):
        verify_document(first.token, operator_key=key, now=later)
    make_once(demo, later)
    make_anew(demo, ports(demo, 9100), later)
    second = verify_document(hub.federation_document.read_bytes(), operator_key=key, now=later)
    assert second.seq == first.seq + 1
    assert second.members["police"].keys_at(later) == first.members["police"].keys_at(NOW)
    assert second.members["police"].endpoint == "http://127.0.0.1:9103"


def test_private_keys_are_their_owners_alone(demo: Demo) -> None:
    keys = list(demo.folder.rglob("*.pem"))
    assert len(keys) == 12
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
