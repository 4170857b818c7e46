# Inputs and params of rules/report_selection.smk. Params hold what a result depends on, and no more.


def get_published_beside(wildcards):
    """The preset that a rule's page holds beside it, if one is named."""
    return config["quality_rules"][wildcards.quality_rule].get("against")
