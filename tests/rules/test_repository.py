"""What must stay true of the repository itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from steward.app.reference import reference

ROOT = Path(__file__).resolve().parents[2]


def tracked(*patterns: str) -> list[Path]:
    """Return the files that git knows, also new ones that it doesn't ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


class TestImports:
    def test_no_module_imports_upward(self) -> None:
        linted = subprocess.run(
            [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert linted.returncode == 0, linted.stdout

    def test_the_command_line_starts_without_the_heavy_libraries(self) -> None:
        heavy = ("numpy", "psycopg", "fastapi", "onnxruntime", "sklearn", "httpx2", "pydantic")
        code = f"import sys, steward.app.cli; print([m for m in {heavy!r} if m in sys.modules])"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == "[]"


class TestLock:
    def test_every_distribution_has_hashes(self) -> None:
        lock = (ROOT / "requirements.lock").read_text()
        pinned = re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)
        assert len(pinned) > 100
        for block in re.split(r"\n(?=\S)", lock.strip()):
            assert "--hash=sha256:" in block, block.splitlines()[0]

    def test_no_host_is_named(self) -> None:
        assert "://" not in (ROOT / "requirements.lock").read_text()

    def test_what_is_declared_is_locked(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        declared = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
        names = [re.split(r"[\[<>=; ]", line)[0].replace(".", "-") for line in declared]
        lock = (ROOT / "requirements.lock").read_text()
        assert [name for name in names if f"\n{name}==" not in f"\n{lock}"] == []


class TestText:
    def test_no_path_of_a_machine_is_committed(self) -> None:
        machine = re.compile(r"/(?:wo" + r"rk|ro" + r"ot)/[a-z.]")
        for path in tracked("*.py", "*.md", "*.toml", "*.yaml", "Makefile", ".ci/run"):
            assert not machine.search(path.read_text(encoding="utf-8", errors="replace")), path

    def test_links_between_pages_lead_somewhere(self) -> None:
        for path in tracked("*.md"):
            if "templates" in path.parts:
                continue
            for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
                if "://" not in target and not target.startswith("mailto:"):
                    assert (path.parent / target).exists(), f"{path.relative_to(ROOT)} links to {target}"

    def test_modules_stay_readable(self) -> None:
        for path in tracked("src/**/*.py"):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            assert lines <= 520, f"{path.relative_to(ROOT)} has {lines} lines"


class TestReference:
    def test_the_page_of_commands_and_settings_is_current(self) -> None:
        page = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
        assert page == reference(), "run: python -m steward.app.reference > docs/reference/commands.md"


class TestPackages:
    @pytest.mark.parametrize("plane", ["app", "edge", "improve", "serve", "supply", "govern", "base"])
    def test_every_package_says_what_it_is(self, plane: str) -> None:
        for path in (ROOT / "src" / "steward" / plane).rglob("__init__.py"):
            if "templates" in path.parts:
                continue
            assert path.read_text(encoding="utf-8").lstrip().startswith('"""'), path
