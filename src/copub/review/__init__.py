"""Reading as part of the method: sheets and pages for people to read works and affiliations, and what they decided.

`copub.review.ledger` keeps every file that was imported and derives the readings from them;
`copub.review.agreement` compares readers and joins their readings to labels, which the corrected
shares of the next run are based on.
"""
