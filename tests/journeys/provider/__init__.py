"""A real identity provider for the journeys of staff who sign in with one."""
