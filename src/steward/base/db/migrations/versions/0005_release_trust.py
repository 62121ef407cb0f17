"""Signatures, trusted keys and labels of releases."""

from alembic import context, op

from steward.base.db.migrations.runner import sql_of

revision = "0005_release_trust"
down_revision = "0004_evaluations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    statements = sql_of("0005_release_trust.sql", context.config.attributes["app_role"])
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
