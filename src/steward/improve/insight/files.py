"""KPIs of files: Parquet or CSV with the columns of `conversations` and `turns`, read by DuckDB.

A source is one file, or a directory with `conversations.*` and `turns.*` (files, or directories of
Parquet parts). DuckDB is imported when a source is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from steward.base.errors import InvalidInput
from steward.improve.insight.contracts import (
    By,
    Figure,
    Kpi,
    Method,
    Over,
    Parameters,
    Quantile,
    Scope,
    Sums,
)
from steward.improve.insight.figures import figure_of
from steward.improve.insight.kpis import SHARE
from steward.improve.insight.tables import TABLES, Kind
from steward.improve.insight.transpile import Engine, columns_of, figure_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".gz": "read_csv"}
_DUCKDB_KINDS = {
    Kind.UUID: "varchar",
    Kind.TEXT: "varchar",
    Kind.BOOLEAN: "boolean",
    Kind.INTEGER: "bigint",
    Kind.NUMBER: "double",
    Kind.TIME: "timestamp with time zone",
}
_REQUIRED = {
    Over.CONVERSATIONS: ("id", "opened_at"),
    Over.TURNS: ("id", "conversation_id", "started_at"),
}
_DEFAULTS = {
    Over.CONVERSATIONS: {
        "simulated": "false", "state": "'closed'", "assistant": "''", "last_at": "null",
        "ended_at": "opened_at",
    },
    Over.TURNS: {"simulated": "false", "assistant": "''", "finished_at": "started_at"},
}  # fmt: skip
"""What stands in for columns that another system's logs don't have."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """Opened files; `columns` are those that each table has."""

    connection: DuckDBPyConnection
    columns: Mapping[Over, frozenset[str]]

    def lacks(self, kpi: Kpi) -> str | None:
        """Return what a KPI would need that isn't there, or None."""
        over = Over.TURNS if isinstance(kpi, Quantile) else kpi.over
        there = self.columns.get(over)
        if there is None:
            return f"the table {over.value}"
        missing = sorted(columns_of(kpi) - there)
        return f"the column {over.value}.{missing[0]}" if missing else None

    def figures(
        self, kpi: Kpi, parameters: Parameters, scope: Scope, *, by: By | None = None
    ) -> dict[str, Figure]:
        """Return a KPI's figures by part; the only part is `all` unless split.

        Raises:
            InvalidInput: the files lack something that the KPI reads.
        """
        if missing := self.lacks(kpi):
            raise InvalidInput(f"the files lack {missing}, which the KPI '{kpi.name}' reads")
        rows = self.connection.execute(figure_sql(kpi, Engine.DUCKDB, parameters, scope, by=by)).fetchall()
        if isinstance(kpi, Quantile):
            return {str(part): Figure(value, None, None, n, Method.NONE) for part, n, value in rows}
        return {str(row[0]): figure_of(Sums(*row[1:]), share=kpi.unit == SHARE) for row in rows}


def open_files(source: Path) -> FileSource:
    """Open a file or a directory; a blocking call.

    Raises:
        InvalidInput: there is nothing that can be read, or a table lacks its id or its time.
    """
    import duckdb

    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    columns: dict[Over, frozenset[str]] = {}
    try:
        for over, reader in _readers_of(connection, source).items():
            columns[over] = _define(connection, over, reader)
    except duckdb.Error as error:
        raise InvalidInput(f"{source}: this can't be read: {str(error).splitlines()[0]}") from error
    if not columns:
        raise InvalidInput(
            f"{source}: no conversations or turns here; give a Parquet or CSV file, or a directory with "
            "conversations.parquet and turns.parquet"
        )
    return FileSource(connection, columns)


def _readers_of(connection: DuckDBPyConnection, source: Path) -> dict[Over, str]:
    if source.is_dir():
        found = {over: _reader(sorted(source.glob(f"{over.value}*"))) for over in Over}
        return {over: reader for over, reader in found.items() if reader is not None}
    reader = _reader([source]) if source.exists() else None
    if reader is None:
        return {}
    return {Over.TURNS if "conversation_id" in _columns(connection, reader) else Over.CONVERSATIONS: reader}


def _reader(paths: list[Path]) -> str | None:
    for path in paths:
        if path.is_dir():
            return f"read_parquet('{_quoted(path)}/**/*.parquet', union_by_name = true)"
        if reader := _READERS.get(path.suffix):
            return f"{reader}('{_quoted(path)}')"
    return None


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _columns(connection: DuckDBPyConnection, reader: str) -> list[str]:
    return [row[0] for row in connection.execute(f"describe select * from {reader}").fetchall()]


def _define(connection: DuckDBPyConnection, over: Over, reader: str) -> frozenset[str]:
    there = _columns(connection, reader)
    if missing := [name for name in _REQUIRED[over] if name not in there]:
        raise InvalidInput(f"the table {over.value} lacks the column {missing[0]}")
    kinds = {column.name: _DUCKDB_KINDS[column.kind] for column in TABLES[over]}
    listed = [f"cast({name} as {kinds[name]}) as {name}" for name in there if name in kinds]
    defaults = {name: value for name, value in _DEFAULTS[over].items() if name not in there}
    listed += [f"cast({value} as {kinds[name]}) as {name}" for name, value in defaults.items()]
    connection.execute(f"create view {over.value} as select {', '.join(listed)} from {reader}")
    return frozenset(there) | defaults.keys()
