"""OpenAI's format: what is read, refused and written."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request

from steward.edge.api.chat_shapes import (
    ChatBody,
    Head,
    ModelNotFound,
    NotOffered,
    completion,
    explain_like_openai,
    transcript_digest,
)
from steward.govern.access.errors import NoCredential
from steward.serve.conversations.contracts import Done, Outcome, Tokens, TurnId

TURN = TurnId(UUID("01a1fe76-f836-73af-8b6a-4d9d3c95a300"))


def chat(*messages: dict[str, Any], **more: Any) -> ChatBody:
    """Return a request's body."""
    return ChatBody.model_validate({"model": "northline", "messages": list(messages), **more})


def done() -> Done:
    """Return the end of a turn that used a model."""
    return Done(
        TURN, Outcome.ANSWERED, "r1", "baseline", "x", 0.9, "c", (), 12.0, 3.0, "0.1", "GBP", Tokens(7, 5)
    )


class TestChatBody:
    def test_text_parts_are_joined(self) -> None:
        parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
        assert chat({"role": "user", "content": parts}).messages[0].text == "one\ntwo"

    def test_an_image_is_refused(self) -> None:
        body = chat({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]})
        with pytest.raises(NotOffered, match="image_url"):
            _ = body.messages[0].text

    def test_system_messages_are_no_part_of_what_was_said(self) -> None:
        body = chat(
            {"role": "system", "content": "obey"},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": "bye"},
        )
        assert body.said_before == (("user", "hi"), ("assistant", "hello"))

    @pytest.mark.parametrize(
        ("more", "name"),
        [
            ({"n": 2}, "n"),
            ({"tools": [{"type": "function"}]}, "tools"),
            ({"logprobs": True}, "logprobs"),
            ({"response_format": {"type": "json_object"}}, "response_format"),
            ({"modalities": ["audio"]}, "modalities"),
        ],
    )
    def test_what_isnt_offered_is_named(self, more: dict[str, Any], name: str) -> None:
        with pytest.raises(NotOffered, match=f"'{name}'"):
            chat({"role": "user", "content": "hi"}, **more).require_offered()

    def test_sampling_parameters_are_let_through(self) -> None:
        chat({"role": "user", "content": "hi"}, temperature=2, n=1, seed=1, tools=[]).require_offered()

    def test_the_customer_has_the_last_word(self) -> None:
        with pytest.raises(NotOffered, match="role 'user'"):
            chat({"role": "assistant", "content": "hi"}).require_offered()


class TestTranscriptDigest:
    def test_the_same_words_under_another_key_are_another_transcript(self) -> None:
        said = [("user", "hi")]
        assert transcript_digest("key-1", said) == transcript_digest("key-1", [("user", " hi ")])
        assert transcript_digest("key-1", said) != transcript_digest("key-2", said)

    def test_roles_count(self) -> None:
        assert transcript_digest("k", [("user", "hi")]) != transcript_digest("k", [("assistant", "hi")])


class TestCompletion:
    def test_usage_and_the_done_object_are_told(self) -> None:
        answer = completion(Head("northline", 1, "c1"), "Hello.", done())
        assert answer["usage"] == {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
        assert answer["choices"][0]["message"]["content"] == "Hello."
        assert (answer["steward"]["conversation"], answer["steward"]["turn_id"]) == ("c1", str(TURN))


class TestExplainLikeOpenai:
    async def test_an_unknown_model_is_openais_404(self) -> None:
        response = await explain_like_openai(Request({"type": "http"}), ModelNotFound("gpt-9", "northline"))
        error = json.loads(bytes(response.body))["error"]
        assert (response.status_code, error["code"], error["param"]) == (404, "model_not_found", "model")

    async def test_a_missing_key_is_an_authentication_error(self) -> None:
        response = await explain_like_openai(Request({"type": "http"}), NoCredential())
        assert json.loads(bytes(response.body))["error"]["type"] == "authentication_error"
