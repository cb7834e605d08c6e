"""Ask a target, before or after a run, what it holds. The answer is recorded; checks judge the record."""
