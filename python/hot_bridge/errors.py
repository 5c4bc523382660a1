"""Errors that carry a code of hot::Code, by its gRPC name."""


class BridgeError(Exception):
    def __init__(self, code, message, hint=""):
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint

    def as_json(self):
        return {"code": self.code, "message": self.message, "hint": self.hint}
