"""The composition root: settings, wiring, web server, worker, command line and the demo.

The only code that knows every package. It builds each service once and hands it what it needs;
nothing below it reads a setting.
"""
