"""The web channel: the widget's script, and the demo's page that shows it beside the trace of a turn.

The widget speaks the public HTTP API like any other client. The demo page exists only where the
composition root hands in a `Demo`; a production installation hasn't got it.
"""
