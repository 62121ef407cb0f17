"""Runs of evaluation cases and their results."""

from alembic import context, op

from steward.base.db.migrations.runner import sql_of

revision = "0004_evaluations"
down_revision = "0003_kpis"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    statements = sql_of("0004_evaluations.sql", context.config.attributes["app_role"])
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
