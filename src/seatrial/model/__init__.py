"""The words of the trade as frozen, typed records. Nothing here reads a file, a clock or a socket."""
