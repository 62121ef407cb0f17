"""Runs every cross-check."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from steward.supply.assistant.crosschecks.connectors import check_connectors
from steward.supply.assistant.crosschecks.content import check_cases, check_documents, check_prompts
from steward.supply.assistant.crosschecks.intents import check_intents
from steward.supply.assistant.crosschecks.names import check_names
from steward.supply.assistant.crosschecks.secrets import check_secrets
from steward.supply.assistant.crosschecks.settings import (
    check_assistant,
    check_desk,
    check_governance,
    check_guardrails,
    check_rollout,
)
from steward.supply.assistant.crosschecks.workflows import check_workflows
from steward.supply.assistant.draft import Draft
from steward.supply.assistant.faults import Fault


def cross_check(draft: Draft) -> Iterator[Fault]:
    """Yield every fault that only shows when files are read together."""
    return chain(
        check_names(draft),
        check_assistant(draft),
        check_intents(draft),
        check_workflows(draft),
        check_connectors(draft),
        check_guardrails(draft),
        check_desk(draft),
        check_rollout(draft),
        check_governance(draft),
        check_cases(draft),
        check_prompts(draft),
        check_documents(draft),
        check_secrets(draft),
    )
