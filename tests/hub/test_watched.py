"""What a watched hub shows when members misuse it: figures are of real members alone."""

from prometheus_client import generate_latest

from gateway.app.current_figures import read_hub
from gateway.telemetry.figures import HubFigures
from tests.hub.kit import ASKER, Federated, envelope, running_hub, stub_node


async def test_members_that_an_asker_makes_up_are_in_no_figure(federation: Federated) -> None:
    async with stub_node() as node:
        federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        async with running_hub(federation) as hub:
            hub.hub.watch.figures = figures = HubFigures()
            answers = await hub.ask(body=envelope("housing", "made-up-1", "made-up-2").to_json())
            assert answers.outcomes["made-up-1"] == "not-tried"
            text = generate_latest(figures.registry).decode()
    assert 'member_results_total{member="housing",outcome="answered"} 1.0' in text
    assert f'questions_relayed_total{{member="{ASKER}"}} 1.0' in text
    assert "made-up" not in text


async def test_links_that_a_member_has_open_are_shown_until_the_last_has_gone(federation: Federated) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        figures = HubFigures()
        for links in (2, 0):
            hub.hub.watch.linked("housing", links)
            await read_hub(hub.hub, figures)
            assert f'patchwork_link_open{{party="housing"}} {links}.0' in generate_latest(figures.registry).decode()
