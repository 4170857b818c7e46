"""Finetuning a recipe on a subset, in one process or in several."""
