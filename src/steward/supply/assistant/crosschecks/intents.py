"""Intents and categories: what they refer to exists, and no example belongs to two of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from steward.supply.assistant.draft import Draft
from steward.supply.assistant.faults import Fault, shortened
from steward.supply.assistant.schema.intents import Intent
from steward.supply.assistant.yaml_nodes import Path

FILE: Final = "intents.yaml"
FEWEST_INTENTS: Final = 2
FEWEST_EXAMPLES: Final = 5
"""The schema's own minimum, counted in examples that differ."""
_NOT_WORDS: Final = re.compile(r"[^\w]+")


def normalised(text: str) -> str:
    """Return what is compared: words in lower case without punctuation."""
    return _NOT_WORDS.sub(" ", text.casefold()).strip()


def check_intents(draft: Draft) -> Iterator[Fault]:
    """Yield faults of intents.yaml that need other files or other intents."""
    intents = draft.intents
    if intents is None:
        return
    queues = draft.names("desk.yaml", "queues")
    for index, category in enumerate(intents.categories):
        said = (
            f"category '{category.name}' hands over to queue '{category.queue}', which desk.yaml doesn't have"
        )
        path = ("categories", index, "queue")
        yield from draft.unknown(FILE, path, category.queue, known=queues, sentence=said)
    categories = draft.names(FILE, "categories")
    for index, intent in enumerate(intents.intents):
        said = f"intent '{intent.name}' belongs to category '{intent.category}', which isn't defined above"
        path = ("intents", index, "category")
        yield from draft.unknown(FILE, path, intent.category, known=categories, sentence=said)
        if intent.workflow is not None:
            said = (
                f"intent '{intent.name}' offers workflow '{intent.workflow}', which workflows/ doesn't have"
            )
            path = ("intents", index, "workflow")
            names = draft.workflow_names
            yield from draft.unknown(FILE, path, intent.workflow, known=names, sentence=said)
    if len(draft.names(FILE, "intents") or ()) < FEWEST_INTENTS:
        yield draft.fault(
            FILE, ("intents",), f"an assistant needs at least {FEWEST_INTENTS} intents to tell apart"
        )
    yield from _examples(draft, intents.intents, intents.out_of_scope)


def _examples(draft: Draft, intents: tuple[Intent, ...], out_of_scope: tuple[str, ...]) -> Iterator[Fault]:
    owners: dict[str, tuple[str, Path]] = {}
    for index, intent in enumerate(intents):
        own = set()
        for number, example in enumerate(intent.examples):
            path = ("intents", index, "examples", number)
            text = normalised(example)
            own.add(text)
            if not text:
                yield draft.fault(FILE, path, f"example '{shortened(example)}' has no words")
                continue
            owner, first = owners.setdefault(text, (intent.name, path))
            if owner != intent.name:
                yield _shared(draft, path, example, owner, first)
        if len(own) < FEWEST_EXAMPLES:
            said = f"only {len(own)} examples of '{intent.name}' differ; it needs at least {FEWEST_EXAMPLES}"
            yield draft.fault(FILE, ("intents", index, "examples"), said)
        for number, example in enumerate(intent.counter_examples):
            if normalised(example) in own:
                said = f"'{shortened(example)}' is example and counter-example of '{intent.name}'; delete one"
                yield draft.fault(FILE, ("intents", index, "counter_examples", number), said)
    for number, message in enumerate(out_of_scope):
        if (found := owners.get(normalised(message))) is not None:
            yield _shared(draft, ("out_of_scope", number), message, *found)


def _shared(draft: Draft, path: Path, example: str, owner: str, first: Path) -> Fault:
    line = draft.sources[FILE].place(first).line
    said = f"'{shortened(example)}' is already an example of '{owner}' (line {line}); it can't mean both"
    return draft.fault(FILE, path, said)
