"""The commands of `steward`, one file per noun. Each imports what it needs when it runs."""
