"""Measure retrieval on public question sets: recall, rank, evidence, and the time of a search.

    python benchmarks/retrieval.py DATA_PATH [--only doc2dial tau2 ...] [--keep DIRECTORY]

Each set is published and searched through PostgreSQL as in production. `--keep` names a directory
whose database is kept, so that a second run embeds nothing. Figures are printed as JSON lines
beside "start", what a small BM25 baseline reached on the same files.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import lzma
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from steward.base.clock import SystemClock
from steward.base.db.embedded import APP_ROLE, start_embedded
from steward.base.db.migrations import upgrade
from steward.base.db.pool import PooledDatabase
from steward.base.language.local_embedder import LocalEmbedder
from steward.base.language.scope import auroc
from steward.supply.knowledge.contracts import Audience, SourceDocument
from steward.supply.knowledge.publishing import Knowledge, Progress
from steward.supply.knowledge.search import Search

TODAY = date(2026, 1, 1)
PASSAGES = 100


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the documents that answer it; `answerable` is None where nobody judged it."""

    text: str
    wanted: frozenset[str]
    answerable: bool | None = None


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Documents, questions by variant, and what is measured."""

    name: str
    documents: tuple[SourceDocument, ...]
    variants: dict[str, tuple[Question, ...]]
    cuts: tuple[int, ...]
    start: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search returned: documents in the order of their best passage."""

    ranking: tuple[str, ...]
    evidence: float
    seconds: float


def rows(data: Path, name: str) -> list[dict[str, Any]]:
    """Read one file of the data set."""
    with lzma.open(data / "retrieval" / f"{name}.jsonl.xz", "rt") as lines:
        return [json.loads(line) for line in lines]


def document(path: str, text: str, title: str | None = None) -> SourceDocument:
    """Make a source document of text."""
    return SourceDocument(path, text.encode(), title=title)


def doc2dial(data: Path) -> QuestionSet:
    """Government pages; the question is the last turn, or with the turns before it."""
    pages = rows(data, "doc2dial_docs")
    paths = {page["title"]: f"{number}.txt" for number, page in enumerate(pages)}
    documents = tuple(
        document(paths[page["title"]], page["text"], page["title"].split("#")[0]) for page in pages
    )
    last, history = [], []
    for row in rows(data, "doc2dial_questions"):
        turns = [turn.split(":", 1)[1].strip() for turn in row["question"].split("\t")]
        wanted = frozenset({paths[row["title"]]})
        last.append(Question(turns[0], wanted))
        history.append(Question(" ".join(turns), wanted))
    start = {"last recall@1": 0.456, "history recall@1": 0.820}
    return QuestionSet(
        "doc2dial", documents, {"last": tuple(last), "history": tuple(history)}, (1, 5, 10), start
    )


def awsdocs(data: Path) -> QuestionSet:
    """Technical manuals of 1,765 pages and 52 questions."""
    documents = tuple(document(row["path"], row["text"]) for row in rows(data, "awsdocs_docs_subset"))
    pages = {(path.split("/")[0], path.split("/")[-1]): path for path in (each.path for each in documents)}
    questions = []
    for row in rows(data, "awsdocs_qa"):
        guide, page = row["Document_True"].split("/")[0], row["Document_True"].split("/")[-1]
        questions.append(Question(row["Question"], frozenset({pages.get((guide, page), "")})))
    start = {"all recall@1": 0.673, "all recall@5": 0.923}
    return QuestionSet("awsdocs", documents, {"all": tuple(questions)}, (1, 5), start)


def bankfaq(data: Path) -> QuestionSet:
    """A bank's questions and answers: only the answer is indexed; equal answers count as one."""
    pairs = rows(data, "bankfaq")
    paths = {row["answer"]: f"{number}.txt" for number, row in enumerate(pairs)}
    documents = tuple(document(path, answer, "Bank") for answer, path in paths.items())
    questions = tuple(Question(row["question"], frozenset({paths[row["answer"]]})) for row in pairs)
    return QuestionSet("bankfaq", documents, {"all": questions}, (1, 5), {"all recall@1": 0.446})


def tau2(data: Path) -> QuestionSet:
    """A bank's internal documents; the question is a customer's whole situation in prose."""
    documents = tuple(
        document(f"{row['id']}.md", row["content"], row["title"])
        for row in rows(data, "tau2_banking_kb_698docs")
    )
    questions = tuple(
        Question(
            str(row["user_scenario"]["instructions"]),
            frozenset(f"{name}.md" for name in row["required_documents"]),
        )
        for row in rows(data, "tau2_banking_tasks")
        if row["required_documents"]
    )
    start = {"all recall@10": 0.29, "all recall@20": 0.375}
    return QuestionSet("tau2", documents, {"all": questions}, (10, 20), start)


def mtrag(data: Path) -> QuestionSet:
    """Conversations of which some can't be answered; all their passages together are searched."""
    conversations = rows(data, "mtrag_un")
    texts = {row["document_id"]: row["text"].strip() for each in conversations for row in each["contexts"]}
    documents = tuple(document(f"{name}.txt", text, "Passage") for name, text in texts.items())
    variants: dict[str, list[Question]] = {"last": [], "with the two before": []}
    for row in conversations:
        asked = [turn["text"] for turn in row["input"] if turn["speaker"] == "user"][::-1]
        wanted = frozenset(f"{each['document_id']}.txt" for each in row["contexts"])
        answerable = row["answerability"][0] in ("ANSWERABLE", "PARTIAL")
        variants["last"].append(Question(asked[0], wanted, answerable))
        variants["with the two before"].append(Question(" ".join(asked[:3]), wanted, answerable))
    start = {"last AUROC of evidence": 0.755, "last recall@5": 0.768}
    return QuestionSet(
        "mtrag", documents, {name: tuple(each) for name, each in variants.items()}, (5,), start
    )


SETS: dict[str, Callable[[Path], QuestionSet]] = {
    "doc2dial": doc2dial, "bankfaq": bankfaq, "tau2": tau2, "mtrag": mtrag, "awsdocs": awsdocs,
}  # fmt: skip


async def answers(search: Search, embedder: LocalEmbedder, questions: Sequence[Question]) -> list[Answer]:
    """Search for each question, one after the other."""
    found = []
    vectors = await embedder.embed([question.text for question in questions])
    for question, vector in zip(questions, vectors, strict=True):
        began = time.perf_counter()
        result = await search.find(
            question.text, vector, audience=Audience.PUBLIC, groups=(), today=TODAY, limit=PASSAGES
        )
        seconds = time.perf_counter() - began
        ranking = tuple(dict.fromkeys(passage.document_path for passage in result.passages))
        found.append(Answer(ranking, result.evidence, seconds))
    return found


async def seconds_of_six(
    search: Search, embedder: LocalEmbedder, questions: Sequence[Question]
) -> list[float]:
    """Time searches as a turn makes them: six passages."""
    chosen = questions[:200]
    vectors = await embedder.embed([question.text for question in chosen])
    times = []
    for question, vector in zip(chosen, vectors, strict=True):
        began = time.perf_counter()
        await search.find(question.text, vector, audience=Audience.PUBLIC, groups=(), today=TODAY, limit=6)
        times.append(time.perf_counter() - began)
    return times


def figures(questions: Sequence[Question], found: Sequence[Answer], cuts: Iterable[int]) -> dict[str, float]:
    """Return recall at each cut, mean reciprocal rank and, where judged, AUROC of the evidence."""
    judged = [(q, a) for q, a in zip(questions, found, strict=True) if q.wanted]
    out = {
        f"recall@{cut}": float(
            np.mean([len(q.wanted & set(a.ranking[:cut])) / len(q.wanted) for q, a in judged])
        )
        for cut in cuts
    }
    ranks = [next((i for i, name in enumerate(a.ranking[:10]) if name in q.wanted), None) for q, a in judged]
    out["MRR@10"] = float(np.mean([0 if rank is None else 1 / (rank + 1) for rank in ranks]))
    if questions[0].answerable is not None:
        strong = [(bool(q.answerable), a.evidence) for q, a in zip(questions, found, strict=True)]
        out["AUROC of evidence"] = auroc(
            np.array([evidence for answerable, evidence in strong if answerable]),
            np.array([evidence for answerable, evidence in strong if not answerable]),
        )
    return {name: round(value, 3) for name, value in out.items()}


def told(progress: Progress) -> None:
    """Show progress on the terminal's error stream."""
    if progress.done == progress.total or progress.done % 1024 < 64:
        print(f"{progress.doing}: {progress.done} of {progress.total}", file=sys.stderr)


async def measure(question_set: QuestionSet, database: PooledDatabase, embedder: LocalEmbedder) -> None:
    """Publish one set, search it and print its figures."""
    knowledge = Knowledge(database, SystemClock())
    published = await knowledge.publish(question_set.documents, embedder=embedder, progress=told)
    search = await Search.open(database, published.snapshot_id)
    for variant, questions in question_set.variants.items():
        found = await answers(search, embedder, questions)
        times = np.array(await seconds_of_six(search, embedder, questions)) * 1000
        start = {key: value for key, value in question_set.start.items() if key.startswith(variant)}
        print(
            json.dumps(
                {
                    "set": question_set.name,
                    "variant": variant,
                    "documents": published.documents,
                    "passages": published.passages,
                    "questions": len(questions),
                    **figures(questions, found, question_set.cuts),
                    "start": start,
                    "search_p50_ms": round(float(np.percentile(times, 50)), 2),
                    "search_p95_ms": round(float(np.percentile(times, 95)), 2),
                }
            ),
            flush=True,
        )


async def run(data: Path, directory: Path, names: Sequence[str]) -> None:
    """Measure the named sets on a database in `directory`."""
    server = await start_embedded(directory / "database", progress=lambda _: None, sync=False)
    upgrade(server.owner_url, app_role=APP_ROLE)
    database = await PooledDatabase.open(server.app_url)
    embedder = LocalEmbedder.open(directory / "models")
    try:
        for name in names:
            await measure(SETS[name](data), database, embedder)
    finally:
        embedder.close()
        await database.close()
        await server.detach()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        asyncio.run(run(options.data, options.keep, options.only))
        return
    with tempfile.TemporaryDirectory(prefix="steward-retrieval-") as directory:
        asyncio.run(run(options.data, Path(directory), options.only))


if __name__ == "__main__":
    main()
