"""Recognisers from outside: an analyzer over real HTTP, installed packages, and what happens without them."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.govern.privacy.contracts import Span
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.errors import NoSuchRecogniser, RecogniserUnavailable
from steward.govern.privacy.external import (
    Analyzer,
    Elsewhere,
    HttpAnalyzer,
    OnFailure,
    installed_recognisers,
)
from steward.govern.privacy.master_key import MasterKey
from steward.govern.privacy.tokens import tokens_in
from steward.govern.privacy.vault import Vault

_TEXT = "the account of Xanthe Quill, mail x@example.com"
_PERSON = {"entity_type": "PERSON", "start": 15, "end": 27, "score": 0.85, "analysis_explanation": None}


class Presidio:
    """Answers like Presidio's analyzer: `answer` to everybody, after `waits`."""

    def __init__(self) -> None:
        self.answer: object = [_PERSON]
        self.status = 200
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.requests: list[dict[str, Any]] = []
        self.url = ""


@contextmanager
def served(analyzer: Presidio) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server calls
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            analyzer.requests.append({"path": self.path, **body})
            analyzer.may_answer.wait(10)
            content = json.dumps(analyzer.answer).encode()
            self.send_response(analyzer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # as it is inherited
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    analyzer.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield
    finally:
        analyzer.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def presidio() -> Iterator[Presidio]:
    analyzer = Presidio()
    with served(analyzer):
        yield analyzer


@pytest.fixture
async def http(presidio: Presidio) -> AsyncIterator[HttpAnalyzer]:
    analyzer = HttpAnalyzer(Analyzer(presidio.url, ("PERSON", "CREW_ID"), timeout_s=0.3))
    yield analyzer
    await analyzer.close()


class Quills:
    """A recogniser of an installed package."""

    def find(self, text: str) -> Iterable[Span]:
        at = text.find("Quill")
        return [Span(at, at + 5, "NAME", "quill")] if at >= 0 else []


class Whereabouts:
    """Notes in which thread it is asked."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    def find(self, text: str) -> Iterable[Span]:
        self.threads.append(threading.get_ident())
        return ()


@dataclass(frozen=True, slots=True)
class Crews:
    """Finds something of a kind whose name no token can have."""

    kind: str

    def find(self, text: str) -> Iterable[Span]:
        return [Span(0, 3, self.kind, "the")]


class Quoting:
    """Fails, and quotes the text."""

    def find(self, text: str) -> Iterable[Span]:
        raise ValueError(text)


class TestHttpAnalyzer:
    async def test_asks_as_presidio_wants_it(self, presidio: Presidio, http: HttpAnalyzer) -> None:
        (span,) = await http.find(_TEXT)
        assert (span.kind, span.value, _TEXT[span.start : span.end]) == (
            "NAME",
            "xanthe quill",
            "Xanthe Quill",
        )
        assert presidio.requests == [
            {
                "path": "/analyze",
                "text": _TEXT,
                "language": "en",
                "score_threshold": 0.5,
                "entities": ["PERSON", "CREW_ID"],
            }
        ]

    async def test_other_entities_become_kinds_of_their_own(
        self, presidio: Presidio, http: HttpAnalyzer
    ) -> None:
        presidio.answer = [{**_PERSON, "entity_type": "CREW_ID"}]
        assert [span.kind for span in await http.find(_TEXT)] == ["CREW_ID"]

    async def test_spans_outside_the_text_and_weak_ones_are_left_out(
        self, presidio: Presidio, http: HttpAnalyzer
    ) -> None:
        presidio.answer = [{**_PERSON, "end": 900}, {**_PERSON, "score": 0.2}, {**_PERSON, "start": -1}]
        assert await http.find(_TEXT) == ()

    @pytest.mark.parametrize(("status", "answer"), [(500, []), (200, {"error": "no"}), (200, [{"start": 1}])])
    async def test_other_answers_are_no_answer(
        self, presidio: Presidio, http: HttpAnalyzer, status: int, answer: object
    ) -> None:
        presidio.status, presidio.answer = status, answer
        with pytest.raises(RecogniserUnavailable, match="doesn't answer"):
            await http.find(_TEXT)

    async def test_slow_answer_is_no_answer(self, presidio: Presidio, http: HttpAnalyzer) -> None:
        presidio.may_answer.clear()
        with pytest.raises(RecogniserUnavailable, match="Timeout"):
            await http.find(_TEXT)


class TestElsewhere:
    async def test_one_text_is_asked_about_once(self, presidio: Presidio, http: HttpAnalyzer) -> None:
        elsewhere = Elsewhere(http)
        assert await elsewhere.find(_TEXT) == await elsewhere.find(_TEXT)
        assert len(presidio.requests) == 1

    async def test_failure_is_asked_again(self, presidio: Presidio, http: HttpAnalyzer) -> None:
        elsewhere = Elsewhere(http)
        presidio.status = 503
        with pytest.raises(RecogniserUnavailable):
            await elsewhere.find(_TEXT)
        presidio.status = 200
        assert len(await elsewhere.find(_TEXT)) == 1

    async def test_own_rules_do_where_that_was_chosen(self, presidio: Presidio, http: HttpAnalyzer) -> None:
        presidio.status = 503
        elsewhere = Elsewhere(http, [Quills()], on_failure=OnFailure.OWN_RULES)
        assert [span.value for span in await elsewhere.find(_TEXT)] == ["quill"]

    async def test_a_package_works_beside_the_loop(self) -> None:
        here = Whereabouts()
        await Elsewhere(None, [here]).find(_TEXT)
        assert here.threads
        assert threading.get_ident() not in here.threads

    async def test_kinds_of_a_package_can_be_named_by_a_token(self) -> None:
        (span,) = await Elsewhere(None, [Crews("crew id-7")]).find(_TEXT)
        assert tokens_in(f"[{span.kind}_1]")

    async def test_what_a_failing_package_says_is_kept_to_itself(self) -> None:
        with pytest.raises(RecogniserUnavailable, match=r"doesn't answer \(ValueError\)") as caught:
            await Elsewhere(None, [Quoting()]).find(_TEXT)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__

    async def test_a_failing_package_keeps_nobody_else_from_looking(self, http: HttpAnalyzer) -> None:
        elsewhere = Elsewhere(http, [Quoting(), Quills()], on_failure=OnFailure.OWN_RULES)
        assert [span.value for span in await elsewhere.find(_TEXT)] == ["quill", "xanthe quill"]


class TestVault:
    async def test_finds_join_the_own_rules(
        self, database: Database, http: HttpAnalyzer, fixed_clock: FixedClock
    ) -> None:
        vault = Vault(MasterKey(b"m" * 32), fixed_clock, elsewhere=Elsewhere(http))
        await vault.look_ahead(_TEXT)
        async with database.write() as session:
            customer = await vault.open_customer(session, reference=None, verified=False)
            found = await vault.mask(session, customer, _TEXT, detector=Detector())
        assert found.text == "the account of [NAME_1], mail [EMAIL_1]"

    async def test_nothing_is_stored_without_an_answer(
        self, database: Database, presidio: Presidio, http: HttpAnalyzer, fixed_clock: FixedClock
    ) -> None:
        presidio.status = 500
        vault = Vault(MasterKey(b"m" * 32), fixed_clock, elsewhere=Elsewhere(http))
        async with database.write() as session:
            customer = await vault.open_customer(session, reference=None, verified=False)
            with pytest.raises(RecogniserUnavailable, match="nothing was stored"):
                await vault.mask(session, customer, _TEXT, detector=Detector())
            assert await session.all("select kind from vault_token") == []


class TestInstalledRecognisers:
    def test_name_that_nobody_offers(self) -> None:
        with pytest.raises(NoSuchRecogniser, match="there are: none"):
            installed_recognisers(["taggers"])

    def test_none_is_none(self) -> None:
        assert installed_recognisers([]) == ()
