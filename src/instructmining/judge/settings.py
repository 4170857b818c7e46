"""Keys of the config that say how a judge is asked. Nothing here needs torch: the DAG reads it."""

# How a judge is asked, not what it is asked: a change repeats no job.
CALL_KEYS = (
    *("concurrency", "requests_per_minute", "tokens_per_minute", "retries", "timeout"),
    *("price_input", "price_output", "max_cost", "base_url_env", "key_env"),
)
