"""Everything that a turn needs of its release, built once and kept.

After start-up a turn reads no file and opens no connection of its own.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from steward.base.db.contracts import Database
from steward.base.language import answerable, injection, moderation
from steward.base.language.answerable import AnswerableHead
from steward.base.language.contracts import Classifier, Embedder
from steward.base.language.grounding import GroundingHead
from steward.base.language.injection import InjectionHead
from steward.base.language.moderation import ModerationHead
from steward.base.language.names import NameTagger
from steward.base.language.nearest import NearestExamples
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.tagged import TaggedNames, words_of
from steward.serve.conversations.service import Opening
from steward.serve.turn.deciding import Bounds, Costs, bounds_of, costs_of
from steward.serve.turn.guard import GuardRules
from steward.serve.turn.guard_tools import GuardedConnector
from steward.serve.turn.judging import Judge
from steward.serve.turn.overrides import OverrideWords
from steward.serve.turn.reading import Reading
from steward.serve.turn.verify import Policy, compile_policy
from steward.serve.workflows.contracts import Procedure, Run
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.schema.connectors import System
from steward.supply.assistant.schema.intents import Category, Intent
from steward.supply.connectors.contracts import Connector, OperationSpec, SystemSpec
from steward.supply.knowledge.search import Search
from steward.supply.models.contracts import ChatModel
from steward.supply.models.pricing import Prices
from steward.supply.models.resilience import ModelChain
from steward.supply.releases.assignment import Baseline
from steward.supply.releases.contracts import ExampleVectors, LoadedRelease
from steward.supply.releases.service import Releases

KEPT = 8


@dataclass(frozen=True, slots=True)
class Runtime:
    """One release, ready to answer.

    `retrieval` encodes what knowledge is searched for; `chain` is None where only extractive answers
    are configured. `aims` are the vectors of the intents' titles: where a search for something of that intent
    looks first; `costs` are the categories'. Two releases with one `head_digest` understand alike.
    """

    release_id: str
    folder: Folder
    embedder: Embedder
    retrieval: Embedder
    intent_head: Classifier
    intents: Mapping[str, Intent]
    categories: Mapping[str, Category]
    costs: Mapping[str, Costs]
    bounds: Bounds
    answerable: AnswerableHead
    overrides: OverrideWords
    reading: Reading
    aims: Mapping[str, NDArray[np.float32]]
    detector: Detector
    guard_rules: GuardRules
    policy: Policy
    search: Search
    chain: ModelChain | None
    prices: Mapping[str, Prices | None]
    procedures: Mapping[str, Procedure]
    head_digest: str = ""
    judge: Judge | None = None


@dataclass(frozen=True, slots=True)
class Models:
    """The chat models that a folder's configuration comes to on this installation."""

    chain: ModelChain | None
    prices: Mapping[str, Prices | None]
    judge: ModelChain | None = None


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a runtime is made of besides its release, opened on the event loop."""

    search: Search
    aims: Mapping[str, NDArray[np.float32]]
    models: Models
    connector: Connector


class Outside(Protocol):
    """Builds what talks to the outside for a release; the composition root implements it."""

    def models(self, folder: Folder) -> Models:
        """Return the folder's models whose secrets this installation has."""
        ...

    def connector(self, systems: Sequence[SystemSpec]) -> Connector:
        """Return a caller of business systems."""
        ...

    def other_bot(self, baseline: Baseline) -> ChatModel:
        """Return the bot that answered before Steward.

        Raises:
            KeyMissing: its secret isn't installed.
        """
        ...

    def is_word(self, word: str) -> bool:
        """Tell whether a word stands in the embedding's vocabulary."""
        ...


class Runtimes:
    """Builds and keeps runtimes; also tells others what a release says and how it masks."""

    def __init__(
        self,
        *,
        releases: Releases,
        database: Database,
        embedder: Embedder,
        retrieval: Embedder,
        outside: Outside,
    ) -> None:
        self._releases = releases
        self._database = database
        self._embedder = embedder
        self._retrieval = retrieval
        self._outside = outside
        self._kept: OrderedDict[str, Runtime] = OrderedDict()
        self._building: dict[str, asyncio.Lock] = {}
        self._other_bots: dict[Baseline, ChatModel] = {}

    def forget(self) -> None:
        """Build every runtime anew at its next use: a secret has come or gone."""
        self._kept.clear()
        self._other_bots.clear()

    def ready(self, release_id: str) -> Runtime | None:
        """Return a runtime that is already built."""
        return self._kept.get(release_id)

    async def of(self, release_id: str) -> Runtime:
        """Return a release's runtime, built at its first use."""
        if (runtime := self._kept.get(release_id)) is not None:
            self._kept.move_to_end(release_id)
            return runtime
        async with self._building.setdefault(release_id, asyncio.Lock()):
            if (runtime := self._kept.get(release_id)) is None:
                runtime = await self._build(await self._releases.load(release_id))
                self._kept[release_id] = runtime
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return runtime

    async def opening(
        self, assistant: str, *, simulated: bool = False, release_id: str | None = None
    ) -> Opening:
        """Return what new conversations of an assistant start with, on its lane's release or a given one."""
        if release_id is None:
            release_id = (await self._releases.traffic(assistant, simulated=simulated)).release_id
        folder = (await self.of(release_id)).folder
        return Opening(release_id, folder.assistant.title, folder.assistant.greeting)

    async def with_procedure(self, runtime: Runtime, run: Run) -> Runtime:
        """Return a runtime on which a run goes on as its own release defines it."""
        if run.release_id == runtime.release_id:
            return runtime
        pinned = await self.procedure(run.release_id, run.workflow)
        return replace(runtime, procedures={**runtime.procedures, run.workflow: pinned})

    def other_bot(self, baseline: Baseline) -> ChatModel:
        """Return the bot that answers for a baseline, connected at its first use."""
        if baseline not in self._other_bots:
            self._other_bots[baseline] = self._outside.other_bot(baseline)
        return self._other_bots[baseline]

    async def give_back_text(self, release_id: str) -> str:
        """Return the sentence said when the assistant has the word again."""
        return (await self.of(release_id)).folder.desk.give_back_text

    async def idle_minutes(self, assistant: str) -> int:
        """Return after how long without a word an assistant's conversations are over."""
        return (await self.of((await self.opening(assistant)).release_id)).folder.desk.idle_minutes

    async def detector(self, release_id: str) -> Detector:
        """Return a release's masking rules."""
        return (await self.of(release_id)).detector

    async def procedure(self, release_id: str, workflow: str) -> Procedure:
        """Return a workflow's procedure as the release defines it."""
        return (await self.of(release_id)).procedures[workflow]

    async def queue(self, release_id: str, workflow: str) -> str:
        """Return the queue of the humans who answer for a workflow: its category's, or the desk's own."""
        runtime = await self.of(release_id)
        category = runtime.categories[runtime.procedures[workflow].definition.category]
        return category.queue or runtime.folder.desk.default_queue

    async def _build(self, release: LoadedRelease) -> Runtime:
        search = await Search.open(
            self._database, release.snapshot_id, inert=[item.passage_id for item in release.inert]
        )
        aims = await self._aims(release.folder)
        systems = [system_spec(system) for system in release.folder.connectors.systems]
        parts = _Parts(search, aims, self._outside.models(release.folder), self._outside.connector(systems))
        # Unpacking heads and compiling rules takes some 200 ms, which turns of other releases don't wait for.
        return await asyncio.to_thread(self._assembled, release, parts)

    def _assembled(self, release: LoadedRelease, parts: _Parts) -> Runtime:
        """Return a runtime of what was opened; a blocking call."""
        folder, guardrails, search = release.folder, release.folder.guardrails, parts.search
        detector = masking_of(release, search)
        head = InjectionHead.from_bytes(release.heads[injection.NAME], encoder=self._embedder.name)
        connector = GuardedConnector(
            parts.connector,
            head=head,
            embedder=self._embedder,
            threshold=float(guardrails.injection.document_threshold),
        )
        return Runtime(
            release_id=release.id,
            folder=folder,
            embedder=self._embedder,
            retrieval=self._retrieval,
            intent_head=release.intent_head,
            intents={intent.name: intent for intent in folder.intents.intents},
            categories={category.name: category for category in folder.intents.categories},
            costs={
                category.name: costs_of(category.expected_costs) for category in folder.intents.categories
            },
            bounds=bounds_of(
                guardrails,
                release.intent_head,
                {intent.name for intent in folder.intents.intents if intent.workflow is not None},
            ),
            answerable=AnswerableHead.from_bytes(release.heads[answerable.NAME]),
            overrides=OverrideWords(guardrails.override_words, is_word=self._outside.is_word),
            reading=Reading(
                own_texts(folder),
                is_word=lambda word: self._outside.is_word(word) or search.statistics.has(word),
            ),
            aims=parts.aims,
            detector=detector,
            guard_rules=guard_rules_of(
                release, head, encoder=self._embedder.name, is_word=self._outside.is_word
            ),
            policy=policy_of(release, detector),
            search=search,
            chain=parts.models.chain,
            prices=parts.models.prices,
            procedures={
                name: Procedure(name, definition, connector) for name, definition in folder.workflows.items()
            },
            head_digest=release.artefacts["intent_head"],
            judge=judge_of(folder, parts.models),
        )

    async def _aims(self, folder: Folder) -> Mapping[str, NDArray[np.float32]]:
        intents = folder.intents.intents
        vectors = await self._retrieval.embed([intent.title for intent in intents])
        return {intent.name: vector for intent, vector in zip(intents, vectors, strict=True)}


def nearest(examples: ExampleVectors) -> NearestExamples:
    """Return examples in the form that finds the nearest one."""
    return NearestExamples(examples.labels, examples.vectors)


def own_texts(folder: Folder) -> Iterator[str]:
    """Yield what the folder's intents are called and asked like."""
    for intent in folder.intents.intents:
        yield intent.title
        yield from intent.examples


def masking_of(release: LoadedRelease, search: Search) -> Detector:
    """Return a release's masking: its folder's rules, and a head that takes none of its words for names."""
    folder, rules = release.folder, release.folder.guardrails.masking
    own_words = words_of(
        [
            *(example for intent in folder.intents.intents for example in intent.examples),
            *folder.assistant.other_languages.values(),
        ]
    )
    names = TaggedNames(
        NameTagger.from_bytes(release.heads["names"]),
        is_own_word=lambda word: word in own_words or search.statistics.has(word),
    )
    return Detector(
        keep=[(rule.name, rule.pattern) for rule in rules.keep],
        mask=[(rule.name, rule.pattern) for rule in rules.mask],
        recognisers=[names],
    )


def guard_rules_of(
    release: LoadedRelease, head: InjectionHead, *, encoder: str, is_word: Callable[[str], bool]
) -> GuardRules:
    """Return what a release's guard goes by."""
    return GuardRules(
        release.folder.guardrails,
        risks=nearest(release.risk_examples),
        injections=nearest(release.injection_examples),
        injection=head,
        moderation=ModerationHead.from_bytes(release.heads[moderation.NAME], encoder=encoder),
        is_word=is_word,
    )


def policy_of(release: LoadedRelease, detector: Detector) -> Policy:
    """Return what a release's sentences are held against."""
    folder, guardrails = release.folder, release.folder.guardrails
    return compile_policy(
        GroundingHead.from_bytes(release.heads["grounding"]),
        grounding=float(guardrails.evidence.grounding),
        support=float(guardrails.evidence.sentence_support),
        forbidden=guardrails.forbidden_promises,
        instructions=folder.prompts["answer"].template,
        detector=detector,
    )


def judge_of(folder: Folder, models: Models) -> Judge | None:
    """Return the judge of a release; None where the folder has none."""
    asked = folder.guardrails.judge
    if asked is None:
        return None
    return Judge(
        models.judge,
        folder.prompts["judge"],
        frozenset(asked.categories),
        float(asked.deadline_seconds),
        models.prices.get(asked.model),
    )


def system_spec(system: System) -> SystemSpec:
    """Translate a system of the folder into what connectors take."""
    return SystemSpec(
        name=system.name,
        url=system.url,
        secret_name=system.secret,
        operations=tuple(
            OperationSpec(
                system=system.name,
                name=operation.name,
                method=operation.method,
                path=operation.path,
                effect=operation.effect,
                arguments=operation.arguments,
                find=operation.find,
                deadline_s=float(operation.deadline_seconds),
            )
            for operation in system.operations
        ),
    )
