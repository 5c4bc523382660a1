"""Errors that carry a code of hot::Code, by its gRPC name."""

import os


class BridgeError(Exception):
    def __init__(self, code, message, hint=""):
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint

    def as_json(self):
        return {"code": self.code, "message": self.message, "hint": self.hint}


def setup_hint(options=""):
    """What to do about a package that is missing: hot's own setup command (core/installation.h)."""
    return f"run {os.environ.get('HOT_SETUP') or 'scripts/setup'} {options}".rstrip()
