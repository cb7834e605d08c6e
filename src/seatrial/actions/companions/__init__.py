"""Programs that some actions start: each does what must not end with the thread that asked for it."""
