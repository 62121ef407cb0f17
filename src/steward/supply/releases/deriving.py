"""Derives from a folder what a turn computes with: the intent head, embedded examples, trained heads.

The same folder, encoder, trainer and seed give the same artefacts; across machines the last bits
of floating point may differ, so artefacts have digests of their own and aren't part of the id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from steward.base.digests import sha256_hex
from steward.base.language import injection
from steward.base.language.contracts import Classifier, Embedder, LabelledText, Vectors
from steward.base.language.injection import InjectionHead
from steward.base.language.shipped import Heads, bundled, shipped, unbundled
from steward.supply.assistant.crosschecks.intents import normalised
from steward.supply.assistant.folder import Folder
from steward.supply.knowledge import inert
from steward.supply.knowledge.contracts import Audience, SourceDocument
from steward.supply.knowledge.inert import Inert, inert_passages
from steward.supply.releases.contracts import ExampleVectors, Progress
from steward.supply.releases.identity import Makers
from steward.supply.releases.vectors import from_bytes, to_bytes

INTENT_HEAD: Final = "intent_head"
RISK_EXAMPLES: Final = "risk_examples"
INJECTION_EXAMPLES: Final = "injection_examples"
HEADS: Final = "heads"
"""Copies of the heads that came with Steward when the release was made."""
INERT_PASSAGES: Final = "inert_passages"
"""Passages that look like orders to the assistant; no search finds them."""
ARTEFACTS: Final = (INTENT_HEAD, RISK_EXAMPLES, INJECTION_EXAMPLES, HEADS, INERT_PASSAGES)
INJECTION: Final = "injection"
"""The one label of injection examples."""
_BATCH: Final = 256
"""Texts embedded between two reports of progress, about a second's work."""


@dataclass(frozen=True, slots=True)
class Derived:
    """Artefacts by name, as bytes and as digests."""

    contents: Mapping[str, bytes]
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Artefacts:
    """Artefacts as a turn uses them."""

    intent_head: Classifier
    risk_examples: ExampleVectors
    injection_examples: ExampleVectors
    heads: Heads
    inert: tuple[Inert, ...]


def current_makers(embedder: Embedder, retrieval: Embedder) -> Makers:
    """Return what this installation makes releases with. Imports the trainer: call it in a thread.

    Args:
        embedder: the encoder of messages and examples.
        retrieval: the encoder of knowledge, often the same.
    """
    from steward.base.language.intent_head import TRAINER_VERSION
    from steward.supply.knowledge.lexical import LEXICAL_VERSION
    from steward.supply.knowledge.splitting import SPLITTER_VERSION

    return Makers(
        encoder=embedder.digest,
        trainer=str(TRAINER_VERSION),
        splitter=f"{SPLITTER_VERSION}/{LEXICAL_VERSION}",
        retrieval=None if retrieval.digest == embedder.digest else retrieval.digest,
        heads=sha256_hex(bundled(shipped())),
    )


async def derive(folder: Folder, embedder: Embedder, *, seed: int, progress: Progress) -> Derived:
    """Embed the folder's examples and train its head, beside the event loop."""
    examples = [
        LabelledText(text=example, label=intent.name)
        for intent in folder.intents.intents
        for example in dict.fromkeys(intent.examples)
    ]
    outside = out_of_scope_texts(folder)
    risks = [(rule.name, example) for rule in folder.guardrails.risks for example in rule.examples]
    injections = folder.guardrails.injection.examples
    texts = [*(example.text for example in examples), *outside, *(text for _, text in risks), *injections]
    vectors = await _embed(texts, embedder, progress)
    scoped, rest = vectors[: len(examples)], vectors[len(examples) :]
    unscoped, guarded = rest[: len(outside)], rest[len(outside) :]
    progress(f"training on {len(examples)} examples of {len(folder.intents.intents)} intents")
    rejection = float(folder.guardrails.confidence.scope_rejection)
    head = await asyncio.to_thread(_train, examples, scoped, outside, unscoped, rejection, seed)
    labels = tuple(name for name, _ in risks)
    contents = {
        INTENT_HEAD: head,
        RISK_EXAMPLES: to_bytes(ExampleVectors(labels, guarded[: len(risks)])),
        INJECTION_EXAMPLES: to_bytes(ExampleVectors((INJECTION,) * len(injections), guarded[len(risks) :])),
        HEADS: await asyncio.to_thread(lambda: bundled(shipped())),
        INERT_PASSAGES: inert.to_bytes(await _inert(folder, embedder, progress)),
    }
    return Derived(contents, {name: sha256_hex(content) for name, content in contents.items()})


def out_of_scope_texts(folder: Folder) -> tuple[str, ...]:
    """Return what belongs to no intent: the folder's rows, and counter-examples that nobody claims."""
    claimed = {normalised(example) for intent in folder.intents.intents for example in intent.examples}
    counters = [
        counter
        for intent in folder.intents.intents
        for counter in intent.counter_examples
        if normalised(counter) not in claimed
    ]
    return tuple(dict.fromkeys([*folder.intents.out_of_scope, *counters]))


def read_artefacts(contents: Mapping[str, bytes]) -> Artefacts:
    """Read what `derive` wrote.

    Raises:
        UnreadableHead: the head's bytes are of another form.
        ValueError: the examples' bytes are of another form.
    """
    from steward.base.language.intent_head import IntentHead

    return Artefacts(
        intent_head=IntentHead.from_bytes(contents[INTENT_HEAD]),
        risk_examples=from_bytes(contents[RISK_EXAMPLES]),
        injection_examples=from_bytes(contents[INJECTION_EXAMPLES]),
        heads=Heads(unbundled(contents[HEADS])),
        inert=inert.from_bytes(contents[INERT_PASSAGES]),
    )


def source_documents(folder: Folder) -> tuple[SourceDocument, ...]:
    """Return the folder's documents in the form that knowledge takes."""
    return tuple(
        SourceDocument(
            path=document.path,
            content=document.content,
            title=document.meta.title,
            audience=Audience[document.meta.audience.name],
            groups=document.meta.groups,
            owner=document.meta.owner,
            valid_from=document.meta.valid_from,
            valid_until=document.meta.valid_until,
            review_by=document.meta.review_by,
            source=document.meta.source,
        )
        for document in folder.documents
    )


async def _inert(folder: Folder, embedder: Embedder, progress: Progress) -> tuple[Inert, ...]:
    """Return the passages of a folder that look like orders to the assistant."""
    progress(f"looking for hidden orders in {len(folder.documents)} documents")
    content = shipped()[injection.NAME]
    head = InjectionHead.from_bytes(content, encoder=embedder.name)
    threshold = float(folder.guardrails.injection.document_threshold)
    found = await inert_passages(
        source_documents(folder),
        embedder=embedder,
        head=head,
        head_digest=sha256_hex(content),
        threshold=threshold,
    )
    for item in found:
        progress(f"left out of answers: a passage of {item.path} looks like an order to the assistant")
    return found


async def _embed(texts: Sequence[str], embedder: Embedder, progress: Progress) -> Vectors:
    made: list[Vectors] = [np.zeros((0, embedder.dimensions), np.float32)]
    for start in range(0, len(texts), _BATCH):
        progress(f"embedding examples: {start} of {len(texts)}")
        made.append(await embedder.embed(texts[start : start + _BATCH]))
    return np.concatenate(made)


def _train(
    examples: Sequence[LabelledText],
    vectors: Vectors,
    outside: Sequence[str],
    outside_vectors: Vectors,
    rejection: float,
    seed: int,
) -> bytes:
    from steward.base.language.intent_head import train_intent_head

    head = train_intent_head(
        examples,
        vectors,
        out_of_scope=outside,
        out_of_scope_vectors=outside_vectors,
        scope_rejection=rejection,
        seed=seed,
    )
    return head.to_bytes()
