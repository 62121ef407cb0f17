"""Groups of commands: names, arguments and help. What a command does stands in `commands/`."""
