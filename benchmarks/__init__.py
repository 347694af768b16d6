"""The figures of README and docs, each with the command that prints it."""
