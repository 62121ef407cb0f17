"""The command line: names, arguments and help. What a command does stands in `commands/`.

Exit codes: 0 done, 1 it ran and the answer is no, 2 it could not run.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from steward import __version__
from steward.app.command_line.access import app as access
from steward.app.command_line.eval import app as evaluation
from steward.app.command_line.governance import governance
from steward.app.command_line.key import app as key
from steward.app.command_line.kpi import kpi
from steward.app.command_line.ledger import ledger
from steward.app.command_line.mask import mask
from steward.app.command_line.prompts import app as prompts
from steward.app.command_line.release import release
from steward.app.command_line.retention import erase, retention, subject_export
from steward.app.command_line.rollout import rollout
from steward.app.command_line.simulate import simulate

Folder = Annotated[Path, Parameter(help="The assistant folder.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for other programs.")]
DataDir = Annotated[
    Path | None, Parameter(name="--data-dir", help="Where the embedded database and secrets are kept.")
]

app = App(
    name="steward",
    help="A support assistant that acts safely and proves that it pays.",
    version=__version__,
)
intents = App(name="intents", help="Train and evaluate the intent head of a folder.")
knowledge = App(name="knowledge", help="Look at a folder's knowledge.")
db = App(name="db", help="The database's schema.")
secret = App(name="secret", help="Keys of models and systems, kept in the data directory.")
for group in (intents, knowledge, prompts, release, evaluation, rollout, governance, ledger, db, secret, key):
    app.command(group)
app.command(access)
app.command(simulate)
app.command(mask)
app.command(kpi)
app.command(retention)
app.command(erase)
app.command(subject_export)


@app.command
def init(folder: Path, *, template: str = "blank") -> int:
    """Write a new assistant folder.

    Args:
        folder: where to write it; must be empty or not there.
        template: `blank` for a small start, `northline` for the whole sample.
    """
    from steward.app.commands.folder import init_folder

    return init_folder(folder, template)


@app.command
def check(folder: Folder = Path(), *, json: Json = False) -> int:
    """Find every fault of a folder, with file and line. Exits 1 when there are any."""
    from steward.app.commands.folder import check_folder

    return check_folder(folder, as_json=json)


@app.command
def up(
    folder: Annotated[Path | None, Parameter(help="The assistant folder.")] = None,
    *,
    demo: bool = False,
    traffic: bool = True,
    port: int | None = None,
    host: str | None = None,
    data_dir: DataDir = None,
) -> int:
    """Start database, server and worker for a laptop, and take changes of the folder as they come.

    Args:
        folder: the assistant folder; with --demo a copy of the sample unless given.
        demo: start the sample's business system as well and show the demo page.
        traffic: let simulated customers rehearse two changes in the demo, once.
        port: port to listen on.
        host: address to listen on.
        data_dir: where everything is kept.
    """
    from steward.app.commands.up import run_up

    return run_up(folder, demo=demo, traffic=traffic, port=port, host=host, data_dir=data_dir)


@app.command
def serve(
    assistant: str, *, port: int | None = None, host: str | None = None, data_dir: DataDir = None
) -> int:
    """Serve the release that an assistant serves, for production. Start as many as you need.

    Args:
        assistant: the assistant's name.
        port: port to listen on.
        host: address to listen on.
        data_dir: where key and caches are kept.
    """
    from steward.app.commands.serving import run_serve

    return run_serve(assistant, port=port, host=host, data_dir=data_dir)


@app.command
def worker(assistant: str, *, data_dir: DataDir = None) -> int:
    """Do the background work of an assistant without serving HTTP.

    Args:
        assistant: the assistant's name.
        data_dir: where key and caches are kept.
    """
    from steward.app.commands.serving import run_worker

    return run_worker(assistant, data_dir=data_dir)


@app.command
def chat(
    folder: Folder = Path(),
    *,
    message: Annotated[
        str | None, Parameter(name=["--message", "-m"], help="One message, one answer.")
    ] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Talk to an assistant in the terminal."""
    from steward.app.commands.chat import run_chat

    return run_chat(folder, message=message, as_json=json, data_dir=data_dir)


@app.command
def replay(turn: str, *, release: str | None = None, json: Json = False, data_dir: DataDir = None) -> int:
    """Run a past turn again, with effects off, and compare.

    Args:
        turn: the turn's id.
        release: another release than the turn's own.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.replay import run_replay

    return run_replay(turn, release=release, as_json=json, data_dir=data_dir)


@app.command
def doctor(*, json: Json = False, data_dir: DataDir = None) -> int:
    """Check everything Steward needs on this machine. Exits 1 when something is wrong."""
    from steward.app.commands.doctor import run_doctor

    return run_doctor(as_json=json, data_dir=data_dir)


@intents.command(name="train")
def intents_train(folder: Folder = Path(), *, json: Json = False, data_dir: DataDir = None) -> int:
    """Train the folder's intent head and say how long it took and what it is."""
    from steward.app.commands.intents import run_train

    return run_train(folder, as_json=json, data_dir=data_dir)


@intents.command(name="evaluate")
def intents_evaluate(folder: Folder = Path(), *, json: Json = False, data_dir: DataDir = None) -> int:
    """Cross-validate the folder's intents: accuracy, mixed-up pairs, examples that look mislabelled."""
    from steward.app.commands.intents import run_evaluate

    return run_evaluate(folder, as_json=json, data_dir=data_dir)


@intents.command(name="calibrate")
def intents_calibrate(
    assistant: str, *, write: Path | None = None, json: Json = False, data_dir: DataDir = None
) -> int:
    """Say which thresholds reviewed turns suggest for the next release. Exits 1 when they say too little.

    Args:
        assistant: whose turns; those of the release that it serves count.
        write: a folder whose guardrails.yaml takes the suggested values.
    """
    from steward.app.commands.calibrate import run_calibrate

    return run_calibrate(assistant, write=write, as_json=json, data_dir=data_dir)


@knowledge.command(name="search")
def knowledge_search(
    query: str, folder: Folder = Path(), *, limit: int = 6, json: Json = False, data_dir: DataDir = None
) -> int:
    """Show what the assistant would find for a question.

    Args:
        query: the question.
        folder: the assistant folder.
        limit: how many passages.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.knowledge import run_search

    return run_search(query, folder, limit=limit, as_json=json, data_dir=data_dir)


@db.command(name="upgrade")
def db_upgrade(*, data_dir: DataDir = None) -> int:
    """Bring the database's schema to this version."""
    from steward.app.commands.database import run_upgrade

    return run_upgrade(data_dir=data_dir)


@secret.command(name="set")
def secret_set(name: str, *, data_dir: DataDir = None) -> int:
    """Store a key that the folder names, read from standard input.

    Args:
        name: the name that assistant.yaml or connectors.yaml uses.
        data_dir: where everything is kept.
    """
    from steward.app.commands.secret import run_set

    return run_set(name, data_dir=data_dir)


def main() -> None:
    """Run the command line; every expected error becomes one sentence and exit code 2."""
    from steward.base.errors import StewardError

    try:
        code = app(result_action="return_value")
    except StewardError as error:
        print(f"steward: {error}", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    sys.exit(code if isinstance(code, int) else 0)
