"""From a pool in order to a subset of it: rankings, prefixes, overlap, diversity, the search for a size."""
