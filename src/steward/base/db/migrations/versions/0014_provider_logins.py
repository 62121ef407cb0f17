"""Logins that the identity provider may end."""

from alembic import context, op

from steward.base.db.migrations.runner import sql_of

revision = "0014_provider_logins"
down_revision = "0013_sign_ins"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    statements = sql_of("0014_provider_logins.sql", context.config.attributes["app_role"])
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
