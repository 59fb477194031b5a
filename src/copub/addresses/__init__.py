"""What the text of an affiliation says: its words, whatever their script and spelling, and the places in it."""
