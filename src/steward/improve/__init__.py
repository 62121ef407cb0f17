"""Learns from what happened; the only plane that may change what is served."""
