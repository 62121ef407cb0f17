"""`steward eval`: names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for other programs.")]
DataDir = Annotated[
    Path | None, Parameter(name="--data-dir", help="Where the embedded database and secrets are kept.")
]
Repeats = Annotated[
    int | None,
    Parameter(help="Attempts at each case; by default 1 where answers can't differ, else 3."),
]
PerMinute = Annotated[
    int | None, Parameter(name="--per-minute", help="Customer messages a minute at most, for slow models.")
]
Demo = Annotated[
    bool, Parameter(negative="", help="Start the sample's business system for cases that need one.")
]
Fresh = Annotated[
    bool, Parameter(negative="", help="Start over instead of going on with an interrupted run.")
]
Junit = Annotated[Path | None, Parameter(help="Write the cases as JUnit XML into this file.")]
Markdown = Annotated[Path | None, Parameter(help="Write a summary as Markdown into this file.")]

app = App(name="eval", help="Run evaluation cases and compare releases before traffic moves.")


@app.command
def run(
    release: str = ".",
    *,
    case: Annotated[list[str] | None, Parameter(help="Run only this case; may be repeated.")] = None,
    repeats: Repeats = None,
    per_minute: PerMinute = None,
    demo: Demo = False,
    fresh: Fresh = False,
    junit: Junit = None,
    markdown: Markdown = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Run a release's evaluation cases, effects off. Exits 1 when one fails.

    Args:
        release: an assistant folder, or a release's id, its beginning, or its number.
        case: run only this case; may be repeated.
        repeats: attempts at each case.
        per_minute: customer messages a minute at most.
        demo: start the sample's business system.
        fresh: start over.
        junit: write JUnit XML there.
        markdown: write Markdown there.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.evaluate import Options, run_cases

    options = Options(repeats, per_minute, demo, fresh, junit, markdown, json, data_dir)
    return run_cases(release, options, names=tuple(case or ()))


@app.command
def compare(
    candidate: str,
    baseline: str,
    *,
    repeats: Repeats = None,
    per_minute: PerMinute = None,
    demo: Demo = False,
    fresh: Fresh = False,
    junit: Junit = None,
    markdown: Markdown = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Run two releases on the same cases and say whether the candidate got worse. Exits 1 when it did.

    Args:
        candidate: the folder or release that wants traffic.
        baseline: the folder or release that has it.
        repeats: attempts at each case.
        per_minute: customer messages a minute at most.
        demo: start the sample's business system.
        fresh: start over.
        junit: write JUnit XML there.
        markdown: write Markdown there.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.evaluate import Options, run_comparison

    options = Options(repeats, per_minute, demo, fresh, junit, markdown, json, data_dir)
    return run_comparison(candidate, baseline, options)
