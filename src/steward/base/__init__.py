"""What every plane stands on: time, identity, money, errors, the database, language, telemetry.

Holds no business words. Imports nothing of Steward outside itself.
"""
