"""Figures about what happened, read from the views `conversations` and `turns` alone."""
