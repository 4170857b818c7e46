"""The artifact trail: a study as one archive, and computing its tables again without models."""
