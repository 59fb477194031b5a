"""Files that people write, and the reading of them: taxonomies, watchlists, ties, published figures, decisions."""
