"""Commands that are printed can be copied as they stand."""

from pathlib import Path

import pytest

from gateway.cli.complete import for_hub, for_node

CONFIG = Path("house of homes/node.toml")
AT = "--config 'house of homes/node.toml'"


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("waits: patchwork node accept police", f"waits: patchwork node accept {AT} --federation south police"),
        ("`patchwork node rotate-key --anew` it", f"`patchwork node rotate-key {AT} --federation south --anew` it"),
        ("never: patchwork import homes", f"never: patchwork import {AT} --federation south homes"),
        ("`patchwork ledger restore`", f"`patchwork ledger restore {AT} --federation south`"),
        ("`patchwork node serve`", f"`patchwork node serve {AT}`"),
        ("`patchwork node serve --config node.toml`", "`patchwork node serve --config node.toml`"),
        ("`patchwork node init`", "`patchwork node init`"),
        ("ask for `patchwork federation renew`", "ask for `patchwork federation renew`"),
        ("ask for `patchwork hub rotate-key`", "ask for `patchwork hub rotate-key`"),
    ],
)
def test_a_nodes_command_names_its_configuration_and_federation(text: str, complete: str) -> None:
    assert for_node(text, CONFIG, "south") == complete


def test_of_a_node_in_one_federation_no_command_names_it() -> None:
    assert for_node("patchwork cases", CONFIG) == f"patchwork cases {AT}"


def test_a_hubs_command_names_the_hubs_configuration() -> None:
    assert for_hub("`patchwork hub rotate-key`", Path("hub.toml")) == "`patchwork hub rotate-key --config hub.toml`"
