"""Versions of what makes results, in one place that needs no torch: the DAG puts them among a rule's params.

A change that alters results bumps the number, and what depends on it runs again; a refactoring leaves it, and finished
work stands. tests/project/test_versions.py holds a digest of the modules behind each, so that nobody forgets to decide.
Versions of scorers, strategies, kinds of benchmarks and pages stand in their modules, as part of their `SPEC`.
"""

from instructmining.settings.discovery import specs

SCORERS = {name: spec.version for name, spec in specs("scorers").items()}
STRATEGIES = {name: spec.version for name, spec in specs("strategies").items()}
EVALUATIONS = {name: spec.version for name, spec in specs("evaluations").items()}
PAGES = {name: spec.version for name, spec in specs("report/pages").items()}

DATASETS = 1
MODELS = 1
EMBEDDINGS = {"embeddings": 1, "hidden_embeddings": 1}
PREFERENCE_HEAD = 2
INDICATOR_TABLES = 1
INDICATOR_CHECK = 1
MIXTURES = 1
QUALITY_RULES = 1
RANKINGS = 1
SEARCHES = 1
CARDS = 1
TRAINER = 3
GENERATIONS = 1
COMPARISON = 5
QUALITY_RULE_CHECKS = 1
COSTS = 2
STUDIES = 1
