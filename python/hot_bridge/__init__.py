"""The Python worker of HOT: libraries without another front end, behind JSON lines (docs/formats/bridge.md)."""
