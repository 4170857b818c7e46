"""Charts: frames in, Altair charts out."""
