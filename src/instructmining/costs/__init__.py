"""What selecting and finetuning cost: the jobs behind each part, what they measured, and tables of both."""
