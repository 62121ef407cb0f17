"""The doctor's sentences, on a healthy store and on broken ones."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from tests.conftest import TestDatabase, locked, scratch_directory

from steward.base.db.doctor import Check, check_binaries, examine


def failures(checks: list[Check]) -> dict[str, str]:
    """Return the sentences of the failed checks; the machine's own free space is not the test's."""
    return {check.name: check.sentence for check in checks if not check.ok and check.name != "disk space"}


class TestExamine:
    async def test_a_current_database_passes(self, app_url: str, owner_url: str, tmp_path: Path) -> None:
        checks = await examine(tmp_path, url=app_url, owner_url=owner_url)
        assert failures(checks) == {}
        assert {"database version", "extension vector", "schema", "writing"} <= {
            check.name for check in checks
        }

    async def test_a_new_one_lacks_its_schema(self, empty_database: TestDatabase, tmp_path: Path) -> None:
        checks = await examine(tmp_path, url=empty_database.app_url)
        sentence = "The database has no tables of Steward yet: run `steward db upgrade`."
        assert failures(checks) == {"schema": sentence}

    async def test_one_without_the_extension(self, empty_database: TestDatabase, tmp_path: Path) -> None:
        with psycopg.connect(empty_database.admin_url) as admin:
            admin.execute("drop extension vector")
        found = failures(await examine(tmp_path, url=empty_database.app_url))
        assert found["extension vector"] == (
            "This database lacks pgvector: run `create extension vector` in it as a superuser."
        )

    @pytest.mark.parametrize(
        ("url", "name", "sentence"),
        [
            (
                "postgresql://a:hidden@127.0.0.1:1/c",
                "database connection",
                "The database at 127.0.0.1:1 doesn't answer (connection refused): "
                "start it, or correct STEWARD_DATABASE_URL.",
            ),
            (
                "mysql://a:hidden@localhost/c",
                "database URL",
                "STEWARD_DATABASE_URL isn't a PostgreSQL URL: write postgresql://user:password@host:5432/database.",
            ),
            (
                "postgresql+asyncpg://a:hidden@localhost/c",
                "database URL",
                "STEWARD_DATABASE_URL names a driver: write postgresql:// instead of postgresql+asyncpg://.",
            ),
            (
                "postgresql://a:hid%zzden@localhost/c",
                "database URL",
                "STEWARD_DATABASE_URL can't be read: write postgresql://user:password@host:5432/database, "
                "with special characters in the password percent-encoded (@ is %40).",
            ),
        ],
    )
    async def test_a_bad_url(self, tmp_path: Path, url: str, name: str, sentence: str) -> None:
        assert failures(await examine(tmp_path, url=url)) == {name: sentence}

    async def test_a_wrong_password(self, app_url: str, tmp_path: Path) -> None:
        wrong = app_url.replace("steward_app:", "steward_app:wrong")
        assert failures(await examine(tmp_path, url=wrong)) == {
            "database connection": "The database refused the role or its password: check the database URL."
        }

    async def test_a_directory_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        found = failures(await examine(tmp_path / "file"))
        assert list(found) == ["data directory"]
        assert "is a file where a directory is needed" in found["data directory"]


class TestExamineOwnServer:
    async def test_a_first_start(self) -> None:
        with TemporaryDirectory(prefix="steward-doctor-", dir=scratch_directory()) as name:
            os.chmod(name, 0o755)
            checks = await examine(Path(name))
            with locked(Path(name) / "postgres" / "guardian.lock"):
                pass
        assert list(failures(checks)) == ["schema"]
        assert {"data directory", "database programs", "embedded database"} <= {
            check.name for check in checks
        }


class TestCheckBinaries:
    def test_they_run_here(self) -> None:
        check = check_binaries()
        assert (check.ok, check.sentence) == (True, "postgres (PostgreSQL) 18.4 is installed.")
