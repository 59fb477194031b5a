"""Inputs of every kind that copub reads, drawn from the schema of each and from chance; what may come of them."""
