"""Training of the shipped models; only their makers run it, from the training data."""
