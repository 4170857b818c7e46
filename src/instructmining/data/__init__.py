"""From the rows of a source to canonical examples, and random mixtures of them."""
