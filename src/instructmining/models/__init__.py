"""Loading language models and running them: prompts, batches, likelihoods, text, embeddings."""
