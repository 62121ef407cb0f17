"""Answers that a candidate gave unseen."""

from alembic import context, op

from steward.base.db.migrations.runner import sql_of

revision = "0006_shadow"
down_revision = "0005_release_trust"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    statements = sql_of("0006_shadow.sql", context.config.attributes["app_role"])
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
