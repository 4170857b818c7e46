"""Sentences of the pages: tables in, words out."""
