"""`steward mask`: names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number


def mask(
    file: Annotated[Path, Parameter(help="A text, or .jsonl with one object on a line.")],
    *,
    out: Annotated[Path, Parameter(help="The file to write.")],
    field: Annotated[tuple[str, ...], Parameter(help="Fields of the objects that hold text.")] = ("text",),
    conversation: Annotated[
        str | None, Parameter(help="Field that tells which conversation a line belongs to; lines in a row.")
    ] = None,
    folder: Annotated[Path | None, Parameter(help="The assistant folder whose masking rules apply.")] = None,
    processes: Annotated[
        int, Parameter(validator=Number(gte=1, lte=64), help="How many processes work, at most 64.")
    ] = 1,
    json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> int:
    """Mask a file in bulk: documents, or another system's logs. Values aren't kept and can't be turned back.

    Args:
        file: what to mask.
        out: where to write it.
        field: fields that hold text.
        conversation: the field that names a conversation.
        folder: the assistant folder.
        processes: how many processes work.
        json: print JSON.
    """
    from steward.app.commands.mask import run_mask

    return run_mask(
        file, out, fields=field, conversation=conversation, folder=folder, processes=processes, as_json=json
    )
