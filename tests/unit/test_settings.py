"""Configuration files: the examples are good, and every path is relative to the file that names it."""

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from gateway.app.import_worker import ImportOrder, read_order
from gateway.errors import ConfigurationError, InputError
from gateway.settings import HubSettings, MailTable, NodeSettings, OidcTable, WebTable, load_hub, load_node
from gateway.settings.values import Table

CONFIG = Path(__file__).parents[2] / "config"
NODE = """
[node]
member = "housing"
[[federation]]
id = "orchard"
operator_key = "operator.jwk"
hubs = ["https://hub.example.org"]
"""


def test_the_examples_are_read() -> None:
    node, hub = load_node(CONFIG / "node.toml"), load_hub(CONFIG / "hub.toml")
    assert node.node.member == "housing"
    assert all(path.is_file() for path in node.federation[0].agreements)
    assert hub.hub.federation_document == CONFIG / "federation.jws"


EXAMPLES = pytest.mark.parametrize(
    ("names", "model"), [(("node.toml", "two-federations.toml"), NodeSettings), (("hub.toml",), HubSettings)]
)


@EXAMPLES
def test_every_setting_stands_in_an_example_filled_in_or_as_a_comment(
    names: tuple[str, ...], model: type[Table]
) -> None:
    texts = [tomllib.loads(in_full((CONFIG / name).read_text("utf-8"))) for name in names]
    for text in texts:
        model.model_validate(text)  # and what is only a comment could be used
    there = {key for text in texts for key in keys_of(text)}
    # The pages of a second federation have the settings of [web], which stand there.
    assert sorted({key for key in settings_of(model) if key[:2] != ("federation", "web")} - there) == []
    assert model is HubSettings or ("federation", "web") in there


@EXAMPLES
def test_every_setting_of_an_example_says_what_it_means(names: tuple[str, ...], model: type[Table]) -> None:
    lines = in_full("\n".join((CONFIG / name).read_text("utf-8") for name in names)).splitlines()
    settings = [at for at, line in enumerate(lines) if re.match("[a-z_]+ = ", line)]
    assert len(settings) > len(model.model_fields)
    assert [lines[at] for at in settings if "  # " not in lines[at] and not lines[at - 1].startswith("# ")] == []


def test_a_setting_that_an_example_lacks_is_noticed() -> None:
    assert ("web", "oidc", "issuer") in settings_of(NodeSettings)
    assert ("practitioner", "telecom", "system") in settings_of(NodeSettings)
    assert ("source", "options", "path") not in settings_of(NodeSettings)  # each connector has its own
    text = in_full("[web]\n# the mail server\n# [web.mail]\n# host = 'x'  # a name\n")
    assert list(keys_of(tomllib.loads(text))) == [("web",), ("web", "mail"), ("web", "mail", "host")]


@pytest.mark.parametrize("model", [WebTable, OidcTable, MailTable])
def test_every_setting_of_the_pages_is_explained_in_their_guide(model: type[Table]) -> None:
    rows = [line for line in (CONFIG.parent / "docs" / "pages.md").read_text("utf-8").splitlines() if line[:1] == "|"]
    first = " ".join(row.split("|")[1] for row in rows)
    assert [name for name in model.model_fields if f"`{name}`" not in first] == []


def in_full(text: str) -> str:
    """An example with its comments taken away where they hide a table or a key."""
    return re.sub(r"^# (?=\[[a-z.]+\]$|[a-z_]+ = )", "", text, flags=re.MULTILINE)


def settings_of(model: type[Table], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys of a table and of the tables in it, each with those of the tables around it."""
    for name, field in model.model_fields.items():
        yield (*above, name)
        for table in tables_in(field.annotation):
            yield from settings_of(table, (*above, name))


def tables_in(annotation: Any) -> Iterator[type[Table]]:
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for each in get_args(annotation):
        yield from tables_in(each)


def keys_of(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The same of a file that was read."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield (*above, name)
            yield from keys_of(each, (*above, name))
    elif isinstance(value, list):
        for each in value:
            yield from keys_of(each, above)


@pytest.mark.parametrize(
    ("line", "option", "expected"),
    [
        ('options = { path = "a.csv" }', "path", "{}/a.csv"),
        ('options = { path = "/exports/a.csv" }', "path", "/exports/a.csv"),
        ('options = { password_file = "password" }', "password_file", "{}/password"),
        ('options = { url = "sqlite:///cases.db" }', "url", "sqlite:///{}/cases.db"),
        ('options = { url = "sqlite:////exports/cases.db" }', "url", "sqlite:////exports/cases.db"),
        ('options = { url = "sqlite:///:memory:" }', "url", "sqlite:///:memory:"),
        ('options = { url = "postgresql://db.example.org/cases" }', "url", "postgresql://db.example.org/cases"),
        ('options = { encoding = "utf-8" }', "encoding", "utf-8"),
    ],
)
def test_files_of_a_source_are_relative_to_the_file_that_names_them(
    tmp_path: Path, line: str, option: str, expected: str
) -> None:
    file = tmp_path / "node.toml"
    file.write_text(f'{NODE}[[source]]\nname = "a"\nmapping = "mine.toml"\n{line}\n')
    (source,) = load_node(file).source
    assert source.options[option] == expected.format(tmp_path)
    assert source.mapping == str(tmp_path / "mine.toml")


def test_files_of_each_kind_of_record_are_resolved_too(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text(f'{NODE}[[source]]\nname = "a"\nmapping = "mine"\noptions.kinds.client = {{ path = "c.csv" }}\n')
    (source,) = load_node(file).source
    assert source.options == {"kinds": {"client": {"path": str(tmp_path / "c.csv")}}}
    assert source.mapping == "mine"


def test_plain_http_to_another_machine_needs_the_words(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text(NODE.replace("https:", "http:"))
    with pytest.raises(ConfigurationError, match='plain_http = "traffic may cross the network without TLS"'):
        load_node(file)
    words = 'member = "housing"\nplain_http = "traffic may cross the network without TLS"'
    file.write_text(NODE.replace("https:", "http:").replace('member = "housing"', words))
    assert load_node(file).federation[0].hubs == ("http://hub.example.org",)


def test_a_value_that_is_wrong_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text(NODE.replace('"housing"', '"Sesame-Secret!"'))
    with pytest.raises(ConfigurationError, match=r"node\.toml: node\.member: ") as caught:
        load_node(file)
    assert "Sesame" not in str(caught.value)


def test_several_hubs_are_each_another_one_and_reached_with_tls(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    two = '"https://hub.example.org", "https://hub2.example.org"'
    file.write_text(NODE.replace('"https://hub.example.org"', two))
    assert load_node(file).federation[0].hubs == ("https://hub.example.org", "https://hub2.example.org")
    for wrong, expected in (
        ('"https://hub.example.org", "https://hub.example.org/"', "is there twice"),
        ('"https://hub.example.org", "http://hub2.example.org"', "must be https"),
        (", ".join(f'"https://hub{number}.example.org"' for number in range(5)), "at most 4"),
    ):
        file.write_text(NODE.replace('"https://hub.example.org"', wrong))
        with pytest.raises(ConfigurationError, match=expected):
            load_node(file)


def test_the_hub_that_cosigns_is_one_of_those_listed(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    hubs = 'hubs = ["https://hub.example.org"]'
    file.write_text(NODE.replace(hubs, f'{hubs}\nwitness_hub = "https://hub.example.org"'))
    assert load_node(file).federation[0].witness_hub == "https://hub.example.org"
    file.write_text(NODE.replace(hubs, f'{hubs}\nwitness_hub = "https://other.example.org"'))
    with pytest.raises(ConfigurationError, match="witness_hub: none of `hubs`"):
        load_node(file)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('url = "http://patchwork.example.org"', "must be https"),
        ('url = "https://patchwork.example.org/"', "scheme, host and port alone"),
        ('url = "https://Patchwork.example.org"', "scheme, host and port alone"),
        ('url = "https://user@patchwork.example.org"', "scheme, host and port alone"),
        ('url = "javascript:alert(1)"', "must be https"),
        ('url = "https://patchwork.example.org"\ndemo = true', "this machine alone"),
        ('url = "http://127.0.0.1:8480"\nlisten = "0.0.0.0:8480"\ndemo = true', "this machine alone"),
        ('url = "https://patchwork.example.org"\nlanguages = ["en", "xx"]', "languages"),
        ('url = "https://patchwork.example.org"\nlanguages = ["en", "en"]', "there twice"),
        ('url = "https://patchwork.example.org"\nidle_minutes = 0', "idle_minutes"),
        ('listen = "127.0.0.1:8480"', "web.url"),
    ],
)
def test_pages_that_could_not_be_safe_do_not_start(tmp_path: Path, lines: str, expected: str) -> None:
    path = tmp_path / "node.toml"
    path.write_text(f"{NODE}\n[web]\n{lines}\n")
    with pytest.raises(ConfigurationError, match=expected):
        load_node(path)


def test_pages_are_of_this_machine_alone_unless_said_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text(f'{NODE}\n[web]\nurl = "http://127.0.0.1:8480"\ndemo = true\n')
    web = load_node(path).web
    assert web is not None
    assert (web.listen, web.secure, web.demo) == (("127.0.0.1", 8480), False, True)
    path.write_text(NODE)
    assert load_node(path).web is None


@pytest.mark.parametrize("name", ["pages", "upload-1"])
def test_the_name_of_what_is_typed_into_pages_is_no_source_s(tmp_path: Path, name: str) -> None:
    file = tmp_path / "node.toml"
    file.write_text(f'{NODE}[[source]]\nname = "{name}"\nmapping = "mine"\n')
    with pytest.raises(ConfigurationError, match="pages"):
        load_node(file)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('listen = "0.0.0.0:9464"', "nobody is asked to sign in"),
        ('listen = "[::]:9464"', "nobody is asked to sign in"),
        ('listen = "93.184.216.34:9464"', "nobody is asked to sign in"),
        ('listen = "metrics.example.org:9464"', "must be an address"),
        ('listen = "127.0.0.1:8401"', "a port of its own"),  # the door for others
        ('otlp = "http://collector.example.org"', "must be https"),
        ('otlp = "https://name:word@collector.example.org"', "scheme, host and path alone"),
        ("traced_share = 1.1", "less than or equal to 1"),
    ],
)
def test_figures_are_for_a_private_port_and_a_collector_behind_tls(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "node.toml"
    path.write_text(f"{NODE}[telemetry]\n{line}\n")
    with pytest.raises(ConfigurationError, match=f"telemetry.*{why}"):
        load_node(path)


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "10.1.2.3", "[::1]", "[fd00::1]"])
def test_figures_may_be_shown_on_a_private_network(tmp_path: Path, address: str) -> None:
    path = tmp_path / "node.toml"
    path.write_text(f'{NODE}[telemetry]\nlisten = "{address}:9464"\notlp = "http://127.0.0.1:4318/"\n')
    telemetry = load_node(path).telemetry
    assert telemetry is not None
    assert (telemetry.listen[1], telemetry.otlp) == (9464, "http://127.0.0.1:4318")


TWO = """
[node]
member = "housing"
[[federation]]
id = "northshire"
operator_key = "operator.jwk"
hubs = ["https://hub.northshire.example.org"]
[[federation]]
id = "southshire"
folder = "southshire"
operator_key = "southshire/operator.jwk"
hubs = ["https://hub.southshire.example.org"]
"""


def two(tmp_path: Path, change: Callable[[str], str] = str) -> NodeSettings:
    file = tmp_path / "node.toml"
    file.write_text(change(TWO))
    return load_node(file)


def test_each_federation_has_folders_sources_witnesses_and_pages_of_its_own(tmp_path: Path) -> None:
    def more(text: str) -> str:
        own = 'member = "shire-housing"\nwitnesses = ["food-bank"]\n'
        return (
            text.replace('folder = "southshire"\n', f'folder = "southshire"\n{own}')
            + '[federation.web]\nurl = "https://south.example.org"\n'
            + '[ledger]\nwitnesses = ["police"]\n'
            + '[[source]]\nname = "tenancies"\nfederations = ["northshire"]\nmapping = "all"\n'
            + '[[source]]\nname = "tenancies"\nfederations = ["southshire"]\nmapping = "few"\n'
        )

    settings = two(tmp_path, more)
    north, south = settings.apart
    assert (north.node.member, south.node.member) == ("housing", "shire-housing")
    assert (north.node.data, north.node.keys) == (tmp_path / "data", tmp_path / "keys")
    assert (south.node.data, south.node.keys) == (tmp_path / "southshire/data", tmp_path / "southshire/keys")
    assert (north.ledger.witnesses, south.ledger.witnesses) == (("police",), ("food-bank",))
    assert north.web is None
    assert south.web is not None
    assert [each.source[0].mapping for each in (north, south)] == ["all", "few"]
    # Nothing in the settings of one says where another's are.
    assert "southshire" not in repr(north)
    assert "northshire" not in repr(south)
    # And they are whole settings: an import in a process of its own is handed them as they are.
    for each in (north, south):
        order = ImportOrder(settings=each, source="tenancies")
        assert read_order(order.as_json()).settings == each


def test_the_settings_of_a_node_that_dials_reach_an_import_in_a_process_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text(NODE.replace("[node]", '[node]\nlink = "dial"'))
    settings = load_node(file)
    assert read_order(ImportOrder(settings=settings, source="a").as_json()).settings == settings


def test_of_several_federations_one_has_to_be_named(tmp_path: Path) -> None:
    settings = two(tmp_path)
    assert settings.chosen("southshire").federation[0].id == "southshire"
    with pytest.raises(InputError, match="name one with --federation, of northshire, southshire"):
        settings.chosen()
    with pytest.raises(InputError, match="not in eastshire, but in northshire, southshire"):
        settings.chosen("eastshire")
    file = tmp_path / "one.toml"
    file.write_text(NODE)
    assert load_node(file).chosen() == load_node(file)


SOUTH = 'folder = "southshire"'
SOURCE = '[[source]]\nname = "tenancies"\nmapping = "m"\n'


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace('id = "southshire"', 'id = "northshire"'), "northshire is there twice"),
        (lambda text: text.replace(SOUTH, ""), "only one can be without a `folder`"),
        (lambda text: text.replace(SOUTH, 'folder = "."'), "would hold what belongs to two"),
        (lambda text: text.replace(SOUTH, 'folder = "data"'), "would hold what belongs to two"),
        (lambda text: text.replace(SOUTH, 'folder = "a/../keys/b"'), "would hold what belongs to two"),
        (lambda text: text.replace('id = "northshire"', 'id = "northshire"\nmember = "m"'), "own `folder`|own"),
        (
            lambda text: text.replace("hub.southshire", "hub").replace("https://hub.ex", "http://hub.ex"),
            "must be https",
        ),
        (lambda text: text + SOURCE, "source tenancies: say with `federations` which it feeds, of northshire"),
        (lambda text: text + SOURCE + 'federations = ["eastshire"]', "this node is not in eastshire"),
        (lambda text: text + 2 * (SOURCE + 'federations = ["northshire"]\n'), "source: tenancies is there twice"),
        (
            lambda text: (
                f'{text}[federation.web]\nurl = "https://p.example.org:1"\nlisten = "127.0.0.1:1"\n'
                '[web]\nurl = "https://p.example.org:2"\nlisten = "127.0.0.1:2"'
            ),
            "web.url: p.example.org is there twice",
        ),
        (
            lambda text: f'{text}[federation.web]\nurl = "https://p.example.org"\nlisten = "127.0.0.1:8401"\n',
            "listen: 127.0.0.1:8401 is there twice",
        ),
        (
            lambda text: text.replace('id = "northshire"', 'id = "northshire"\nfolder = "n"') + "[ledger]\n",
            "there is none",
        ),
    ],
)
def test_what_two_federations_would_share_or_nobody_has_is_an_error(
    tmp_path: Path, change: Callable[[str], str], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        two(tmp_path, change)
