"""The one command `marginproof`: one small module per group of subcommands."""
