"""`steward knowledge search`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from steward.app.commands.console import OPERATOR, prepared, print_json, run_async, say
from steward.app.commands.folder import report_faults
from steward.app.foundation import open_foundation
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.reading import read_folder
from steward.supply.knowledge.contracts import Audience
from steward.supply.knowledge.search import Search


def run_search(query: str, folder: Path, *, limit: int, as_json: bool, data_dir: Path | None) -> int:
    """Show the passages that a public question would find."""
    settings = prepared(data_dir)
    try:
        read = read_folder(folder)
    except FolderFaults as error:
        report_faults(error)
        return 1

    async def work() -> int:
        async with open_foundation(settings, say=say) as foundation:
            release = await foundation.releases.create(read, created_by=OPERATOR, progress=say)
            loaded = await foundation.releases.load(release.id)
            inert = [item.passage_id for item in loaded.inert]
            search = await Search.open(foundation.store.database, release.snapshot_id, inert=inert)
            vector = (await foundation.retrieval.embed([query]))[0]
            found = await search.find(
                query,
                vector,
                audience=Audience.PUBLIC,
                groups=(),
                today=datetime.now(UTC).date(),
                limit=limit,
            )
        needed = float(read.guardrails.evidence.answer_from)
        if as_json:
            passages = [
                {
                    "document": item.document_path,
                    "title": item.title,
                    "score": round(item.score, 4),
                    "text": item.body,
                }
                for item in found.passages
            ]
            print_json({"evidence": round(found.evidence, 4), "answers_from": needed, "passages": passages})
            return 0
        verdict = "answers" if found.evidence >= needed else "asks back"
        print(f"evidence {found.evidence:.2f} (answers from {needed:.2f}): {verdict}")
        for item in found.passages:
            print(f"\n{item.score:.2f}  {item.document_path} › {item.heading}\n{item.body}")
        return 0

    return run_async(work)
