"""The report: its pages, their charts and their sentences."""
