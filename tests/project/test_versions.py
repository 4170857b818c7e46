"""Whoever changes code behind a result decides: raise its version, or say that the results stay.

Behind a version is all code that its root imports, directly or not (tests/support/digests.py). After deciding,
`make versions` writes tests/versions.json.
"""

import json
from pathlib import Path

import pytest

from digests import NO_NUMBER, PACKAGE, ROOT, bare, closure, closure_digest, digest, imports, module_name
from instructmining.settings import versions
from instructmining.settings.discovery import specs

TABLE = ROOT / "tests/versions.json"
SCRIPTS = ROOT / "workflow/scripts"
# where the code behind a version begins; scorers, strategies and kinds of benchmarks are found by their specs
STAGES = {
    "DATASETS": [SCRIPTS / "read_dataset.py"],
    "MODELS": [SCRIPTS / "prepare_model.py"],
    "EMBEDDINGS.embeddings": [PACKAGE / "models/embeddings.py", SCRIPTS / "embed.py"],
    "EMBEDDINGS.hidden_embeddings": [PACKAGE / "models/hidden_embeddings.py", SCRIPTS / "embed.py"],
    "PREFERENCE_HEAD": [SCRIPTS / "fit_preference_head.py"],
    "INDICATOR_TABLES": [SCRIPTS / "join_indicators.py"],
    "INDICATOR_CHECK": [SCRIPTS / "check_indicators.py"],
    "MIXTURES": [SCRIPTS / "draw_mixture.py"],
    "QUALITY_RULES": [SCRIPTS / "fit_quality_rule.py"],
    "RANKINGS": [SCRIPTS / "rank_pool.py", SCRIPTS / "select_subset.py"],
    "SEARCHES": [SCRIPTS / "propose_size.py", SCRIPTS / "choose_size.py"],
    "CARDS": [SCRIPTS / "describe_model.py"],
    "TRAINER": [SCRIPTS / "finetune.py", SCRIPTS / "take_run.py", *(PACKAGE / "training/launchers").glob("*.py")],
    "GENERATIONS": [SCRIPTS / "generate.py"],
    "COMPARISON": [
        PACKAGE / f"{name}.py"
        for name in (
            *("tables/comparison", "tables/agreement", "tables/contamination", "tables/benchmarks"),
            *("tables/size_scan", "selection/overlap"),
        )
    ],
    "QUALITY_RULE_CHECKS": [PACKAGE / "quality_rules/checks.py", PACKAGE / "quality_rules/tables.py"],
    "STUDIES": [PACKAGE / f"tables/{name}.py" for name in ("ablation", "dataset_losses", "subsets")],
    "COSTS": [PACKAGE / "costs/jobs.py", PACKAGE / "costs/tables.py", PACKAGE / "costs/ledger.py"],
}


def roots() -> dict[str, list[Path]]:
    """Version -> the files at which the code behind it begins."""
    found = dict(STAGES)
    for name, spec in specs("scorers").items():
        script = "score_neighbours.py" if spec.compares_examples else "score.py"
        found[f"SCORERS.{name}"] = [PACKAGE / f"scorers/{name}.py", SCRIPTS / script]
    for name in specs("strategies"):
        found[f"STRATEGIES.{name}"] = [PACKAGE / f"strategies/{name}.py"]
    for name in specs("evaluations"):
        found[f"EVALUATIONS.{name}"] = [PACKAGE / f"evaluations/{name}.py", SCRIPTS / "evaluate.py"]
    for name in specs("report/pages"):
        found[f"PAGES.{name}"] = [PACKAGE / f"report/pages/{name}.py", PACKAGE / "report/page.html.j2"]
    return found


ROOTS = roots()


def version_of(name: str) -> object:
    group, _, member = name.partition(".")
    value = getattr(versions, group)
    return value[member] if member else value


def current() -> dict[str, dict[str, object]]:
    behind = {path for paths in ROOTS.values() for path in closure(paths)}
    return {
        "versions": {
            name: {"version": version_of(name), "digest": closure_digest(paths)} for name, paths in ROOTS.items()
        },
        "modules": {module_name(path): digest(path) for path in sorted(behind)},
    }


@pytest.mark.parametrize("name", ROOTS)
def test_a_change_of_results_was_decided_on(name: str) -> None:
    known = json.loads(TABLE.read_text())
    before = known["versions"].get(name)
    now = {"version": version_of(name), "digest": closure_digest(ROOTS[name])}
    changed = [m for path in closure(ROOTS[name]) if known["modules"].get(m := module_name(path)) != digest(path)]
    assert now == before, (
        f"{', '.join(changed) or 'what is imported'}: changed since {name} = {before and before['version']} was "
        "decided on. If results change, raise it (in the module's SPEC or in settings/versions.py); then run "
        "`make versions`"
    )


def test_every_version_has_a_root() -> None:
    names = {name: value for name, value in vars(versions).items() if name.isupper()}
    flat = {f"{n}.{m}" if m else n for n, v in names.items() for m in (v if isinstance(v, dict) else [""])}
    assert flat == set(ROOTS)


def test_every_script_is_behind_a_version() -> None:
    """Save one that downloads what its checksum names, and the report's, whose pages have a version each."""
    used = {path for paths in ROOTS.values() for path in paths}
    assert {path.name for path in SCRIPTS.glob("*.py") if path not in used} == {"fetch_package.py", "report.py"}


def behind(module: str) -> set[str]:
    """Versions whose digest changes with this module."""
    source = (PACKAGE / module).read_text(encoding="utf-8") + "\n_changed = 1\n"
    changed = {module: source}
    return {name for name, paths in ROOTS.items() if closure_digest(paths, changed) != closure_digest(paths)}


def test_prompt_text_is_behind_everything_that_builds_a_prompt() -> None:
    scorers = {f"SCORERS.{name}" for name in ("lengths", "reward", "expected_score", "unieval", "judge", "causal")}
    evaluations = {f"EVALUATIONS.{name}" for name in ("llmbar", "pairwise", "loss")}
    others = {"DATASETS", "EMBEDDINGS.embeddings", "EMBEDDINGS.hidden_embeddings", "TRAINER", "GENERATIONS"}
    assert scorers | evaluations | others <= behind("data/examples.py")


def test_decoding_is_behind_judges_on_this_machine() -> None:
    assert {"EVALUATIONS.pairwise", "SCORERS.judge", "GENERATIONS"} <= behind("models/decoding.py")
    assert not {"SCORERS.mtld", "TRAINER", "MIXTURES"} & behind("models/decoding.py")


def test_a_change_stays_in_its_own_stage() -> None:
    assert behind("scorers/mtld.py") == {"SCORERS.mtld"}
    assert behind("strategies/longest.py") == {"STRATEGIES.longest"}
    assert behind("jobs/log.py") == set()


def test_modules_that_change_no_number_exist_and_import_only_their_like() -> None:
    for module, reason in NO_NUMBER.items():
        assert reason
        assert any(PACKAGE / module in imports(path) for path in PACKAGE.rglob("*.py")), f"{module}: nobody imports it"
        others = {module_name(path) for path in imports(PACKAGE / module)} - set(NO_NUMBER)
        # what it imports may change numbers, but reaches them by its own way
        assert others <= {"jobs/files.py", "judge/records.py"}, module


def test_what_all_pages_share_is_behind_each() -> None:
    pages = {f"PAGES.{name}" for name, spec in specs("report/pages").items() if spec.path}
    assert pages <= behind("report/html.py")


def test_comments_docstrings_specs_and_white_space_do_not_count() -> None:
    one = 'SPEC = f(1)\ndef f(x):\n    """Words."""\n    # why\n    return f"{x} # not a comment"  # é\n'
    two = 'def f( x ):\n    return f"{x} # not a comment"\n'
    assert bare(one) == bare(two)
    assert bare(one) != bare(two.replace("return f", "return  2 *  f"))


def write_table() -> None:
    TABLE.write_text(json.dumps(current(), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    write_table()
