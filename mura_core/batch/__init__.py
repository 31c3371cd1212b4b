"""Many studies in one go, with results in a table."""
