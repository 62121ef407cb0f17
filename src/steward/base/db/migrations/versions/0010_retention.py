"""How long things are kept, and who was erased."""

from alembic import context, op

from steward.base.db.migrations.runner import sql_of

revision = "0010_retention"
down_revision = "0009_vault"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    statements = sql_of("0010_retention.sql", context.config.attributes["app_role"])
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
