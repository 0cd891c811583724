"""Two live federations, each with its own operator and hub, and one node that is in both.

async with two_federations(tmp_path) as two:
    await two.north.add(SHARED, *someone("Katherine", "Bramley", "1991-05-17"))   # into its register of the north
    completed = await two.south.ask("community-trust", "Katherine Bramley", born="1991-05-17")
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.app.dialling import keep_linked
from gateway.app.node import Node, accept_agreements, listen_nodes, open_nodes
from gateway.app.node_limits import admission_of
from gateway.app.web import Pages, listen_pages
from gateway.settings import NodeSettings, load_node
from tests.federation import AGREEMENT, TestFederation, federation

SHARED = "housing"
NORTH, SOUTH = ("childrens-services", SHARED), ("community-trust", SHARED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Two:
    """Each federation with its own member beside the node that both share."""

    north: TestFederation
    south: TestFederation
    config: Path  # of the shared node
    nodes: Sequence[Node]  # it, in each
    pages: Sequence[Pages | None]

    @property
    def settings(self) -> NodeSettings:
        return load_node(self.config)


@asynccontextmanager
async def two_federations(
    folder: Path, *, link: str = "listen", pages: bool = False, more: str = "", **options: Any
) -> AsyncIterator[Two]:
    """Start both; `pages`: the shared node has them in each; `more`: lines of its configuration; `options`: of both."""
    dialling = [SHARED] if link == "dial" else []
    async with AsyncExitStack() as stack:
        north, south = [
            await stack.enter_async_context(federation(folder / name, members, name=name, dialling=dialling, **options))
            for name, members in (("northshire", NORTH), ("southshire", SOUTH))
        ]
        for each in (north, south):
            await each.stop(SHARED)
        config = north.folder / SHARED / "node.toml"
        config.write_text(_in_both(north, south, pages=pages) + more)
        settings = load_node(config)
        nodes = await open_nodes(settings, clock=north.clock)
        for node in nodes:
            stack.push_async_callback(node.close)
            await accept_agreements(node)
        await _connect(stack, nodes, settings, (north, south))
        sites: Sequence[Pages | None] = await listen_pages(nodes, built=north.built) if pages else [None, None]
        for each, node, site in zip((north, south), nodes, sites, strict=True):
            each.nodes[SHARED] = node
            stack.callback(each.nodes.pop, SHARED)
            if site is not None:
                stack.push_async_callback(site.close)
                each.pages[SHARED] = site
                stack.callback(each.pages.pop, SHARED)
        for each in (north, south):
            await each.refresh()
        yield Two(north=north, south=south, config=config, nodes=nodes, pages=sites)


async def _connect(
    stack: AsyncExitStack, nodes: Sequence[Node], settings: NodeSettings, both: Sequence[TestFederation]
) -> None:
    """By one door, or by a link to the hub of each."""
    doors = [(node, admission_of(settings, federations=len(nodes))) for node in nodes]
    if settings.node.link == "dial":
        for each, door in zip(both, doors, strict=True):
            await door[0].parts.membership.refresh()  # it dials a hub whose word it has alone
            task = asyncio.create_task(keep_linked(*door))
            stack.push_async_callback(_ended, task)
            await each.linked(SHARED)
        return
    listener = await listen_nodes(doors)
    stack.push_async_callback(listener.close)
    # Where the other federation's document says that it is, as a proxy would have it: the same door.
    await web.TCPSite(listener.runner, "127.0.0.1", both[1].ports[SHARED]).start()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _in_both(north: TestFederation, south: TestFederation, *, pages: bool) -> str:
    home = south.folder / SHARED
    (hub,) = load_node(home / "node.toml").federation[0].hubs
    text = (north.folder / SHARED / "node.toml").read_text()
    text += "\n".join(
        [
            "[[federation]]",
            'id = "southshire"',
            f"folder = {json.dumps(str(home))}",
            f"operator_key = {json.dumps(str(south.folder / 'operator' / 'operator.jwk'))}",
            f"hubs = [{json.dumps(hub)}]",
            'accept_members = "operator"',
            f"agreements = [{json.dumps(str(AGREEMENT))}]",
            "",
        ]
    )
    if not pages:
        return text
    found = load_node(home / "node.toml").web
    assert found is not None
    host, port = found.listen
    return f'{text}[federation.web]\nlisten = "{host}:{port}"\nurl = "http://localhost:{port}"\n'
