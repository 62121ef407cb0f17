"""Evaluation cases: what a release must do, run and compared before anybody is answered by it.

In go releases and their cases; out come results per case and the gate's answer against a baseline.
Runs go through the pipeline that serves customers, effects off; the checks are those of live turns.
"""
