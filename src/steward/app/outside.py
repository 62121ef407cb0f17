"""What talks to the world outside for a release: chat models and business systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar
from weakref import WeakSet

import structlog

from steward.serve.turn.runtime import Models
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.schema.assistant import Model
from steward.supply.connectors.contracts import Connector, Secrets, SystemSpec
from steward.supply.connectors.http_json import HttpConnector
from steward.supply.models.errors import KeyMissing
from steward.supply.models.openai_compatible import ModelSpec, OpenAICompatibleModel
from steward.supply.models.pricing import Prices
from steward.supply.models.resilience import ModelChain
from steward.supply.releases.assignment import Baseline

EXTRACTIVE = "extractive"
OTHER_BOT = "baseline"
"""What the bot of an external baseline is called in turns, and its model where none is named."""
log = structlog.get_logger(__name__)
Built = TypeVar("Built", HttpConnector, OpenAICompatibleModel)


class InstalledOutside:
    """Builds models and connectors with this installation's secrets and addresses."""

    def __init__(
        self, *, secrets: Secrets, system_urls: Mapping[str, str], is_word: Callable[[str], bool]
    ) -> None:
        self._secrets = secrets
        self._system_urls = system_urls
        self._is_word = is_word
        self._built: WeakSet[HttpConnector | OpenAICompatibleModel] = WeakSet()

    async def aclose(self) -> None:
        """Close the connections of everything built here that is still in use."""
        for item in tuple(self._built):
            await item.aclose()

    def models(self, folder: Folder) -> Models:
        """Return the models before `extractive` and the judge; one without its secret is passed over."""
        by_name = {model.name: model for model in folder.assistant.models}
        chain: list[OpenAICompatibleModel] = []
        prices: dict[str, Prices | None] = {}
        for name in folder.assistant.answer_with:
            model = by_name[name]
            if model.provider == EXTRACTIVE:
                break
            prices[name] = _prices(model)
            chain += self._opened(model)
        judge = folder.guardrails.judge
        if judge is not None:
            prices[judge.model] = _prices(by_name[judge.model])
        judges = self._opened(by_name[judge.model]) if judge else []
        return Models(ModelChain(chain) if chain else None, prices, ModelChain(judges) if judges else None)

    def _opened(self, model: Model) -> list[OpenAICompatibleModel]:
        try:
            return [self._kept(OpenAICompatibleModel(_spec(model), self._secrets))]
        except KeyMissing as error:
            log.info("model_passed_over", model=model.name, reason=str(error))
            return []

    def connector(self, systems: Sequence[SystemSpec]) -> Connector:
        """Return a caller of the folder's systems, at this installation's addresses."""
        here = [replace(system, url=self._system_urls.get(system.name, system.url)) for system in systems]
        return self._kept(HttpConnector(here, self._secrets))

    def other_bot(self, baseline: Baseline) -> OpenAICompatibleModel:
        """Return the bot that answered before Steward.

        Raises:
            KeyMissing: its secret isn't installed.
        """
        spec = ModelSpec(
            name=OTHER_BOT,
            model=baseline.model or OTHER_BOT,
            url=baseline.url or "",
            secret_name=baseline.secret,
        )
        return self._kept(OpenAICompatibleModel(spec, self._secrets))

    def is_word(self, word: str) -> bool:
        """Tell whether a word stands in the embedding's vocabulary."""
        return self._is_word(word)

    def _kept(self, item: Built) -> Built:
        self._built.add(item)
        return item


def _spec(model: Model) -> ModelSpec:
    return ModelSpec(
        name=model.name,
        model=model.model or model.name,
        url=model.url,
        secret_name=model.secret,
        prices=_prices(model),
        first_token_deadline_s=float(model.first_token_deadline_seconds),
        deadline_s=float(model.deadline_seconds),
        max_output_tokens=model.max_output_tokens,
        temperature=float(model.temperature),
    )


def _prices(model: Model) -> Prices | None:
    if model.prices is None:
        return None
    return Prices(Decimal(model.prices.input_per_million), Decimal(model.prices.output_per_million))
