"""Indicator values: read as tables, checked on preference pairs, tested for normality."""
