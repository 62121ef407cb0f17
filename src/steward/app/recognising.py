"""Recognisers of personal data besides Steward's own, as the settings name them."""

from __future__ import annotations

import os

from steward.app.settings import Settings
from steward.govern.privacy.external import (
    Analyzer,
    Elsewhere,
    HttpAnalyzer,
    OnFailure,
    installed_recognisers,
)
from steward.supply.connectors.secrets import InstalledSecrets


def elsewhere_of(settings: Settings) -> Elsewhere | None:
    """Return the recognisers that the settings name; None where there are none.

    Raises:
        NoSuchRecogniser: no installed package offers one.
    """
    if settings.recogniser_url is None and not settings.recognisers:
        return None
    analyzer = None
    if settings.recogniser_url is not None:
        secrets = InstalledSecrets(os.environ, settings.data_dir / "secrets")
        analyzer = HttpAnalyzer(
            Analyzer(
                url=settings.recogniser_url,
                entities=settings.recogniser_entities,
                language=settings.recogniser_language,
                least_score=settings.recogniser_score,
                timeout_s=settings.recogniser_timeout_ms / 1000,
                token=secrets.find(settings.recogniser_secret),
            )
        )
    return Elsewhere(
        analyzer,
        installed_recognisers(settings.recognisers),
        on_failure=OnFailure(settings.recogniser_failure),
    )
