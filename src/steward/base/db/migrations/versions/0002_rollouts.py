"""Traffic by lanes and rollouts: assignment, running sums, looks, events, approvals."""

from alembic import context, op

from steward.base.db.migrations.runner import sql_of

revision = "0002_rollouts"
down_revision = "0001_foundation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    statements = sql_of("0002_rollouts.sql", context.config.attributes["app_role"])
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
