"""Settings of an installation: from the environment, or `steward.toml` in the data directory.

They have defaults that work on a laptop. What shapes an assistant's behaviour is never here; it
stands in the assistant folder.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from steward.base.errors import Misconfigured
from steward.govern.access.permissions import Role

PREFIX = "STEWARD_"
_READ_ELSEWHERE = ("STEWARD_MASTER_KEY", "STEWARD_OLD_MASTER_KEYS")
"""Names with the prefix that other parts read by themselves."""


class BadSettings(Misconfigured):
    """A setting is wrong or unknown."""


class Settings(BaseSettings):
    """Every setting; the environment variable is STEWARD_ and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", use_attribute_docstrings=True)

    data_dir: Path = Field(default_factory=lambda: Path.home() / ".local" / "share" / "steward")
    """Directory of the embedded database, the master key, caches and secrets."""
    database_url: str | None = None
    """PostgreSQL (16 or newer, with pgvector) to use instead of the embedded one."""
    migration_database_url: str | None = None
    """The same database under a role that may change its schema; defaults to `database_url`."""
    database_connections: int = Field(default=12, ge=2, le=200)
    """Connections that one process keeps at most."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Port to listen on."""
    public_url: str | None = None
    """Address under which customers reach this installation; https makes cookies secure."""
    allowed_origins: tuple[str, ...] = ("*",)
    """Sites whose pages may use the public widget key."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of the proxies in front, whose X-Forwarded-For tells where a caller is."""
    requests_per_minute: int = Field(default=120, ge=1)
    """Calls per minute that one public key may make from one address; five times that from all keys."""
    key_requests_per_minute: int = Field(default=6000, ge=1)
    """Calls per minute that one public key may make from all addresses."""
    messages_per_minute: int = Field(default=60, ge=1)
    """Posts per minute in one conversation that come with a public key or a customer's token."""
    recogniser_url: str | None = None
    """Analyzer of personal data that speaks Presidio's REST API; its finds join the own rules."""
    recogniser_entities: tuple[str, ...] = (
        "PERSON",
        "EMAIL_ADDRESS",
        "PHONE_NUMBER",
        "CREDIT_CARD",
        "IBAN_CODE",
    )
    """What it is asked for, by Presidio's names."""
    recogniser_language: str = "en"
    """The language that it is told."""
    recogniser_score: float = Field(default=0.5, ge=0, le=1)
    """Score from which a find counts."""
    recogniser_timeout_ms: int = Field(default=500, ge=10, le=10_000)
    """How long it may take."""
    recogniser_failure: Literal["refuse", "own_rules"] = "refuse"
    """Without its answer a message is refused, or masked by the own rules alone."""
    recogniser_secret: str = "RECOGNISER_TOKEN"  # noqa: S105 - a name
    """Name of the secret that holds its bearer token, if it wants one."""
    recognisers: tuple[str, ...] = ()
    """Recognisers of installed packages, by the names of their entry points in `steward.recognisers`."""
    reveals_per_hour: int = Field(default=30, ge=1)
    """Values that one person may see unmasked in an hour."""
    key_service_url: str | None = None
    """HashiCorp Vault (or OpenBao) whose transit engine seals the master key, as https://vault:8200."""
    key_service_key: str = "steward"
    """The engine's key that seals it."""
    key_service_mount: str = "transit"
    """Where the engine is mounted."""
    key_service_namespace: str | None = None
    """The namespace, where there are namespaces."""
    key_service_secret: str = "VAULT_TOKEN"  # noqa: S105 - a name
    """Name of the secret that holds the service's token."""
    weights: Path | None = None
    """Directory of the all-MiniLM-L6-v2 files; by default the installed package or a hub's cache."""
    exact_embedding: bool = False
    """Use the model's full precision instead of 8 bits: twice as slow, and release ids differ."""
    embedding_url: str | None = None
    """OpenAI-compatible service (up to and including /v1) that encodes knowledge in place of MiniLM."""
    embedding_model: str = "text-embedding-3-large"
    """Model of that service."""
    embedding_dimensions: int = Field(default=3072, ge=8, le=16000)
    """Length of its vectors."""
    embedding_secret: str = "OPENAI_API_KEY"  # noqa: S105 - a name
    """Name of the secret that holds its key."""
    embedding_threads: int = Field(default=1, ge=1, le=16)
    """Embeddings computed at the same time."""
    customer_token_secret: str | None = Field(default=None, repr=False)
    """Secret (32 bytes or more) with which your own site signs customer tokens (HS256)."""
    customer_token_keys: dict[str, str] = Field(default_factory=dict)
    """Public keys (PEM) by key id that verify your site's customer tokens (RS, PS, ES, Ed25519)."""
    customer_token_keys_url: str | None = None
    """Address at which your site publishes such keys as a JSON Web Key Set; new ones are found there."""
    customer_token_issuers: tuple[str, ...] = ()
    """Issuers that customer tokens may name; none for any that has a trusted key."""
    customer_token_hours: float = Field(default=24, gt=0, le=720)
    """How long a customer token may last at most."""
    oidc_issuer: str | None = None
    """Your identity provider's issuer; staff sign in with it (OpenID Connect)."""
    oidc_client_id: str | None = None
    """What the provider calls this installation."""
    oidc_client_secret: str | None = Field(default=None, repr=False)
    """The client's secret; without one the client is public and protected by PKCE alone."""
    oidc_scopes: tuple[str, ...] = ("openid", "profile", "email")
    """Scopes that are asked for; add the one that brings groups."""
    oidc_title: str = "your identity provider"
    """What the sign-in page calls the provider."""
    oidc_role_claim: str = "groups"
    """Claim that lists a person's groups; dots lead into objects, such as realm_access.roles."""
    oidc_roles: dict[str, str] = Field(default_factory=dict)
    """Roles by group, the most powerful first: a role, or `agent:billing,payments` for a limited one."""
    local_accounts: bool = True
    """Whether passwords sign in; where they don't, those of emergency accounts still do."""
    second_factor_roles: tuple[Role, ...] = ()
    """Roles whose local accounts need a second factor."""
    backup_days: int | None = Field(default=None, ge=0)
    """Days after which no backup holds what was erased; certificates of erasure say so."""
    log_format: Literal["console", "json"] = "console"
    """How log lines are written."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are written."""
    ledger_witness: str | None = None
    """Where signed heads of the ledger are kept besides: a file that grows, or an http(s) address."""
    system_urls: dict[str, str] = Field(default_factory=dict)
    """Addresses of business systems by name, over connectors.yaml's; also STEWARD_SYSTEM_<NAME>_URL."""


def read_settings(environ: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Read the settings; `given` (from the command line) wins, then the environment, then the file.

    Raises:
        BadSettings: a value doesn't fit, or a name isn't a setting's.
    """
    environ = os.environ if environ is None else environ
    chosen = {name: value for name, value in given.items() if value is not None}
    refuse_unknown_names(environ)
    data_dir = Path(chosen.get("data_dir") or environ.get(f"{PREFIX}DATA_DIR") or Settings().data_dir)
    from_file = _file_values(data_dir / "steward.toml")
    known = {name for name in Settings.model_fields if f"{PREFIX}{name.upper()}" in environ}
    values = {**{name: value for name, value in from_file.items() if name not in known}, **chosen}
    values["system_urls"] = {**from_file.get("system_urls", {}), **system_urls(environ)}
    try:
        settings = Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        raise BadSettings(f"The setting {PREFIX}{name.upper()} doesn't fit: {first['msg']}.") from error
    return settings.model_copy(update={"data_dir": settings.data_dir.expanduser().absolute()})


def system_urls(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses of business systems that the environment gives."""
    start, end = f"{PREFIX}SYSTEM_", "_URL"
    return {
        name[len(start) : -len(end)].lower(): value
        for name, value in environ.items()
        if name.startswith(start) and name.endswith(end)
    }


def refuse_unknown_names(environ: Mapping[str, str]) -> None:
    """Refuse a variable that looks like a setting and isn't one.

    Raises:
        BadSettings: with the nearest name there is.
    """
    names = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields] + list(_READ_ELSEWHERE)
    for variable in environ:
        is_system = variable.startswith(f"{PREFIX}SYSTEM_") and variable.endswith("_URL")
        if variable.startswith(PREFIX) and variable not in names and not is_system:
            near = difflib.get_close_matches(variable, names, 1)
            hint = f"; nearest: {near[0]}" if near else ""
            raise BadSettings(
                f"{variable} isn't a setting of Steward{hint}. `steward doctor` lists them all."
            )


def _file_values(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"{path} can't be read as TOML: {error}.") from error
    for name in values:
        if name not in Settings.model_fields:
            near = difflib.get_close_matches(name, list(Settings.model_fields), 1)
            hint = f"; nearest: {near[0]}" if near else ""
            raise BadSettings(f"{path}: '{name}' isn't a setting{hint}.")
    return values
