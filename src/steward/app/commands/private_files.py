"""Files with something personal or binding in them: for this user alone, written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from steward.base.errors import InvalidInput


class BadFile(InvalidInput):
    """The file can't be written, or its name doesn't say in which form."""


@contextmanager
def private_file(file: Path) -> Iterator[Callable[[bytes], None]]:
    """Give what writes a file, once a place is found to take it.

    A file that is there already stays as it is until then, and for good where nothing is written.

    Raises:
        BadFile: it can't be written.
    """
    if file.exists() and not file.is_file():
        raise BadFile(f"{file} can't be written: it isn't a plain file.")
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _refused(file, error) from error
    with os.fdopen(handle, "wb") as stream:

        def write(content: bytes) -> None:
            try:
                stream.write(content)
                stream.flush()
                os.replace(draft, file)
            except OSError as error:
                raise _refused(file, error) from error

        try:
            yield write
        finally:
            draft.unlink(missing_ok=True)


def _refused(file: Path, error: OSError) -> BadFile:
    return BadFile(f"{file} can't be written: {error.strerror or 'unknown problem'}.")
