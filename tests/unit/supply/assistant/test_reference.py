"""The reference page says what the schema says."""

from __future__ import annotations

from pathlib import Path

from steward.supply.assistant.json_schemas import schema_names
from steward.supply.assistant.reference import reference

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "assistant-folder.md"


class TestReference:
    def test_the_page_is_what_the_schema_gives(self) -> None:
        assert PAGE.read_text(encoding="utf-8") == reference(), "write it anew as reference.py says"

    def test_every_key_of_every_file_is_listed(self) -> None:
        page = reference()
        for model in schema_names().values():
            for name, field in model.model_fields.items():
                assert f"| `{field.alias or name}` |" in page
