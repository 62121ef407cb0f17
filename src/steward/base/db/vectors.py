"""Carry vectors to and from pgvector without its Python package.

A float32 array of one dimension becomes a `vector`, a `SparseVector` a `sparsevec`, both in the
binary form of pgvector's `vector_recv` and `sparsevec_recv` (text in COPY); a `vector` or
`halfvec` that comes back becomes an array. Also: a dict becomes `jsonb`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format
from psycopg.types.json import JsonbBinaryDumper, JsonbDumper


@dataclass(frozen=True, slots=True)
class SparseVector:
    """A vector that is mostly zero."""

    dimensions: int
    indices: NDArray[np.int32]
    """From 0, ascending, each once."""
    values: NDArray[np.float32]

    def __str__(self) -> str:
        pairs = zip(self.indices.tolist(), self.values.tolist(), strict=True)
        return "{" + ",".join(f"{index + 1}:{value!r}" for index, value in pairs) + f"}}/{self.dimensions}"


class _VectorText(Dumper):
    def dump(self, obj: NDArray[Any]) -> Buffer:
        return ("[" + ",".join(map(repr, obj.tolist())) + "]").encode()


class _VectorBinary(Dumper):
    format = Format.BINARY

    def dump(self, obj: NDArray[Any]) -> Buffer:
        if obj.ndim != 1:
            raise ValueError(f"a vector has one dimension, not {obj.ndim}")
        return struct.pack(">HH", obj.shape[0], 0) + obj.astype(">f4").tobytes()


class _SparseText(Dumper):
    def dump(self, obj: SparseVector) -> Buffer:
        return str(obj).encode()


class _SparseBinary(Dumper):
    format = Format.BINARY

    def dump(self, obj: SparseVector) -> Buffer:
        head = struct.pack(">iii", obj.dimensions, len(obj.indices), 0)
        return head + obj.indices.astype(">i4").tobytes() + obj.values.astype(">f4").tobytes()


class _VectorLoader(Loader):
    def load(self, data: Buffer) -> NDArray[np.float32]:
        return np.array(bytes(data)[1:-1].split(b","), dtype=np.float32)


def register_dumpers(context: AdaptContext) -> None:
    """Teach a connection to send vectors and JSON; the form registered last is preferred."""
    adapters = context.adapters
    adapters.register_dumper(np.ndarray, _VectorText)
    adapters.register_dumper(np.ndarray, _VectorBinary)
    adapters.register_dumper(SparseVector, _SparseText)
    adapters.register_dumper(SparseVector, _SparseBinary)
    adapters.register_dumper(dict, JsonbBinaryDumper)
    adapters.register_dumper(dict, JsonbDumper)


async def vector_types(connection: AsyncConnection[Any]) -> tuple[int, ...]:
    """Return the ids that `vector` and `halfvec` have in this database; none before the extension."""
    cursor = await connection.execute(
        "select t::oid::int8 from unnest(array[to_regtype('vector'), to_regtype('halfvec')]) t "
        "where t is not null"
    )
    return tuple(row[0] for row in await cursor.fetchall())


def register_loaders(context: AdaptContext, types: tuple[int, ...]) -> None:
    """Teach a connection to return vectors as arrays."""
    for oid in types:
        context.adapters.register_loader(oid, _VectorLoader)
