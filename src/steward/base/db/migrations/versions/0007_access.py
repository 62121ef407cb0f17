"""How staff sign in, and where an account may act."""

from alembic import context, op

from steward.base.db.migrations.runner import sql_of

revision = "0007_access"
down_revision = "0006_shadow"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    statements = sql_of("0007_access.sql", context.config.attributes["app_role"])
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
