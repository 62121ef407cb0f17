"""New folders from templates, with schemas for editors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from steward.base.errors import InvalidInput
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.initialise import FolderNotEmpty, NoSuchTemplate, initialise, templates
from steward.supply.assistant.json_schemas import json_schema, schema_comment, schema_names
from steward.supply.assistant.reading import read_folder
from steward.supply.assistant.schema.intents import Intents


class TestInitialise:
    @pytest.mark.parametrize("template", templates())
    def test_every_template_gives_a_folder_without_faults(self, template: str, tmp_path: Path) -> None:
        written = initialise(tmp_path / "mine", template)
        assert "assistant.yaml" in written
        try:
            folder = read_folder(tmp_path / "mine")
        except FolderFaults as faults:
            pytest.fail(str(faults))
        assert set(written) - {"README.md"} == set(folder.files)

    def test_names_schemas_that_are_there(self, tmp_path: Path) -> None:
        initialise(tmp_path, "northline")
        for path in [*tmp_path.glob("*.yaml"), *tmp_path.glob("workflows/*.yaml")]:
            first = path.read_text().splitlines()[0]
            schema = path.parent / first.removeprefix("# yaml-language-server: $schema=")
            assert json.loads(schema.read_text())["type"] == "object"

    def test_never_writes_over_anything(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(FolderNotEmpty, match="isn't empty; name a new folder"):
            initialise(tmp_path, "northline")
        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]

    def test_an_unknown_template(self, tmp_path: Path) -> None:
        with pytest.raises(NoSuchTemplate, match=r"no template 'nortline'.*nearest is northline"):
            initialise(tmp_path / "mine", "nortline")

    def test_a_file_in_the_place(self, tmp_path: Path) -> None:
        (tmp_path / "mine").write_text("")
        with pytest.raises(InvalidInput, match="is a file; name a folder"):
            initialise(tmp_path / "mine", "northline")


class TestJsonSchema:
    def test_uses_the_keys_of_the_files(self) -> None:
        workflow = json_schema(schema_names()["workflow"])
        assert "with" in workflow["$defs"]["Step"]["properties"]
        assert workflow["additionalProperties"] is False

    def test_explains_keys(self) -> None:
        intent = json_schema(Intents)["$defs"]["Intent"]["properties"]
        assert intent["counter_examples"]["description"].startswith("What sounds alike")

    @pytest.mark.parametrize(
        ("path", "schema"),
        [
            ("intents.yaml", ".schema/intents"),
            ("workflows/refund.yaml", "../.schema/workflow"),
            ("cases/billing.yaml", "../.schema/cases"),
            ("knowledge/a/b.meta.yaml", "../../.schema/document"),
        ],
    )
    def test_each_kind_of_file_has_one(self, path: str, schema: str) -> None:
        assert schema_comment(path) == f"# yaml-language-server: $schema={schema}.schema.json\n"

    def test_other_files_have_none(self) -> None:
        assert schema_comment("prompts/answer.md") is None
