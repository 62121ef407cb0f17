"""Controls that were shown at work, and who agreed to what."""

from alembic import context, op

from steward.base.db.migrations.runner import sql_of

revision = "0011_governance"
down_revision = "0010_retention"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    statements = sql_of("0011_governance.sql", context.config.attributes["app_role"])
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
