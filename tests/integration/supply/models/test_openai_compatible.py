"""Our streaming client and the chain, over real HTTP against the simulated model server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import httpx2
import pytest

from steward.improve.simulation.knobs import Knobs, Misbehaviour
from steward.improve.simulation.model_server import serve_in_thread
from steward.supply.connectors.secrets import InstalledSecrets
from steward.supply.models.breaker import Breaker
from steward.supply.models.contracts import (
    ChatMessage,
    ChatRequest,
    Finished,
    FinishReason,
    ModelPiece,
    Role,
    TextPiece,
    Tool,
    ToolCall,
    Usage,
)
from steward.supply.models.errors import (
    EmptyAnswer,
    FailureReason,
    KeyMissing,
    KeyRefused,
    ModelLate,
    ModelUnavailable,
    NoModelAnswered,
    RateLimited,
    RequestRefused,
    StreamBroken,
)
from steward.supply.models.openai_compatible import ModelSpec, OpenAICompatibleModel
from steward.supply.models.resilience import ChainPiece, Chosen, ModelChain, Retries

Piece = TypeVar("Piece")

PROMPT = """Answer from the passages and cite them like [1].
<passages>
<passage id="1" title="Refunds">Refunds reach your card within 3 to 5 working days.</passage>
</passages>"""
QUESTION = ChatRequest(
    (
        ChatMessage(Role.SYSTEM, PROMPT),
        ChatMessage(Role.USER, "<customer>When do refunds reach my card?</customer>"),
    )
)
ANSWER = "Refunds reach your card within 3 to 5 working days [1]."
NO_WAIT = Retries(pause_s=(0.0, 0.0))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve_in_thread() as address:
        yield address


@asynccontextmanager
async def model_at(url: str, **settings: object) -> AsyncIterator[OpenAICompatibleModel]:
    spec = replace(ModelSpec(name="small", model="steward-simulated", url=url), **settings)  # type: ignore[arg-type]
    model = OpenAICompatibleModel(spec, InstalledSecrets({"KEY": "right", "WRONG": "wrong"}))
    try:
        yield model
    finally:
        await model.aclose()


async def told_to(url: str, **knobs: object) -> None:
    async with httpx2.AsyncClient(base_url=url.removesuffix("/v1")) as client:
        await client.delete("/simulate")
        answer = await client.post("/simulate", content=json.dumps(knobs))
        assert answer.status_code == 200, answer.text


async def ask(model: OpenAICompatibleModel, request: ChatRequest = QUESTION) -> list[ModelPiece]:
    return [piece async for piece in model.stream(request)]


async def collect(stream: AsyncIterator[Piece], said: list[Piece]) -> None:
    """Keep what comes, for a stream that will break."""
    async for piece in stream:
        said.append(piece)


def text_of(pieces: list[ModelPiece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, TextPiece))


@asynccontextmanager
async def answering(*events: str) -> AsyncIterator[str]:
    """Run a server that sends these events in one packet, and that the answer ends with them."""
    body = "".join(f"data: {event}\n\n" for event in events).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {len(body)}\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


def saying(text: str, reason: str | None = None) -> str:
    return json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": reason}]})


class TestOnePacket:
    @pytest.mark.parametrize("broken", ['{"error": {"code": "overloaded"}}', "{no json", '{"choices": 7}'])
    async def test_gives_what_stands_before_a_fault(self, broken: str) -> None:
        said: list[ModelPiece] = []
        async with answering(saying("One. "), saying("Two."), broken) as url, model_at(url) as model:
            with pytest.raises(StreamBroken):
                await collect(model.stream(QUESTION), said)
        assert said == [TextPiece("One. Two.")]

    async def test_reads_nothing_behind_its_end(self) -> None:
        events = (saying("One."), "[DONE]", "{no json")
        async with answering(*events) as url, model_at(url) as model:
            assert text_of(await ask(model)) == "One."

    async def test_what_was_said_is_never_said_again_by_another_model(self, url: str) -> None:
        await told_to(url)
        said: list[ChainPiece] = []
        async with (
            answering(saying("One. "), "{no json") as cut,
            model_at(cut, name="large") as first,
            model_at(url) as second,
        ):
            with pytest.raises(StreamBroken, match="large"):
                await collect(ModelChain([first, second], retries=NO_WAIT).stream(QUESTION), said)
        assert said == [Chosen("large", ()), TextPiece("One. ")]


class TestStream:
    async def test_yields_text_then_usage_then_the_end(self, url: str) -> None:
        await told_to(url)
        async with model_at(url) as model:
            pieces = await ask(model)
        assert text_of(pieces) == ANSWER
        assert isinstance(pieces[-2], Usage)
        assert not pieces[-2].estimated
        assert pieces[-2].completion_tokens == 11
        assert pieces[-1] == Finished(FinishReason.STOP)

    async def test_text_comes_before_the_answer_is_whole(self, url: str) -> None:
        await told_to(url, token_ms=20)
        async with model_at(url) as model:
            pieces = await ask(model)
        assert len([piece for piece in pieces if isinstance(piece, TextPiece)]) > 5

    async def test_keeps_its_connection(self, url: str) -> None:
        await told_to(url)
        async with model_at(url) as model:
            for _ in range(3):
                await ask(model)
            assert len(model._transport._pool.connections) == 1

    async def test_tool_call_comes_whole(self, url: str) -> None:
        await told_to(url)
        tool = Tool(
            "refund_double_charge",
            "Refund a payment that was taken twice",
            {"type": "object", "properties": {"account": {"type": "string", "pattern": r"NL-\d{6}"}}},
        )
        request = ChatRequest(
            (ChatMessage(Role.USER, "Refund my payment taken twice, NL-204816"),), tools=(tool,)
        )
        async with model_at(url) as model:
            pieces = await ask(model, request)
        assert isinstance(pieces[0], ToolCall)
        assert pieces[0].name == "refund_double_charge"
        assert json.loads(pieces[0].arguments_json) == {"account": "NL-204816"}
        assert pieces[-1] == Finished(FinishReason.TOOL_CALLS)

    async def test_estimates_usage_that_the_server_does_not_send(self, url: str) -> None:
        await told_to(url, usage=False)
        async with model_at(url) as model:
            usage = (await ask(model))[-2]
        assert isinstance(usage, Usage)
        assert usage.estimated
        assert usage.prompt_tokens > 20

    async def test_learns_what_a_server_does_not_understand(self, url: str) -> None:
        await told_to(url, refuse=["stream_options", "max_tokens", "temperature"][:2])
        async with model_at(url) as model:
            pieces = await ask(model)
        assert text_of(pieces) == ANSWER

    async def test_closing_early_gives_the_connection_back(self, url: str) -> None:
        await told_to(url, token_ms=50)
        async with model_at(url) as model:
            stream = model.stream(QUESTION)
            await anext(stream)
            await stream.aclose()
            assert not model._transport._pool.connections


class TestFailures:
    async def test_rate_limit_tells_the_wait(self, url: str) -> None:
        await told_to(url, rate_limit=1, retry_after_s=7)
        async with model_at(url) as model:
            with pytest.raises(RateLimited, match="wait 7 s") as caught:
                await ask(model)
        assert caught.value.retry_after_s == 7

    async def test_server_error(self, url: str) -> None:
        await told_to(url, error_rate=1, error_status=503)
        async with model_at(url) as model:
            with pytest.raises(ModelUnavailable, match="503"):
                await ask(model)

    async def test_wrong_request(self, url: str) -> None:
        await told_to(url, refuse=["messages"])
        async with model_at(url) as model:
            with pytest.raises(RequestRefused, match="unsupported_parameter"):
                await ask(model)

    async def test_bad_key(self, url: str) -> None:
        await told_to(url, api_key="right")
        async with model_at(url, secret_name="KEY") as model:
            assert text_of(await ask(model)) == ANSWER
        async with model_at(url, secret_name="WRONG") as model:
            with pytest.raises(KeyRefused, match="401") as caught:
                await ask(model)
        assert "wrong" not in str(caught.value)

    async def test_missing_key_names_the_secret(self, url: str) -> None:
        with pytest.raises(KeyMissing, match="NOT_SET"):
            async with model_at(url, secret_name="NOT_SET"):
                pass

    async def test_nobody_listens(self) -> None:
        async with model_at("http://127.0.0.1:9/v1") as model:
            with pytest.raises(ModelUnavailable, match="ConnectError"):
                await ask(model)

    async def test_first_token_late(self, url: str) -> None:
        await told_to(url, first_token_ms=5000)
        async with model_at(url, first_token_deadline_s=0.1) as model:
            with pytest.raises(ModelLate, match="hadn't begun") as caught:
                await ask(model)
        assert caught.value.reason is FailureReason.FIRST_PIECE_LATE

    async def test_whole_answer_late(self, url: str) -> None:
        await told_to(url, token_ms=200)
        async with model_at(url) as model:
            with pytest.raises(ModelLate, match="hadn't finished"):
                await ask(model, replace(QUESTION, deadline_s=0.5))

    async def test_cut_off_in_the_middle(self, url: str) -> None:
        await told_to(url, cut_off_after_tokens=3)
        said: list[ModelPiece] = []
        async with model_at(url) as model:
            with pytest.raises(StreamBroken, match="broke off"):
                await collect(model.stream(QUESTION), said)
        assert text_of(said) == "Refunds reach your"

    async def test_error_in_the_stream(self, url: str) -> None:
        await told_to(url, error_after_tokens=2)
        async with model_at(url) as model:
            with pytest.raises(StreamBroken, match="overloaded"):
                await ask(model)

    async def test_unreadable_event(self, url: str) -> None:
        await told_to(url, misbehave=Misbehaviour.MALFORMED_JSON)
        async with model_at(url) as model:
            with pytest.raises(StreamBroken, match="can't be read"):
                await ask(model)

    async def test_empty_answer(self, url: str) -> None:
        await told_to(url, misbehave=Misbehaviour.EMPTY)
        async with model_at(url) as model:
            with pytest.raises(EmptyAnswer, match="without an answer"):
                await ask(model)


class TestModelChain:
    async def test_says_who_answers_and_why_the_first_did_not(self, url: str) -> None:
        await told_to(url)
        with serve_in_thread(Knobs(error_rate=1)) as broken:
            async with AsyncExitStack() as stack:
                first = await stack.enter_async_context(model_at(broken, name="large"))
                second = await stack.enter_async_context(model_at(url))
                pieces = [
                    piece async for piece in ModelChain([first, second], retries=NO_WAIT).stream(QUESTION)
                ]
        chosen = pieces[0]
        assert isinstance(chosen, Chosen)
        assert chosen.model == "small"
        assert [failure.reason for failure in chosen.passed_over] == [FailureReason.UNAVAILABLE] * 2
        assert pieces[-1] == Finished(FinishReason.STOP)

    async def test_never_switches_after_the_first_piece(self, url: str) -> None:
        await told_to(url)
        with serve_in_thread(Knobs(cut_off_after_tokens=2)) as cut:
            async with AsyncExitStack() as stack:
                first = await stack.enter_async_context(model_at(cut, name="large"))
                second = await stack.enter_async_context(model_at(url))
                said: list[ChainPiece] = []
                with pytest.raises(StreamBroken, match="large"):
                    await collect(ModelChain([first, second], retries=NO_WAIT).stream(QUESTION), said)
        assert "".join(piece.text for piece in said if isinstance(piece, TextPiece)) == "Refunds reach"

    async def test_open_circuit_is_not_asked_until_its_rest_is_over(self, url: str) -> None:
        await told_to(url, error_rate=1)
        moment = 0.0
        breaker = Breaker(failures_to_open=2, open_s=15, now=lambda: moment)
        async with model_at(url) as model:
            chain = ModelChain([model], retries=NO_WAIT, breakers=[breaker])
            with pytest.raises(NoModelAnswered, match="unavailable"):
                await anext(chain.stream(QUESTION))
            assert chain.open_circuits == ("small",)
            with pytest.raises(NoModelAnswered, match="circuit_open"):
                await anext(chain.stream(QUESTION))
            await told_to(url)
            moment = 16.0
            pieces = [piece async for piece in chain.stream(QUESTION)]
        assert isinstance(pieces[0], Chosen)
        assert not breaker.is_open

    async def test_short_rate_limit_is_waited_for(self, url: str) -> None:
        await told_to(url, rate_limit=1, retry_after_s=0.01)
        waits = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)
            await told_to(url)
            await asyncio.sleep(seconds)

        async with model_at(url) as model:
            pieces = [
                piece async for piece in ModelChain([model], retries=NO_WAIT, sleep=sleep).stream(QUESTION)
            ]
        assert isinstance(pieces[0], Chosen)
        assert waits == [0.01]
