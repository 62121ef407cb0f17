"""What Alembic runs to get at the database: the connection that the runner hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="schema_version",
    version_table_pk=False,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
