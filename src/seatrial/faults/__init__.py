"""One fault a file; `undo.protocol` says what a fault is."""
