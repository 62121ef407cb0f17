"""An installation's own figures: the service level and the windows that its served release declares."""

from __future__ import annotations

from steward.base.db.contracts import ReadSession
from steward.improve.insight.contracts import Parameters
from steward.supply.assistant.schema.rollout import Rollout
from steward.supply.assistant.yaml_nodes import plain
from steward.supply.assistant.yaml_reading import read_yaml
from steward.supply.releases.bundle import unpack

FILE = "rollout.yaml"


def parameters_of(rollout: Rollout) -> Parameters:
    """Return what a folder's `rollout.yaml` says."""
    return Parameters(
        slow_ms=float(rollout.slow_seconds) * 1000,
        idle_minutes=float(rollout.maturity.idle_minutes),
        survey_hours=float(rollout.maturity.survey_hours),
        recontact_hours=float(rollout.maturity.recontact_hours),
    )


class ServedParameters:
    """Reads and remembers the figures of the release that an assistant serves."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Parameters]] = {}

    async def of(self, session: ReadSession, assistant: str) -> Parameters:
        """Return the figures of the served release, the defaults where nothing is served."""
        row = await session.one(
            "select release_id from serving where assistant = %s and not simulated", (assistant,)
        )
        if row is None:
            return Parameters()
        known = self._known.get(assistant)
        if known is not None and known[0] == row[0]:
            return known[1]
        stored = await session.one("select bundle from release where id = %s", (row[0],))
        found = _parsed(bytes(stored[0])) if stored else Parameters()
        self._known[assistant] = (row[0], found)
        return found


def _parsed(bundle: bytes) -> Parameters:
    content = unpack(bundle).get(FILE)
    tree = read_yaml(content, file=FILE)[0] if content else None
    return parameters_of(Rollout.model_validate(plain(tree))) if tree is not None else Parameters()
