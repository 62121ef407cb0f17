"""`steward mask`: a file of texts, masked in bulk, in memory that doesn't grow with the file."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, TextIO

from steward.app.commands.console import print_json
from steward.base.errors import InvalidInput
from steward.base.language.names import NameTagger
from steward.base.language.shipped import shipped
from steward.govern.privacy.bulk import StreamMasker, mask_many
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.tagged import TaggedNames
from steward.supply.assistant.personal_documents import detector_of
from steward.supply.assistant.reading import read_folder

_CHUNK = 64_000


class BadLine(InvalidInput):
    """A line isn't an object, or a field that should hold text doesn't."""

    def __init__(self, file: Path, line: int, problem: str) -> None:
        super().__init__(f"{file}:{line} {problem}; nothing after it was written.")


class NoFile(InvalidInput):
    """The file can't be read, or the other one can't be written."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(f"{file} can't be opened: {problem}.")


class NotText(InvalidInput):
    """The file isn't UTF-8."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"{file} isn't text in UTF-8; turn it into that first.")


class NoSuchFields(InvalidInput):
    """No line has text in any of the fields, so nothing could have been masked."""

    def __init__(self, file: Path, fields: Sequence[str]) -> None:
        super().__init__(
            f"No line of {file} has text in {' or '.join(fields)}, so nothing was written; "
            "name its fields with --field."
        )


def run_mask(
    file: Path,
    out: Path,
    *,
    fields: Sequence[str],
    conversation: str | None,
    folder: Path | None,
    processes: int,
    as_json: bool,
) -> int:
    """Mask a text in a stream, or the fields of the objects of a .jsonl file.

    Raises:
        NoFile: one can't be opened, or both are the same.
        NotText: it isn't UTF-8.
        BadLine: a line isn't an object, or a field isn't text.
        NoSuchFields: no line has the fields.
        FolderFaults: the folder can't be read.
    """
    make = partial(_detector, folder)
    if out.exists() and file.exists() and out.samefile(file):
        raise NoFile(out, "a file can't be masked into itself")
    detector = make()
    try:
        with (
            file.open(encoding="utf-8-sig") as source,
            # Half a surrogate pair is written as JSON's escape for it.
            out.open("w", encoding="utf-8", errors="backslashreplace") as target,
        ):
            if file.suffix == ".jsonl":
                maker = make if processes > 1 else lambda: detector
                counts = _lines(file, source, target, fields, conversation, maker, processes)
            else:
                counts = _text(source, target, detector)
    except OSError as error:
        raise NoFile(Path(error.filename or file), error.strerror or "unknown") from error
    except UnicodeDecodeError:
        # Without its cause, which quotes bytes of the file.
        raise NotText(file) from None
    except NoSuchFields:
        out.unlink()
        raise
    if as_json:
        print_json({"out": str(out), "replaced": dict(sorted(counts.items()))})
    else:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items())) or "nothing"
        print(f"{out}: replaced {kinds}")
    return 0


def _detector(folder: Path | None) -> Detector:
    names = TaggedNames(NameTagger.from_bytes(shipped()["names"]))
    if folder is None:
        return Detector(recognisers=[names])
    return detector_of(read_folder(folder).guardrails.masking, recognisers=[names])


def _text(source: TextIO, target: TextIO, detector: Detector) -> Counter[str]:
    masker = StreamMasker(detector)
    while chunk := source.read(_CHUNK):
        target.write(masker.feed(chunk))
    target.write(masker.close())
    return Counter(masker.counts)


def _lines(
    file: Path,
    source: TextIO,
    target: TextIO,
    fields: Sequence[str],
    conversation: str | None,
    make: Callable[[], Detector],
    processes: int,
) -> Counter[str]:
    """Mask conversation by conversation; lines of one stand in a row.

    Raises:
        NoSuchFields: there are lines, and none has text in any of the fields.
    """
    counts = Counter[str]()
    rows_read = texts_read = 0
    waiting: deque[list[dict[str, Any]]] = deque()

    def conversations() -> Iterator[list[str]]:
        read = enumerate(_objects(file, source, fields), start=1)
        for _, rows in groupby(
            read, key=lambda row: row[0] if conversation is None else row[1].get(conversation)
        ):
            objects = [row for _, row in rows]
            waiting.append(objects)
            yield [row[field] for row in objects for field in fields if isinstance(row.get(field), str)]

    for masked in mask_many(conversations(), make, processes=processes):
        counts.update(masked.counts)
        texts_read += len(masked.texts)
        texts = iter(masked.texts)
        for row in waiting.popleft():
            rows_read += 1
            for field in fields:
                if isinstance(row.get(field), str):
                    row[field] = next(texts)
            target.write(json.dumps(row, ensure_ascii=False) + "\n")
    if rows_read and not texts_read:
        raise NoSuchFields(file, fields)
    return counts


def _objects(file: Path, source: TextIO, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(source, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            # Without its cause, which quotes the line.
            raise BadLine(file, number, "isn't JSON") from None
        if not isinstance(row, dict):
            raise BadLine(file, number, "isn't an object")
        for field in fields:
            if not isinstance(row.get(field), str | None):
                raise BadLine(file, number, f"has something in {field} that isn't text")
        yield row
