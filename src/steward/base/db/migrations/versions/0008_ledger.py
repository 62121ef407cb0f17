"""A ledger that is chained in batches and signed."""

from alembic import context, op

from steward.base.db.migrations.runner import sql_of

revision = "0008_ledger"
down_revision = "0007_access"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    statements = sql_of("0008_ledger.sql", context.config.attributes["app_role"])
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
