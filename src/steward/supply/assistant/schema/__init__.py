"""The assistant folder's schema: one module per file, Pydantic models that refuse unknown keys.

From these models come the validation, the JSON Schemas for editors and the reference page.
"""
