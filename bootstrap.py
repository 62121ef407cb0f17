"""Set up Steward's environment from a bare Python: `python3 bootstrap.py [--spark] [--provider]`.

Makes `.venv`, installs the exact, hashed versions of `requirements.lock` into it and this checkout
in editable form; with --spark also those of `requirements-spark.lock`, which only the comparison of
engines needs; with --provider a real identity provider into `.provider`, with which tests sign in.
Uses the standard library alone; the Makefile calls it, and it works where make isn't.
A second run that finds nothing changed returns at once.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
SPARK_LOCK = ROOT / "requirements-spark.lock"
PROVIDER_LOCK = ROOT / "requirements-provider.lock"
VENV = ROOT / ".venv"
PROVIDER_VENV = ROOT / ".provider"
STAMP = VENV / "steward-installed.txt"
SPARK_STAMP = VENV / "spark-installed.txt"
PROVIDER_STAMP = PROVIDER_VENV / "provider-installed.txt"
OLDEST, NEWEST = (3, 11), (3, 13)


def main() -> int:
    """Set the environment up and return the process's exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--spark", action="store_true", help="install Spark as well (480 MB; needs Java to run)"
    )
    parser.add_argument(
        "--provider", action="store_true", help="install the identity provider that tests sign in with"
    )
    given = parser.parse_args()
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        return refuse(
            f"Steward needs Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}; this is "
            f"{sys.version.split()[0]}. Run bootstrap.py with another interpreter, "
            "for example: make demo PYTHON=python3.12"
        )
    steps = [(STAMP, installed_fingerprint(), set_up)]
    if given.spark:
        steps.append((SPARK_STAMP, spark_fingerprint(), install_spark))
    if given.provider:
        steps.append((PROVIDER_STAMP, provider_fingerprint(), install_provider))
    started, done = time.monotonic(), False
    try:
        for stamp, fingerprint, step in steps:
            if not (stamp.exists() and stamp.read_text() == fingerprint):
                step()
                stamp.write_text(fingerprint)
                done = True
    except subprocess.CalledProcessError as error:
        return refuse(f"`{' '.join(map(str, error.cmd))}` failed with exit code {error.returncode}.")
    if done:
        say(f"environment ready after {time.monotonic() - started:.0f} s")
    return 0


def installed_fingerprint() -> str:
    """Return a digest of all that decides what is installed: lock, project table, interpreter, place."""
    project = (ROOT / "pyproject.toml").read_text().split("\n[tool.")[0]
    inputs = [LOCK.read_bytes(), project.encode(), sys.version.encode()]
    return hashlib.sha256(b"\0".join([*inputs, str(ROOT).encode()])).hexdigest()


def spark_fingerprint() -> str:
    """Return a digest of what decides which Spark is installed, and into which environment."""
    return hashlib.sha256(SPARK_LOCK.read_bytes() + b"\0" + sys.version.encode()).hexdigest()


def provider_fingerprint() -> str:
    """Return a digest of what decides which identity provider is installed."""
    return hashlib.sha256(PROVIDER_LOCK.read_bytes() + b"\0" + sys.version.encode()).hexdigest()


def set_up() -> None:
    """Make the environment and install everything that Steward needs."""
    make_environment()
    install()


def make_environment() -> None:
    """Create `.venv` unless one of this interpreter is there; say what is missing without venv."""
    if python_of(VENV).exists() and interpreter_of(VENV) == sys.version:
        return
    if VENV.exists():
        shutil.rmtree(VENV)
    say("1/3 making the environment .venv")
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        print(made.stdout.strip() or made.stderr.strip(), file=sys.stderr)
        raise SystemExit(
            refuse("this Python can't make environments; on Debian and Ubuntu: apt install python3-venv")
        )


def install() -> None:
    """Install the lock (with uv, which the lock pins as well) and then this checkout."""
    python, environment = python_of(VENV), install_environment()
    say("2/3 fetching the pinned packages (about 250 MB, a minute or two)")
    uv_lines = locked_lines("uv")
    pinned_uv = VENV / "uv-requirement.txt"
    pinned_uv.write_text("\n".join(uv_lines) + "\n")
    quiet_pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run([*quiet_pip, "--no-deps", "--require-hashes", "-r", str(pinned_uv)], environment)
    uv_install = uv_install_command()
    run([*uv_install, "--require-hashes", "--compile-bytecode", "-r", str(LOCK)], environment)
    say("3/3 installing Steward itself")
    run([*uv_install, "--no-build-isolation", "--quiet", "--editable", str(ROOT)], environment)


def install_spark() -> None:
    """Install Spark's lock; its distribution is built from its own archive."""
    say("fetching Spark (480 MB)")
    locked = ["--require-hashes", "--build-constraints", str(SPARK_LOCK), "-r", str(SPARK_LOCK)]
    run([*uv_install_command(), *locked], install_environment())


def install_provider() -> None:
    """Make an environment for the identity provider and install its lock there."""
    say("fetching the identity provider for tests (60 MB)")
    shutil.rmtree(PROVIDER_VENV, ignore_errors=True)
    run([sys.executable, "-m", "venv", "--without-pip", str(PROVIDER_VENV)], install_environment())
    command = [*uv_install_command(PROVIDER_VENV), "--require-hashes", "-r", str(PROVIDER_LOCK)]
    run(command, {**install_environment(), "VIRTUAL_ENV": str(PROVIDER_VENV)})


def uv_install_command(environment: Path = VENV) -> list[str]:
    """Return uv's command to install exactly what is listed into an environment."""
    uv, python = str(python_of(VENV)), str(python_of(environment))
    return [uv, "-m", "uv", "pip", "install", "--python", python, "--no-deps"]


def install_environment() -> dict[str, str]:
    """Return the environment variables that installers run with."""
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1", "VIRTUAL_ENV": str(VENV)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def python_of(environment: Path) -> Path:
    """Return where an environment's interpreter lies."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def interpreter_of(environment: Path) -> str | None:
    """Return the version text of an environment's interpreter, or None where it doesn't run."""
    asked = [str(python_of(environment)), "-c", "import sys; print(sys.version, end='')"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def locked_lines(name: str) -> list[str]:
    """Return the lines of the lock that pin one distribution, hashes included."""
    lines: list[str] = []
    for line in LOCK.read_text().splitlines():
        if line.startswith(f"{name}==") or (lines and line.startswith("    ")):
            lines.append(line)
        elif lines:
            break
    return lines


def run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, check=True, env=environment, cwd=ROOT)


def say(text: str) -> None:
    print(f"steward setup: {text}", flush=True)


def refuse(text: str) -> int:
    print(f"steward setup: {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
