"""Hourly roll-ups and the columns that KPIs read."""

from alembic import context, op

from steward.base.db.migrations.runner import sql_of

revision = "0003_kpis"
down_revision = "0002_rollouts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    statements = sql_of("0003_kpis.sql", context.config.attributes["app_role"])
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
