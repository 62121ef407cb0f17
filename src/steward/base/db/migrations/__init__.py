"""Bring the schema up to date, under the owner's role.

`upgrade(owner_url)` runs the revisions in `versions/` with Alembic, one process at a time;
`check_schema(database)` says whether the schema fits this code. A revision executes SQL written
by hand, in which `{app_role}` stands for the application's role. Importing this package imports
neither Alembic nor SQLAlchemy: a database that is already current is recognised without them.
"""

from steward.base.db.migrations.runner import HEAD, check_schema, upgrade

__all__ = ["HEAD", "check_schema", "upgrade"]
