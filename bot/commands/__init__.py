"""One module a command, each with `run(options) -> exit code`; `bot.cli` imports the one that is asked for."""
