# Inputs and params of rules/mixtures.smk. Params hold what a result depends on, and no more.


def get_block(name):
    return next(block for block in config["mixtures"] if block["name"] == name)


def get_mixture_examples(wildcards):
    return get_examples(get_block(wildcards.block)["datasets"])


def get_mixture_block(wildcards):
    """What a mixture depends on: not on how many more there are."""
    block = get_block(wildcards.block)
    return {key: block[key] for key in ("datasets", "size", "seed")}
