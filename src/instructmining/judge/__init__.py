"""An LLM judge: what it is asked, over which wire, and what of its answers is recorded."""
