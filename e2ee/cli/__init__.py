"""The command ``e2ee``: one module a command, loaded when it is called."""
