"""Keys that were rotated and what was revealed."""

from alembic import context, op

from steward.base.db.migrations.runner import sql_of

revision = "0009_vault"
down_revision = "0008_ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    statements = sql_of("0009_vault.sql", context.config.attributes["app_role"])
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
