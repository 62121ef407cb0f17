"""The public HTTP API, used as its page describes it, against the running demo."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx2 as httpx
import openai
import pytest
from tests.journeys.conftest import Demo
from tests.journeys.running import ROOT
from tests.journeys.talking import Talk, happenings

HOW_TO = ROOT / "docs" / "howto" / "call-it-with-an-openai-client.md"
NOBODYS = "0192f3a4-0000-7000-8000-000000000000"
CHARGED_TWICE = "I was charged twice this month"


@pytest.fixture
def client(demo: Demo) -> Iterator[httpx.Client]:
    """A client with the widget's public key, as a customer's browser has it."""
    with demo.client(demo.public_key) as client:
        yield client


@pytest.fixture
def staff(demo: Demo) -> Iterator[httpx.Client]:
    """A person signed in to the console, who calls the staff's part of the API."""
    with httpx.Client(base_url=demo.url, timeout=30) as client:
        form = {"login": demo.login, "password": demo.password, "next": "/console"}
        assert client.post("/console/login", data=form, headers={"Origin": demo.url}).status_code == 303
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/console").text)
        assert found
        client.headers["X-CSRF-Token"] = found[1]
        client.headers["Origin"] = demo.url
        yield client


class TestConversation:
    def test_begins_with_a_greeting_that_names_the_machine(self, client: httpx.Client) -> None:
        started = Talk(client).started
        assert UUID(started["id"])
        assert "automated assistant" in started["greeting"]
        assert started["assistant"] == "Northline Assistant"

    def test_answers_with_sources_as_json(self, client: httpx.Client) -> None:
        done = Talk(client).say(CHARGED_TWICE)
        assert done["outcome"] == "answered"
        assert done["intent"] == "double_charge"
        assert 0.5 < done["confidence"] <= 1
        assert "[1]" in done["text"]
        assert "refund it for you" in done["text"]
        assert done["citations"][0]["title"]
        assert done["currency"] == "GBP"
        assert set(done) >= {
            "turn_id",
            "release",
            "arm",
            "category",
            "latency_ms",
            "first_token_ms",
            "tokens",
        }

    def test_streams_the_same_answer_in_order(self, client: httpx.Client) -> None:
        talk = Talk(client)
        events = talk.stream(CHARGED_TWICE)
        names = [event.name for event in events]
        assert names[0] == "status"
        assert names[-1] == "done"
        assert names.count("done") == 1
        assert {"delta", "citation", "action"} <= set(names)
        said = "".join(event.data["text"] for event in events if event.name == "delta")
        assert [message["text"] for message in talk.messages()] == [CHARGED_TWICE, said]

    def test_same_key_is_the_same_turn(self, client: httpx.Client) -> None:
        talk = Talk(client)
        first = talk.say("How do I read my bill?", key="one")
        again = talk.say("How do I read my bill?", key="one")
        streamed = talk.stream("How do I read my bill?", key="one")
        assert again["turn_id"] == first["turn_id"] == streamed[-1].data["turn_id"]
        assert again["text"] == first["text"]
        assert len(talk.messages()) == 2

    def test_feedback_and_close(self, client: httpx.Client) -> None:
        talk = Talk(client)
        turn = talk.say("How do I read my bill?")["turn_id"]
        for body in ({"turn_id": turn, "thumb": "up"}, {"csat": 5, "comment": "quick"}):
            assert client.post(f"{talk.path}/feedback", json=body).status_code == 204
        assert client.post(f"{talk.path}/close", json={"resolved": True}).status_code == 204
        after = client.post(f"{talk.path}/messages", json={"text": "hello?", "key": "late"})
        assert after.status_code == 409

    def test_says_why_in_plain_words_for_its_own_turns_alone(self, client: httpx.Client) -> None:
        talk, other = Talk(client), Talk(client)
        turn = talk.say("How long does a refund take to arrive?")["turn_id"]
        why = client.get(f"{talk.path}/turns/{turn}/why").json()
        assert why["turn_id"] == turn
        assert "sure of it" in why["sentences"][0]
        assert any("refund" in page.lower() for page in why["pages"])
        for path in (f"{other.path}/turns/{turn}/why", f"{talk.path}/turns/{NOBODYS}/why"):
            assert client.get(path).status_code == 404

    def test_refund_is_made_once_and_never_again(self, demo: Demo, client: httpx.Client) -> None:
        account, postcode = "NL-926703", "OX4 9ZD"
        talk = Talk(client)
        talk.say(CHARGED_TWICE)
        assert talk.say("yes please")["outcome"] == "asked"
        assert "postcode" in talk.say(account)["text"]
        asked = talk.stream(postcode)
        assert [event.data["state"] for event in asked if event.name == "action"] == ["confirming"]
        assert demo.effects(account) == []
        done = talk.say("yes", key="confirmed")
        assert done["outcome"] == "acted"
        assert "£38.50" in done["text"]
        assert talk.say("yes", key="confirmed")["text"] == done["text"]
        again = Talk(client)
        for text in (CHARGED_TWICE, "yes", account, postcode):
            last = again.say(text)
        assert "can't find one that was taken twice" in last["text"]
        assert [entry["operation"] for entry in demo.effects(account)] == ["refund_payment"]


class TestMaskedValues:
    def test_a_value_alone_is_asked_about(self, client: httpx.Client) -> None:
        answer = Talk(client).say("14 Orchard Close, Sheffield S10 2TB")
        assert (answer["outcome"], answer["text"]) == ("asked", "Glad to help. What is it about?")

    def test_the_matter_beside_a_value_is_understood(self, client: httpx.Client) -> None:
        answer = Talk(client).say("I live at 81 Mill Road, Cambridge CB1 2AS and there's no internet")
        assert (answer["outcome"], answer["intent"]) == ("answered", "internet_down")


class TestPeople:
    def test_reply_arrives_on_the_open_stream_and_the_assistant_is_silent(
        self, client: httpx.Client, staff: httpx.Client
    ) -> None:
        talk = Talk(client)
        assert talk.say("AGNET")["outcome"] == "handed_over"
        waiting = staff.get("/v1/admin/handovers").json()
        assert talk.started["id"] in str(waiting)
        with client.stream("GET", f"{talk.path}/events?after=0") as open_stream:
            news = happenings(open_stream)
            place = f"/v1/admin/handovers/{talk.started['id']}"
            assert staff.post(f"{place}/take").status_code == 204
            assert talk.say("are you there?")["outcome"] == "silent"
            replied = staff.post(f"{place}/reply", json={"text": "Hello, Sam here."})
            assert replied.status_code == 201
            human = next(event for event in news if event.data.get("role") == "human")
        assert human.data["text"] == "Hello, Sam here."
        assert staff.post(f"{place}/give-back").status_code == 204
        assert talk.say("How do I read my bill?")["outcome"] == "answered"
        roles = [message["role"] for message in talk.messages()]
        assert roles[-2:] == ["customer", "assistant"]

    def test_two_messages_at_once_are_answered_in_order(self, client: httpx.Client) -> None:
        talk = Talk(client)
        texts = ("How do I read my bill?", "What is a late payment fee?")
        senders = [threading.Thread(target=talk.say, args=(text,)) for text in texts]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        roles = [message["role"] for message in talk.messages()]
        assert roles.count("customer") == 2
        assert roles[-1] == "assistant"


class TestRoute:
    def test_names_intent_category_risk_and_queue(self, demo: Demo) -> None:
        with demo.client() as client:
            routed = client.post("/v1/route", json={"text": "you took my money two times"}).json()
        assert routed["intent"] == "double_charge"
        assert routed["risk"] == "high"
        assert routed["queue"]
        assert not routed["out_of_scope"]
        assert len(routed["alternatives"]) >= 2

    def test_knows_what_is_nobodys_business_here(self, demo: Demo) -> None:
        with demo.client() as client:
            routed = client.post("/v1/route", json={"text": "who won the cup final in 1986"}).json()
        assert routed["out_of_scope"]


class TestOpenAI:
    @pytest.fixture
    def chat(self, demo: Demo) -> Iterator[openai.OpenAI]:
        with openai.OpenAI(base_url=f"{demo.url}/v1", api_key=demo.key, max_retries=0) as client:
            yield client

    def test_lists_the_assistant(self, chat: openai.OpenAI) -> None:
        assert "northline" in {model.id for model in chat.models.list()}

    def test_refund_over_several_turns_by_transcript_alone(self, demo: Demo, chat: openai.OpenAI) -> None:
        account = "NL-941286"
        transcript: list[Any] = []
        for text in (CHARGED_TWICE, "yes", account, "PL4 8ZN", "yes, go ahead"):
            transcript.append({"role": "user", "content": text})
            answer = chat.chat.completions.create(model="northline", messages=transcript, user="joel")
            said = answer.choices[0].message.content
            transcript.append({"role": "assistant", "content": said})
        assert said is not None
        assert "£58.50" in said
        assert (answer.model_extra or {})["steward"]["outcome"] == "acted"
        assert len(demo.effects(account)) == 1

    def test_streams(self, chat: openai.OpenAI) -> None:
        pieces = list(
            chat.chat.completions.create(
                model="northline",
                messages=[{"role": "user", "content": "How do I read my bill?"}],
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        said = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
        assert "[1]" in said
        assert pieces[-1].usage is not None

    def test_how_to_pages_own_code(self, demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
        text = HOW_TO.read_text(encoding="utf-8")
        code = text.split("```python\n")[1].split("```")[0]
        for shown, real in (("http://127.0.0.1:8080", demo.url), ("stw_sec_…", demo.key)):
            assert shown in code
            code = code.replace(shown, real)
        names: dict[str, Any] = {}
        exec(code, names)
        names["client"].close()
        assert "[1]" in capsys.readouterr().out

    def test_named_conversation_goes_on(self, chat: openai.OpenAI) -> None:
        first = chat.chat.completions.create(
            model="northline", messages=[{"role": "user", "content": CHARGED_TWICE}]
        )
        conversation = (first.model_extra or {})["steward"]["conversation"]
        second = chat.chat.completions.create(
            model="northline",
            messages=[{"role": "user", "content": "yes"}],
            extra_body={"steward": {"conversation": conversation}},
        )
        assert "account number" in (second.choices[0].message.content or "")

    def test_unknown_model_and_wrong_key_raise_the_librarys_errors(
        self, demo: Demo, chat: openai.OpenAI
    ) -> None:
        hello: Any = [{"role": "user", "content": "hello"}]
        with pytest.raises(openai.NotFoundError, match="isn't served here"):
            chat.chat.completions.create(model="gpt-4.1", messages=hello)
        with (
            openai.OpenAI(base_url=f"{demo.url}/v1", api_key="wrong", max_retries=0) as stranger,
            pytest.raises(openai.AuthenticationError),
        ):
            stranger.chat.completions.create(model="northline", messages=hello)


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "body", "pointer"),
        [
            ("/v1/conversations", {"channel": "NOT A CHANNEL"}, "/channel"),
            ("/v1/conversations", {"channel": "web", "customer": "x" * 201}, "/customer"),
            ("/v1/route", {"text": 7}, "/text"),
            ("/v1/route", {}, "/text"),
        ],
    )
    def test_wrong_bodies_are_explained_with_a_pointer(
        self, demo: Demo, path: str, body: dict[str, Any], pointer: str
    ) -> None:
        with demo.client() as client:
            answer = client.post(path, json=body)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert {"type", "title", "status", "detail", "errors"} <= set(problem)
        assert pointer in str(problem["errors"])

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b"{" * 3000])
    def test_what_isnt_json_is_refused(self, demo: Demo, body: bytes) -> None:
        with demo.client() as client:
            headers = {"Content-Type": "application/json"}
            answer = client.post("/v1/route", content=body, headers=headers)
        assert answer.status_code in {400, 422}
        assert "detail" in answer.json()

    def test_a_message_of_a_megabyte_is_refused(self, client: httpx.Client) -> None:
        talk = Talk(client)
        answer = client.post(f"{talk.path}/messages", json={"text": "a" * 1_000_000, "key": "big"})
        assert answer.status_code == 413
        assert talk.messages() == []

    @pytest.mark.parametrize("conversation", [NOBODYS, "1", "'; drop table turn; --"])
    def test_conversations_that_dont_exist(self, client: httpx.Client, conversation: str) -> None:
        answer = client.post(f"/v1/conversations/{conversation}/messages", json={"text": "hi", "key": "k"})
        assert answer.status_code == 404

    @pytest.mark.parametrize("key", ["wrong", "stw_sec_" + "x" * 43, "eyJhbGciOiJub25lIn0.e30."])
    def test_wrong_keys(self, demo: Demo, key: str) -> None:
        with demo.client(key) as client:
            assert client.post("/v1/conversations", json={"channel": "web"}).status_code == 401

    def test_public_key_may_not_route_or_read_figures(self, client: httpx.Client) -> None:
        assert client.post("/v1/route", json={"text": "hello"}).status_code == 403
        assert client.get("/v1/admin/conversations").status_code == 403

    def test_secret_key_may_not_decide_what_needs_a_person(self, demo: Demo) -> None:
        with demo.client() as client:
            assert client.get("/v1/admin/approvals").status_code == 403

    def test_one_customers_conversation_is_closed_to_anothers_token(self, demo: Demo) -> None:
        with demo.client(customer_token(demo, "NL-330951")) as grace:
            talk = Talk(grace)
            talk.say("hello")
        with demo.client(customer_token(demo, "NL-447620")) as tom:
            assert tom.get(f"{talk.path}/messages").status_code == 404
            assert tom.post(f"{talk.path}/messages", json={"text": "hi", "key": "k"}).status_code == 404


class TestOperations:
    def test_health_readiness_metrics_and_the_description(self, demo: Demo) -> None:
        with demo.client() as client:
            assert client.get("/healthz").status_code == 200
            assert client.get("/readyz").status_code == 200
            assert "steward_" in client.get("/metrics").text
            paths = client.get("/openapi.json").json()["paths"]
        assert {"/v1/conversations", "/v1/route", "/v1/chat/completions"} <= set(paths)


def customer_token(demo: Demo, customer: str) -> str:
    """Return the token with which the demo's page signs a customer in."""
    page = httpx.get(demo.url, params={"customer": customer}).text
    found = re.search(r' token="([^"]+)"', page)
    assert found
    return found[1]


class TestStaffAsCustomers:
    def test_staff_neither_speaks_nor_reads_as_a_customer(
        self, client: httpx.Client, staff: httpx.Client
    ) -> None:
        talk = Talk(client)
        talk.say("write to maya.patel@brackwater.example please")
        path = f"/v1/conversations/{talk.started['id']}"
        assert "maya.patel" in client.get(f"{path}/messages").text
        chat = {
            "model": "northline",
            "messages": [{"role": "user", "content": "What is my e-mail address?"}],
            "steward": {"conversation": talk.started["id"]},
        }
        answers = [
            staff.get(f"{path}/messages"),
            staff.post(f"{path}/messages", json={"text": "yes"}),
            staff.post("/v1/chat/completions", json=chat),
        ]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        own = staff.post("/v1/chat/completions", json={**chat, "steward": {}}).json()
        said = own["choices"][0]["message"]
        again = [*chat["messages"], said, {"role": "user", "content": "And when do you open?"}]
        gone_on = staff.post("/v1/chat/completions", json={"model": "northline", "messages": again}).json()
        assert gone_on["steward"]["conversation"] == own["steward"]["conversation"]


class TestRevealing:
    def test_shows_only_tokens_of_this_conversation_and_needs_no_note(
        self, client: httpx.Client, staff: httpx.Client
    ) -> None:
        talk = Talk(client)
        talk.say("write to maya.patel@brackwater.example please")
        page = f"/console/conversations/{talk.started['id']}"
        form = {"csrf_token": staff.headers["X-CSRF-Token"], "reason": "complaint"}
        elsewhere = staff.post(f"{page}/reveal", data={**form, "token": "[CARD_1]"})
        assert elsewhere.status_code == 400
        shown = staff.post(f"{page}/reveal", data={**form, "token": "[EMAIL_1]"})
        assert (shown.status_code, "maya.patel@brackwater.example" in shown.text) == (200, True)
        assert "maya.patel" not in staff.get(page).text
        assert staff.get(page).status_code == 200
