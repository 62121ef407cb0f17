"""Why a turn answered, asked or handed over."""

from alembic import context, op

from steward.base.db.migrations.runner import sql_of

revision = "0012_decisions"
down_revision = "0011_governance"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    statements = sql_of("0012_decisions.sql", context.config.attributes["app_role"])
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
