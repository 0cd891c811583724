"""One question through a real hub to real HTTP members: who may ask, what comes back, what hostile members cost."""

import asyncio
import contextlib
import os
import sqlite3
import time
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from gateway.hub.circuit import FAILURES_TO_OPEN
from gateway.hub.fanout import PostedRequest, fan_out
from gateway.hub.relay import FAIR_WAIT_S
from gateway.wire import base64url
from gateway.wire.keys import SigningKey
from gateway.wire.limits import MAX_ENVELOPE_BYTES, REQUEST_LIFETIME_S, SEALED_ANSWER_BYTES, SKEW_S
from gateway.wire.paths import QUERIES_PATH
from gateway.wire.request import sign_request
from tests.hub.kit import (
    ASKER,
    FEDERATION,
    Federated,
    RunningHub,
    a_byte_a_while,
    answer,
    envelope,
    gigabyte,
    hang,
    overloaded,
    raw_node,
    running_hub,
    slowly,
    stub_node,
)


async def test_each_member_gets_its_own_copy_alone_and_its_answer_comes_back_unopened(federation: Federated) -> None:
    sealed = {"housing": os.urandom(SEALED_ANSWER_BYTES), "police": os.urandom(SEALED_ANSWER_BYTES)}
    async with AsyncExitStack() as stack:
        nodes = {}
        for member, body in sealed.items():

            async def reply(_: web.Request, body: bytes = body) -> web.Response:
                return web.Response(body=body)

            nodes[member] = await stack.enter_async_context(stub_node(reply))
            federation.add(member, endpoint=nodes[member].endpoint)
        federation.publish()
        hub = await stack.enter_async_context(running_hub(federation))
        question = envelope("housing", "police")
        answers = await hub.ask(body=question.to_json())

        assert answers.status == 200
        received = {line["member"]: base64url.decode_text(line["answer"]) for line in answers.lines[:-1]}
        assert received == sealed
        assert hub.coverage(answers, question.id) == {"housing": "answered", "police": "answered"}
    for member, node in nodes.items():
        assert node.envelopes == [
            {
                "v": 1,
                "id": question.id,
                "deadline_ms": question.deadline_ms,
                "body": base64url.encode_text(question.body),
                "copy": {"kid": "A" * 43, "sealed": base64url.encode_text(question.copies[member].sealed)},
                "from": ASKER,
            }
        ]


async def test_every_kind_of_silence_has_its_word_and_the_same_deadline(federation: Federated) -> None:
    async def accept_only(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with AsyncExitStack() as stack:
        for member, answering in {"good": answer, "hanging": hang, "busy": overloaded}.items():
            node = await stack.enter_async_context(stub_node(answering))
            federation.add(member, endpoint=node.endpoint)
        for member, talk in {"trickling": a_byte_a_while, "flooding": gigabyte, "mute": accept_only}.items():
            federation.add(member, endpoint=await stack.enter_async_context(raw_node(talk)))
        federation.add("dialling-out", endpoint=None)
        suspended = await stack.enter_async_context(stub_node())
        federation.add("suspended", endpoint=suspended.endpoint)
        federation.suspend("suspended")
        federation.publish()
        hub = await stack.enter_async_context(running_hub(federation))

        question = envelope(*(set(federation.members) - {ASKER}), "stranger", deadline_ms=600)
        began = time.monotonic()
        answers = await hub.ask(body=question.to_json())
        took = time.monotonic() - began

        expected = {
            "good": "answered",
            "hanging": "timeout",
            "busy": "overloaded",
            "trickling": "timeout",
            "flooding": "unreachable",
            "mute": "timeout",
            "dialling-out": "unreachable",
            "suspended": "not-tried",
            "stranger": "not-tried",
        }
        assert answers.outcomes == expected
        assert hub.coverage(answers, question.id) == expected
        assert [line["member"] for line in answers.lines if "answer" in line] == ["good"]
        assert suspended.envelopes == []
        assert 0.6 <= took < 1.5


async def test_answers_arrive_before_the_slow_ones(federation: Federated) -> None:
    async with stub_node() as quick, stub_node(hang) as slow:
        federation.add("quick", endpoint=quick.endpoint)
        federation.add("slow", endpoint=slow.endpoint)
        federation.publish()
        async with running_hub(federation) as hub:
            body = envelope("quick", "slow", deadline_ms=20_000).to_json()
            headers = {"Authorization": hub.authorise(body)}
            async with hub.client.post(hub.url(QUERIES_PATH), data=body, headers=headers) as response:
                line = await asyncio.wait_for(response.content.readline(), 3)
                assert line.startswith(b'{"member":"quick","outcome":"answered"')


async def test_asker_that_hangs_up_cancels_its_question(federation: Federated) -> None:
    async with stub_node(hang) as node:
        federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        async with running_hub(federation) as hub:
            asking = asyncio.create_task(hub.ask("housing"))
            await node.asked.wait()
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asking
            await asyncio.wait_for(node.cancelled.wait(), 3)


async def test_hub_caps_the_deadline_that_an_asker_sets(federation: Federated) -> None:
    async with stub_node(hang) as node:
        federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        async with running_hub(federation, deadline_ms=200) as hub:
            answers = await asyncio.wait_for(hub.ask(body=envelope("housing", deadline_ms=60_000).to_json()), 3)
    assert answers.outcomes == {"housing": "timeout"}
    assert node.envelopes[0]["deadline_ms"] == 200


async def _one_member(stack: AsyncExitStack, federation: Federated) -> RunningHub:
    node = await stack.enter_async_context(stub_node())
    federation.add("housing", endpoint=node.endpoint)
    federation.publish()
    return await stack.enter_async_context(running_hub(federation))


async def test_question_without_a_valid_token_is_refused(federation: Federated) -> None:
    async with AsyncExitStack() as stack:
        hub = await _one_member(stack, federation)
        body = envelope("housing").to_json()
        now = federation.clock.now()

        def token(**changed: object) -> str:
            claims = {"iss": ASKER, "aud": FEDERATION, "method": "POST", "path": QUERIES_PATH, "body": body, "now": now}
            jti = "6f1f3c1e-0000-4000-8000-000000000001"
            key = changed.pop("key", federation.keys[ASKER])
            return sign_request(key, jti=jti, **(claims | changed))  # type: ignore[arg-type]  # varied on purpose

        refused = {
            "Bearer something": "malformed",
            "Patchwork something": "malformed",
            token(iss="stranger"): "not-authentic",
            token(iss="hub", key=federation.hub_key): "not-authentic",
            token(key=SigningKey.generate()): "not-authentic",
            token(key=federation.keys["housing"]): "not-authentic",
            token(aud="another-federation"): "not-for-us",
            token(path="/v1/sealing-keys"): "not-for-us",
            token(method="PUT"): "not-for-us",
            token(body=body + b" "): "not-for-us",
            token(now=now - REQUEST_LIFETIME_S - SKEW_S - 1): "out-of-time",
            token(now=now + SKEW_S + 1): "out-of-time",
        }
        for authorisation, code in refused.items():
            answers = await hub.ask(body=body, authorisation=authorisation)
            assert (answers.code, answers.status // 100) == (code, 4), authorisation
        assert (await hub.ask(body=body, authorisation=token())).status == 200


async def test_suspended_member_is_refused_as_soon_as_the_document_says_so(federation: Federated) -> None:
    async with AsyncExitStack() as stack:
        hub = await _one_member(stack, federation)
        assert (await hub.ask("housing")).status == 200
        federation.suspend(ASKER)
        federation.publish()
        await hub.hub.directory.refresh()
        refused = await hub.ask("housing")
    assert (refused.status, refused.code) == (401, "not-authentic")


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b'{"v":1}', b"[" * 10_000])
async def test_malformed_envelope_is_refused(federation: Federated, body: bytes) -> None:
    async with AsyncExitStack() as stack:
        hub = await _one_member(stack, federation)
        refused = await hub.ask(body=body)
    assert (refused.status, refused.code) == (400, "malformed")


async def test_oversized_question_is_refused_before_it_is_read(federation: Federated) -> None:
    async with AsyncExitStack() as stack:
        hub = await _one_member(stack, federation)
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.listener.port)
        length = MAX_ENVELOPE_BYTES + 1
        writer.write(b"POST %s HTTP/1.1\r\nHost: hub\r\nContent-Length: %d\r\n\r\n" % (QUERIES_PATH.encode(), length))
        status = await asyncio.wait_for(reader.readline(), 3)
        writer.close()
    assert b" 413 " in status


async def test_no_body_is_read_from_a_stranger(federation: Federated) -> None:
    async with AsyncExitStack() as stack:
        hub = await _one_member(stack, federation)
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.listener.port)
        writer.write(b"POST %s HTTP/1.1\r\nHost: hub\r\nContent-Length: 1000000\r\n" % QUERIES_PATH.encode())
        writer.write(b"Authorization: Patchwork a.b.c\r\n\r\n")
        status = await asyncio.wait_for(reader.readline(), 3)
        writer.close()
    assert b" 400 " in status


async def test_question_of_unknown_length_or_compressed_is_refused(federation: Federated) -> None:
    async def chunks() -> object:
        yield b"{}"

    async with AsyncExitStack() as stack:
        hub = await _one_member(stack, federation)
        async with hub.client.post(hub.url(QUERIES_PATH), data=chunks()) as response:
            assert response.status == 411
        headers = {"Content-Encoding": "gzip"}
        async with hub.client.post(hub.url(QUERIES_PATH), data=b"\x1f\x8b", headers=headers) as response:
            assert response.status == 415


async def test_repeated_question_is_refused_even_after_a_restart(federation: Federated) -> None:
    async with stub_node() as node:
        federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        body = envelope("housing").to_json()
        async with running_hub(federation) as hub:
            token = hub.authorise(body)
            assert (await hub.ask(body=body, authorisation=token)).status == 200
            assert (await hub.ask(body=body, authorisation=token)).code == "replayed"
        async with running_hub(federation) as hub:
            assert (await hub.ask(body=body, authorisation=token)).code == "replayed"
            again = await hub.ask(body=body)  # a new token for the old envelope
            assert (again.status, again.code) == (409, "replayed")
    assert len(node.envelopes) == 1


async def test_another_members_ids_never_collide(federation: Federated) -> None:
    async with AsyncExitStack() as stack:
        hub = await _one_member(stack, federation)
        body = envelope("housing").to_json()
        assert (await hub.ask(body=body)).status == 200
        assert (await hub.ask(body=body, member="housing")).status == 200


async def test_ids_are_forgotten_when_they_have_expired(federation: Federated) -> None:
    async with AsyncExitStack() as stack:
        hub = await _one_member(stack, federation)
        await hub.ask("housing")
        federation.clock.time += 3_600
        await hub.ask("housing")
        with contextlib.closing(sqlite3.connect(federation.folder / "hub.db")) as database:
            assert database.execute("SELECT kind, count(*) FROM seen_id GROUP BY kind").fetchall() == [
                ("question", 1),
                ("request", 1),
            ]


async def test_rate_limit_says_when_to_come_back_and_spares_other_members(federation: Federated) -> None:
    async with stub_node() as node:
        federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        async with running_hub(federation, rate_per_minute=6) as hub:
            assert (await hub.ask("housing")).status == 200
            refused = await hub.ask("housing")
            assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "too-many-requests", "10")
            assert (await hub.ask("housing", member="housing")).status == 200
            federation.clock.time += 10
            assert (await hub.ask("housing")).status == 200


async def test_concurrency_limit_is_given_back_when_a_question_ends(federation: Federated) -> None:
    async with stub_node(hang) as node:
        federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        async with running_hub(federation, max_concurrent=1) as hub:
            first = asyncio.create_task(hub.ask(body=envelope("housing", deadline_ms=300).to_json()))
            await node.asked.wait()
            assert (await hub.ask("housing")).status == 429
            assert (await first).outcomes == {"housing": "timeout"}
            assert (await hub.ask(body=envelope("housing", deadline_ms=100).to_json())).status == 200


async def test_failing_member_is_skipped_and_tried_again_later(federation: Federated) -> None:
    async with stub_node() as node:
        endpoint = node.endpoint
    federation.add("housing", endpoint=endpoint)
    federation.publish()
    async with running_hub(federation) as hub:
        for _ in range(FAILURES_TO_OPEN):
            assert (await hub.ask("housing")).outcomes == {"housing": "unreachable"}
        assert (await hub.ask("housing")).outcomes == {"housing": "not-tried"}
        federation.clock.time += 60
        assert (await hub.ask("housing")).outcomes == {"housing": "unreachable"}


async def test_impatient_asker_cannot_silence_a_member_for_others(federation: Federated) -> None:
    async with stub_node(slowly) as node:
        federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        async with running_hub(federation) as hub:
            assert FAIR_WAIT_S > 0.001
            for _ in range(2 * FAILURES_TO_OPEN):
                impatient = await hub.ask(body=envelope("housing", deadline_ms=1).to_json())
                assert impatient.outcomes == {"housing": "timeout"}
            assert (await hub.ask("housing")).outcomes == {"housing": "answered"}


async def test_broken_link_costs_only_its_member(federation: Federated) -> None:
    async with AsyncExitStack() as stack:
        hub = await _one_member(stack, federation)
        federation.add("police", endpoint="http://127.0.0.1:1")
        federation.publish()
        await hub.hub.directory.refresh()
        link = hub.hub.link
        deliver = link.deliver

        async def broken(member: object, body: bytes) -> object:
            if getattr(member, "id", None) == "police":
                raise RuntimeError("a bug in a link")
            return await deliver(member, body)  # type: ignore[arg-type]  # passed on

        link.deliver = broken  # type: ignore[method-assign,assignment]  # the bug
        answers = await hub.ask("housing", "police")
    assert answers.outcomes == {"housing": "answered", "police": "unreachable"}


async def test_asker_that_does_not_read_its_answers_is_let_go(
    federation: Federated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.hub.fanout.LAST_WRITES_S", 0.1)

    class StuckStream:
        async def write(self, lines: bytes) -> None:
            await asyncio.Event().wait()

    async with AsyncExitStack() as stack:
        hub = await _one_member(stack, federation)
        body = envelope("housing", deadline_ms=100).to_json()

        async def read_body() -> bytes:
            return body

        posted = PostedRequest(method="POST", path=QUERIES_PATH, authorisation=hub.authorise(body), read_body=read_body)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(fan_out(posted, StuckStream(), hub=hub.hub), 3)
        assert (await hub.ask("housing")).status == 200
