"""What tests on real PostgreSQL need beside the database itself."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from tests.conftest import TestDatabase


@pytest.fixture
def admin_connection(clean_database: TestDatabase) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A superuser's connection to this worker's database."""
    with psycopg.connect(clean_database.admin_url, autocommit=True) as connection:
        yield connection
