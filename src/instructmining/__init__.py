"""InstructMining: find the best part of an instruction dataset, finetune on it, prove it was worth it."""

__version__ = "0.1.0"
