"""Looking back over runs: comparing two of them, a series of them, and making one again."""
