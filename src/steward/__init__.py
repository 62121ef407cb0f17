"""Steward: a support assistant that acts safely and proves that it pays."""

__version__ = "0.1.0"
