"""What bodies are read: bounded, UTF-8, JSON, clean."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.types import Message

from steward.edge.api.conversations import FeedbackBody, MessageBody
from steward.edge.bodies import TEXT_LIMIT, check_text, parse_json, read_body
from steward.edge.problems import InvalidBody, Malformed, TooLarge


def request_with(content: bytes, *, declared: int | None = None) -> Request:
    """Return a request whose body arrives in pieces of 1,000 bytes."""
    pieces = [content[at : at + 1000] for at in range(0, len(content), 1000)] or [b""]

    async def receive() -> Message:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


class TestReadBody:
    async def test_a_good_body_is_read(self) -> None:
        body = await read_body(request_with(b'{"text": "hi", "key": "1", "more": true}'), MessageBody)
        assert (body.text, body.key) == ("hi", "1")

    async def test_a_missing_field_is_pointed_at(self) -> None:
        with pytest.raises(InvalidBody, match="/text") as refusal:
            await read_body(request_with(b"{}"), MessageBody)
        assert refusal.value.faults[0].pointer == "/text"

    async def test_a_value_of_the_wrong_type_is_not_told_back(self) -> None:
        with pytest.raises(InvalidBody, match="/text") as refusal:
            await read_body(request_with(b'{"text": {"card": "4111"}}'), MessageBody)
        assert "4111" not in str(refusal.value)

    async def test_a_body_that_is_no_object_is_told_so_without_a_name_of_ours(self) -> None:
        with pytest.raises(InvalidBody, match="the whole: Input should be an object"):
            await read_body(request_with(b"[]"), MessageBody)

    async def test_too_long_by_its_own_word(self) -> None:
        with pytest.raises(TooLarge, match="70000 bytes"):
            await read_body(request_with(b"{}", declared=70_000), MessageBody)

    async def test_too_long_without_a_word(self) -> None:
        with pytest.raises(TooLarge, match="longer than"):
            await read_body(request_with(b'{"text": "' + b"a" * 70_000 + b'"}'), MessageBody)

    @pytest.mark.parametrize(
        "content",
        [
            b'{"csat": 6}',
            b'{"csat": 4.5}',
            b'{"csat": true}',
            b"{}",
            b'{"thumb": "up"}',
            b'{"csat": 4, "turn_id": "01a1fe76-f836-73af-8b6a-4d9d3c95a300", "thumb": "up"}',
        ],
    )
    async def test_feedback_is_one_thing_or_the_other(self, content: bytes) -> None:
        with pytest.raises(InvalidBody, match="right form"):
            await read_body(request_with(content), FeedbackBody)


class TestParseJson:
    def test_nul_and_lone_surrogates_are_taken_out(self) -> None:
        assert parse_json(b'{"text": "a\\u0000b\\ud83d!"}') == {"text": "ab\ufffd!"}

    def test_a_whole_pair_stays(self) -> None:
        assert parse_json(b'"\\ud83d\\ude00"') == "😀"

    @pytest.mark.parametrize(
        "content",
        [b'{"text":', b"\xff\xfe", b"[" * 5000, b"[" * 100 + b"]" * 100, b'{"csat": ' + b"1" * 5000 + b"}"],
        ids=["cut", "not_utf8", "open", "deep", "long_number"],
    )
    def test_what_isnt_json_is_refused(self, content: bytes) -> None:
        with pytest.raises(Malformed, match=r"body|JSON"):
            parse_json(content)


class TestCheckText:
    def test_twenty_thousand_letters_are_read(self) -> None:
        assert check_text("a" * TEXT_LIMIT) == "a" * TEXT_LIMIT

    def test_more_is_refused_with_the_number(self) -> None:
        with pytest.raises(TooLarge, match="20001 characters"):
            check_text("a" * (TEXT_LIMIT + 1))
