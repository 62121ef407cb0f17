import json
import re
from collections.abc import AsyncGenerator, Iterator

import pytest
from benchmarks.load import Address, Connection, Reply, Request, Unanswered, percentile, run_block
from benchmarks.model import ZeroDelayModel

from steward.improve.simulation.serving import serve_beside

PASSAGE = (
    '<passages>\n<passage id="1" title="Bills">\nA paper bill costs £2.50 a month.\n</passage>\n</passages>'
)
ASKED = {
    "model": "any",
    "messages": [
        {"role": "system", "content": f"Cite passages like [1].\n{PASSAGE}"},
        {"role": "user", "content": "<customer>What does a paper bill cost?</customer>"},
    ],
}
STREAMED = Request(
    "/v1/chat/completions",
    json.dumps({**ASKED, "stream": True}).encode(),
    "text/event-stream",
    re.compile(rb'"content": ?"[^"]'),
)


@pytest.fixture
def address() -> Iterator[Address]:
    with serve_beside(ZeroDelayModel()) as url:
        yield Address("127.0.0.1", int(url.rpartition(":")[2]))


class TestConnection:
    async def test_reads_a_streamed_answer_and_its_first_token(self, address: Address) -> None:
        connection = Connection(address)
        reply = await connection.send(STREAMED)
        again = await connection.send(STREAMED)
        connection.close()
        assert reply.status == 200
        assert reply.body.endswith(b"data: [DONE]\n\n")
        assert reply.body == again.body
        assert 0 < reply.first_ms <= reply.total_ms

    async def test_reads_a_whole_answer(self, address: Address) -> None:
        connection = Connection(address)
        reply = await connection.send(Request("/v1/chat/completions", json.dumps(ASKED).encode()))
        connection.close()
        assert "£2.50" in json.loads(reply.body)["choices"][0]["message"]["content"]

    async def test_an_address_where_nobody_listens_is_an_error(self) -> None:
        with pytest.raises(OSError, match="onnect"):
            await Connection(Address("127.0.0.1", 1)).send(STREAMED)


class TestRunBlock:
    async def test_counts_answers_inside_its_window(self, address: Address) -> None:
        async def talk(connection: Connection, number: int) -> AsyncGenerator[Reply, None]:
            while True:
                yield await connection.send(STREAMED)

        measured = await run_block(address, talk, clients=3, seconds=0.3)
        assert measured.replies
        assert measured.seconds >= 0.3
        assert measured.per_second == len(measured.replies) / measured.seconds

    async def test_a_failing_conversation_ends_the_block(self, address: Address) -> None:
        async def talk(connection: Connection, number: int) -> AsyncGenerator[Reply, None]:
            yield await connection.send(STREAMED)
            raise Unanswered("the model's call failed")

        with pytest.raises(ExceptionGroup, match="unhandled"):
            await run_block(address, talk, clients=2, seconds=5)


class TestPercentile:
    def test_is_the_nearest_rank(self) -> None:
        assert percentile([3, 1, 2, 4], 0.5) == 3
        assert percentile([3, 1, 2, 4], 0.95) == 4
