"""Sheets for people to read works and affiliations; `copub.lists.decisions` takes back what they decided."""
