"""Versions of what makes results, in one place that needs no torch: the DAG puts them among a rule's params.

A change that alters results bumps the number, and what depends on it runs again; a refactoring leaves it, and finished
work stands. tests/test_versions.py holds a digest of the modules behind each, so that nobody forgets to decide.
"""

DATASETS = 1
MODELS = 1
EMBEDDINGS = {"embeddings": 1, "hidden_embeddings": 1}
SCORERS = {"causal": 2, "expected_score": 1, "judge": 2, "knn": 2, "lengths": 1, "mtld": 1, "reward": 2, "unieval": 2}
PREFERENCE_HEAD = 2
INDICATOR_TABLES = 1
INDICATOR_CHECK = 1
MIXTURES = 1
QUALITY_RULES = 1
STRATEGIES = {
    **{"alpagasus": 1, "cherry": 1, "cherry_seed": 1, "deita": 1, "full": 1},
    **{"longest": 1, "quality_rule": 1, "random": 1, "strict_random": 1},
}
RANKINGS = 1
SEARCHES = 1
CARDS = 1
TRAINER = 3
GENERATIONS = 1
EVALUATIONS = {"harness": 1, "ifeval": 1, "llmbar": 1, "loss": 2, "pairwise": 1}
COMPARISON = 5
QUALITY_RULE_CHECKS = 1
COSTS = 2
STUDIES = 1
# one for all pages: they share words, charts and a template
PAGES = 2
