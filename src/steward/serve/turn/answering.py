"""From passages to verified sentences: models first, one second try, then the knowledge base's own words.

A producer reads the model's stream and verifies each sentence as it becomes whole; whoever says
them takes all that are ready, so that sentences ready together share a commit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import structlog

from steward.base.clock import Clock
from steward.serve.turn.drafts import Draft, plain
from steward.serve.turn.faults import Fault, in_words
from steward.serve.turn.generate import Answering, Proposed, Spent, generate, quote
from steward.serve.turn.judging import Verdict
from steward.serve.turn.receive import Received
from steward.serve.turn.record import Findings
from steward.serve.turn.runtime import Runtime
from steward.serve.turn.timing import Notes, Stage
from steward.serve.turn.verify import Checked, prepare, verify
from steward.supply.knowledge.contracts import Passage
from steward.supply.models.errors import ModelError

EXTRACTIVE = "extractive"
CUT_OFF = "cut off by verification"
VERIFICATION_FAILED = "verification failed"
JUDGED = {
    Verdict.SUPPORTED: None,
    Verdict.UNSUPPORTED: Fault.JUDGED_UNSUPPORTED,
    Verdict.UNCLEAR: Fault.NOT_JUDGED,
    Verdict.NO_ANSWER: Fault.NOT_JUDGED,
}
"""What a verdict makes of an answer."""
_QUALIFIES = (
    "however",
    "but",
    "unless",
    "except",
    "only if",
    "although",
    "though",
    "provided",
    "this doesn't",
    "not if",
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A verified sentence and the passages it stands on."""

    text: str
    cited: tuple[Passage, ...]
    ending: str


Batch = tuple[list[Sentence], bool]


class Answerer:
    """Produces the sentences of an answer; built once by the composition root."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @asynccontextmanager
    async def sentences(
        self, received: Received, runtime: Runtime, notes: Notes, findings: Findings
    ) -> AsyncIterator[AsyncIterator[Batch]]:
        """Give an iterator over batches of sentences that are ready together; the last is marked."""
        ready: asyncio.Queue[Sentence | None] = asyncio.Queue()
        attempt = _Attempt(received, runtime, notes, findings, self._clock)
        producer = asyncio.create_task(_produce(attempt, ready))
        try:
            yield _batches(ready, producer)
        finally:
            producer.cancel()
            await asyncio.gather(producer, return_exceptions=True)


async def _produce(attempt: _Attempt, ready: asyncio.Queue[Sentence | None]) -> None:
    try:
        async for sentence in attempt.sentences():
            ready.put_nowait(sentence)
    finally:
        ready.put_nowait(None)


async def _batches(
    ready: asyncio.Queue[Sentence | None], producer: asyncio.Task[None]
) -> AsyncIterator[Batch]:
    last = False
    while not last:
        batch: list[Sentence] = []
        item = await ready.get()
        while item is not None:
            batch.append(item)
            if ready.empty():
                await asyncio.sleep(0)  # lets the producer add what has already arrived
            if ready.empty():
                break
            item = ready.get_nowait()
        last = item is None
        if last:
            await producer
        yield batch, last


class _Attempt:
    """One turn's tries at an answer."""

    def __init__(
        self, received: Received, runtime: Runtime, notes: Notes, findings: Findings, clock: Clock
    ) -> None:
        self._received = received
        self._runtime = runtime
        self._notes = notes
        self._findings = findings
        self._clock = clock
        assert findings.evidence is not None
        self._passages = findings.evidence.passages
        self._context = " ".join([said.text for said in received.history] + [received.text])
        self._said: list[str] = list(received.sent)
        self._told_before = plain(" ".join(received.sent))
        self._rejected: Checked | None = None
        understood = findings.understood
        category = understood.category.name if understood else None
        self._judge = runtime.judge if runtime.judge and runtime.judge.concerns(category) else None
        self._prepared: asyncio.Future[None] | None = None

    async def sentences(self) -> AsyncIterator[Sentence]:
        """Yield verified sentences; sets the findings' model, route, tokens and cost."""
        if self._runtime.chain is not None:
            # Takes milliseconds for passages that no turn had before; the model's first words take longer.
            loop = asyncio.get_running_loop()
            self._prepared = loop.run_in_executor(None, prepare, self._passages)
            for try_number in range(2):
                asked = self._ask_model(try_number)
                async for sentence in self._held(asked, try_number) if self._judge else asked:
                    yield sentence
                if self._rejected is None:
                    return
                if self._rejected.reason is Fault.NOT_JUDGED:
                    break
                if self._said and self._rejected.draft.text.lower().startswith(_QUALIFIES):
                    self._findings.route = CUT_OFF
                    return
            self._findings.route = VERIFICATION_FAILED
            if self._said:
                return
        for sentence in self._quoted():
            yield sentence

    async def _ask_model(self, try_number: int) -> AsyncIterator[Sentence]:
        """Yield what one stream gives until it ends or a sentence is rejected."""
        correction = None
        if self._rejected is not None:
            correction = (
                f"A sentence of yours couldn't be sent. {in_words(self._rejected.reason)} "
                "Answer again from the passages alone, with a citation behind every sentence "
                "that states a fact."
            )
        self._rejected = None
        stream = generate(
            self._received.text,
            self._received.history,
            self._passages,
            self._runtime,
            today=self._clock.now().date(),
            already_said=self._said,
            correction=correction,
        )
        try:
            waiting_since = time.perf_counter()
            async for piece in stream:
                self._notes.add(Stage.GENERATE, time.perf_counter() - waiting_since)
                match piece:
                    case Answering():
                        self._findings.model, self._findings.route = piece.model, piece.reason
                        self._notes.decide(Stage.GENERATE, "model", model=piece.model, reason=piece.reason)
                    case Spent():
                        self._spend(piece)
                    case Proposed():
                        self._findings.proposed = piece.workflow
                        self._notes.decide(Stage.GENERATE, "proposed", workflow=piece.workflow)
                    case Draft():
                        sentence = self._verified(piece, try_number)
                        if sentence is not None:
                            yield sentence
                        elif self._was_rejected():
                            return
                waiting_since = time.perf_counter()
        except ModelError as error:
            log.warning("model_failed", sentence=str(error))
            self._notes.decide(Stage.GENERATE, "model_failed", sentence=str(error))
            self._findings.route = "model failed"
            if not self._said:
                for quoted in self._quoted():
                    yield quoted
        finally:
            await stream.aclose()

    async def _held(self, asked: AsyncIterator[Sentence], try_number: int) -> AsyncIterator[Sentence]:
        """Yield what one stream gives after the judge has read all of it."""
        held = [sentence async for sentence in asked]
        by_model = [sentence for sentence in held if self._findings.model != EXTRACTIVE]
        if by_model and not await self._was_confirmed(by_model, try_number):
            said = {sentence.text for sentence in held}
            self._said = [text for text in self._said if text not in said]
            return
        for sentence in held:
            yield sentence

    async def _was_confirmed(self, held: Sequence[Sentence], try_number: int) -> bool:
        """Ask the judge about sentences that passed the other checks, and note what it says."""
        assert self._judge is not None
        text = " ".join(sentence.text for sentence in held)
        begun = time.perf_counter()
        judged = await self._judge.judge(self._received.text, text, self._passages)
        self._notes.add(Stage.VERIFY, time.perf_counter() - begun)
        self._spend(Spent(judged.prompt_tokens, judged.completion_tokens, judged.cost))
        reason = JUDGED[judged.verdict]
        self._notes.decide(
            Stage.VERIFY, "confirmed" if reason is None else "dropped", text=text, reason=reason,
            support=float(reason is None), attempt=try_number + 1, judge=judged.says,
        )  # fmt: skip
        if reason is not None:
            self._findings.dropped += len(held)
            self._rejected = Checked(Draft(text, ()), reason, 0.0)
        return reason is None

    def _was_rejected(self) -> bool:
        return self._rejected is not None

    def _was_said(self, draft: Draft) -> bool:
        """Tell whether this turn has said the sentence, now or before a crash cut it off."""
        return draft.text in self._said or plain(draft.text) in self._told_before

    def _verified(self, draft: Draft, try_number: int) -> Sentence | None:
        if not draft.text or self._was_said(draft):
            return None
        with self._notes.stage(Stage.VERIFY):
            checked = verify(draft, self._passages, self._context, self._runtime.policy)
        self._notes.decide(
            Stage.VERIFY, "sent" if checked.passed else "dropped", text=draft.text, reason=checked.reason,
            support=round(checked.support, 3), attempt=try_number + 1,
        )  # fmt: skip
        if not checked.passed:
            self._findings.dropped += 1
            self._rejected = checked
            return None
        self._said.append(draft.text)
        return self._sentence(draft)

    def _sentence(self, draft: Draft) -> Sentence:
        return Sentence(draft.text, tuple(self._passages[number - 1] for number in draft.cited), draft.ending)

    def _quoted(self) -> list[Sentence]:
        """Answer in the knowledge base's own sentences, verified like any other."""
        with self._notes.stage(Stage.GENERATE):
            understood = self._findings.understood
            question = understood.query if understood else self._received.text
            drafts = quote(question, self._passages, self._runtime)
        if self._findings.model is None or self._findings.route in ("model failed", VERIFICATION_FAILED):
            self._findings.model = EXTRACTIVE
            self._findings.route = self._findings.route or EXTRACTIVE
        sentences = []
        for draft in drafts:
            with self._notes.stage(Stage.VERIFY):
                checked = verify(draft, self._passages, self._context, self._runtime.policy)
            self._notes.decide(
                Stage.VERIFY, "sent" if checked.passed else "dropped", text=draft.text, reason=checked.reason,
                support=round(checked.support, 3), attempt=0,
            )  # fmt: skip
            if checked.passed and not self._was_said(draft):
                self._said.append(draft.text)
                sentences.append(self._sentence(draft))
            elif not checked.passed:
                self._findings.dropped += 1
        return sentences

    def _spend(self, spent: Spent) -> None:
        findings = self._findings
        findings.prompt_tokens = (findings.prompt_tokens or 0) + spent.prompt_tokens
        findings.completion_tokens = (findings.completion_tokens or 0) + spent.completion_tokens
        if spent.cost is not None:
            findings.cost = (findings.cost or Decimal(0)) + spent.cost
