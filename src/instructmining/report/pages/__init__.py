"""The report's pages, one module a page: artifacts in, one self-contained HTML text out."""
