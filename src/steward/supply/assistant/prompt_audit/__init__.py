"""Audits a folder's prompts for legal and risk: what they must say, must not hold, and what they cost.

Takes a folder, gives findings with file and line, the sentences by which each duty is met, and who
accepted what. It reads text only: no model is asked, so that two runs say the same. A finding is
accepted by a comment in the prompt: `{# audit accepts missing.language: English only (Risk, 2026-11) #}`.
"""
