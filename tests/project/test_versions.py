"""Whoever changes a module that makes results decides: raise its version, or say that the results stay.

The digest is over the source without comments, docstrings and white space, so the same on every Python.
After deciding: `python tests/test_versions.py` writes tests/versions.json anew.
"""

import ast
import hashlib
import io
import json
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/instructmining"
TABLE = ROOT / "tests/versions.json"
READING = (
    "data/examples",
    "data/formats",
    "data/item_formats",
    "data/ngrams",
    "data/packages",
    "data/reading",
    "data/sources",
    "data/streams",
)
DECODER = ("models/attention", "models/batching", "models/loading")
MODEL = (*DECODER, "models/likelihood", "models/prompts")
PAIR_JUDGE = (
    "judge/asking",
    "judge/pair_messages",
    "judge/pair_prompts",
    "judge/messages",
    "judge/local",
    "judge/protocol",
)
RULE = (
    "quality_rules/diagnostics",
    "indicators/table",
    "quality_rules/observations",
    "quality_rules/presets",
    "quality_rules/regression",
)
# by pattern: a new page, or chart, is one of them without being named here
DRAWING = ("report/**/*.py", "indicators/normality.py", "report/*.j2")
PAGES = sorted({path.relative_to(SOURCE) for pattern in DRAWING for path in SOURCE.glob(pattern)})
MODULES = {
    "DATASETS": READING,
    "MODELS": ("models/loading",),
    "SCORERS.causal": ("scorers/causal", "models/preference_head", *MODEL),
    "EMBEDDINGS.embeddings": ("models/embeddings", "models/batching", "models/loading"),
    "EMBEDDINGS.hidden_embeddings": ("models/hidden_embeddings", "models/embeddings", "models/prompts", *DECODER),
    "SCORERS.knn": ("scorers/knn",),
    "SCORERS.lengths": ("scorers/lengths",),
    "SCORERS.mtld": ("scorers/mtld",),
    "SCORERS.expected_score": ("scorers/expected_score", "scorers/by_row", "judge/prompts", *DECODER),
    "SCORERS.judge": (
        "scorers/judge",
        "judge/asking",
        "judge/messages",
        "judge/prompts",
        "judge/local",
        "models/decoding",
        "models/batching",
        "models/loading",
    ),
    "SCORERS.reward": ("scorers/reward", "scorers/by_row", *DECODER),
    "SCORERS.unieval": ("scorers/unieval", "models/t5", *DECODER),
    "PREFERENCE_HEAD": ("models/preference_head", *MODEL),
    "INDICATOR_TABLES": ("indicators/table",),
    "INDICATOR_CHECK": ("indicators/check",),
    "MIXTURES": ("data/mixtures",),
    "QUALITY_RULES": RULE,
    "STRATEGIES.alpagasus": ("strategies/alpagasus",),
    "STRATEGIES.cherry": ("strategies/cherry",),
    "STRATEGIES.cherry_seed": ("strategies/cherry_seed",),
    "STRATEGIES.deita": ("strategies/deita", "selection/diversity"),
    "STRATEGIES.full": ("strategies/full",),
    "STRATEGIES.longest": ("strategies/longest",),
    "STRATEGIES.quality_rule": ("strategies/quality_rule",),
    "STRATEGIES.random": ("strategies/random", "selection/overlap"),
    "STRATEGIES.strict_random": ("strategies/strict_random", "strategies/random"),
    "RANKINGS": ("selection/rankings",),
    "SEARCHES": ("selection/search",),
    "CARDS": ("training/card",),
    "TRAINER": ("training/finetune", "training/trainer", "training/arguments", *MODEL),
    "EVALUATIONS.harness": (
        *(
            "evaluations/harness",
            "evaluations/harness_model",
            "evaluations/harness_presets",
            "evaluations/harness_tasks",
        ),
        *("models/loading", "models/prompts"),
    ),
    "GENERATIONS": (
        "models/generation",
        "models/decoding",
        "models/decoding_vllm",
        "models/batching",
        "models/loading",
        "models/prompts",
    ),
    "EVALUATIONS.ifeval": ("evaluations/ifeval",),
    "EVALUATIONS.llmbar": ("evaluations/llmbar", "models/choices", "models/generation", "models/decoding", *MODEL),
    "EVALUATIONS.loss": ("evaluations/loss", *MODEL),
    "EVALUATIONS.pairwise": ("evaluations/pairwise", "evaluations/win_rates", *PAIR_JUDGE, *DECODER),
    "COMPARISON": (
        *(
            "tables/comparison",
            "tables/significance",
            "selection/overlap",
            "tables/agreement",
            "tables/contamination",
            "data/ngrams",
        ),
        *("tables/benchmarks", "tables/curves", "tables/size_scan", "tables/size_scan_words"),
    ),
    "QUALITY_RULE_CHECKS": (
        "quality_rules/checks",
        "quality_rules/tables",
        "quality_rules/stability",
        "quality_rules/influence",
        "quality_rules/univariate",
    ),
    "STUDIES": ("tables/ablation", "tables/dataset_losses", "tables/subsets", "tables/significance"),
    "COSTS": ("costs/jobs", "costs/tables", "costs/ledger"),
    "PAGES": tuple(path.as_posix().removesuffix(".py") for path in PAGES),
}


def bare(source: str) -> str:
    """The source without comments, docstrings and white space."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    text = bytearray(source.encode())

    def blank(start: int, stop: int) -> None:
        text[start:stop] = b" " * (stop - start)

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            doc = node.body[0]
            blank(starts[doc.lineno - 1] + doc.col_offset, starts[doc.end_lineno - 1] + doc.end_col_offset)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            start = starts[row - 1] + len(lines[row - 1][:column].encode())
            blank(start, start + len(token.string.encode()))
    return "".join(text.decode().split())


def content(module: str) -> str:
    """A module's source as ``bare`` leaves it; a template, which is named with its suffix, without white space."""
    path = SOURCE / module
    return "".join(path.read_text().split()) if path.suffix else bare((SOURCE / f"{module}.py").read_text())


def digest(modules: tuple[str, ...]) -> str:
    found = "".join(map(content, modules))
    return hashlib.sha256(found.encode()).hexdigest()[:16]


def current() -> dict[str, dict[str, object]]:
    from instructmining.settings import versions

    found = {}
    for name, modules in MODULES.items():
        group, _, member = name.partition(".")
        version = getattr(versions, group)
        found[name] = {"version": version[member] if member else version, "digest": digest(modules)}
    return found


@pytest.mark.parametrize("name", MODULES)
def test_a_change_of_results_was_decided_on(name):
    known, now = json.loads(TABLE.read_text()).get(name), current()[name]
    files = ", ".join(f"{module}.py" for module in MODULES[name])
    assert now == known, (
        f"{files}: changed since versions.{name} = {known and known['version']} was decided on. "
        "If results change, raise it in src/instructmining/versions.py; then run python tests/test_versions.py"
    )


def test_every_version_has_its_modules():
    from instructmining.settings import versions

    names = {name: value for name, value in vars(versions).items() if name.isupper()}
    flat = {f"{n}.{m}" if m else n for n, v in names.items() for m in (v if isinstance(v, dict) else [""])}
    assert flat == set(MODULES)


def test_every_page_is_drawn_again_when_pages_are_drawn_otherwise():
    """Its rule has the version of the pages among its params."""
    texts = [path.read_text() for path in (ROOT / "rules").glob("*.smk")]
    rules = [rule for text in texts for rule in re.split("^rule ", text, flags=re.MULTILINE)[1:]]
    pages = {rule.partition(":")[0]: rule for rule in rules if '"results/figures/' in rule}
    assert {"report_summary", "report_search", "report_data"} <= set(pages)
    assert [name for name, rule in pages.items() if not re.search(r"\bversion=.*\bversions\.PAGES\b", rule)] == []


def test_what_draws_a_page_is_behind_the_version_of_the_pages():
    named = {"report/pages/search", "report/html", "report/charts/base", "report/page.html.j2"}
    assert named <= set(MODULES["PAGES"])
    assert content("report/page.html.j2")


def test_comments_docstrings_and_white_space_do_not_count():
    one = 'def f(x):\n    """Words."""\n    # why\n    return f"{x} # not a comment"  # é\n'
    two = 'def f( x ):\n    return f"{x} # not a comment"\n'
    assert bare(one) == bare(two)
    assert bare(one) != bare(two.replace("return f", "return  2 *  f"))


if __name__ == "__main__":
    TABLE.write_text(json.dumps(current(), indent=1) + "\n")
