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

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/instructmining"
TABLE = ROOT / "tests/versions.json"
READING = ("examples", "formats", "item_formats", "ngrams", "packages", "reading", "sources", "streams")
DECODER = ("attention", "batching", "models")
MODEL = (*DECODER, "likelihood", "prompts")
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
    "indicator_table",
    "quality_rules/observations",
    "quality_rules/presets",
    "quality_rules/regression",
)
# by pattern: a new page, or chart, is one of them without being named here
DRAWING = ("report/*.py", "**/*figures.py", "heatmaps.py", "normality.py", "pages.py", "templates/*.j2")
PAGES = sorted({path.relative_to(SOURCE) for pattern in DRAWING for path in SOURCE.glob(pattern)})
MODULES = {
    "DATASETS": READING,
    "MODELS": ("models",),
    "SCORERS.causal": ("scorers/causal", "preference", *MODEL),
    "EMBEDDINGS.embeddings": ("embeddings", "batching", "models"),
    "EMBEDDINGS.hidden_embeddings": ("hidden_embeddings", "embeddings", "prompts", *DECODER),
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
        "decoding",
        "batching",
        "models",
    ),
    "SCORERS.reward": ("scorers/reward", "scorers/by_row", *DECODER),
    "SCORERS.unieval": ("scorers/unieval", "t5", *DECODER),
    "PREFERENCE_HEAD": ("preference", *MODEL),
    "INDICATOR_TABLES": ("indicator_table",),
    "INDICATOR_CHECK": ("indicator_check",),
    "MIXTURES": ("mixtures",),
    "QUALITY_RULES": RULE,
    "STRATEGIES.alpagasus": ("strategies/alpagasus",),
    "STRATEGIES.cherry": ("strategies/cherry",),
    "STRATEGIES.cherry_seed": ("strategies/cherry_seed",),
    "STRATEGIES.deita": ("strategies/deita", "diversity"),
    "STRATEGIES.full": ("strategies/full",),
    "STRATEGIES.longest": ("strategies/longest",),
    "STRATEGIES.quality_rule": ("strategies/quality_rule",),
    "STRATEGIES.random": ("strategies/random", "overlap"),
    "STRATEGIES.strict_random": ("strategies/strict_random", "strategies/random"),
    "RANKINGS": ("rankings",),
    "SEARCHES": ("search",),
    "CARDS": ("card",),
    "TRAINER": ("finetune", "trainer", "training_arguments", *MODEL),
    "EVALUATIONS.harness": (
        *(
            "evaluations/harness",
            "evaluations/harness_model",
            "evaluations/harness_presets",
            "evaluations/harness_tasks",
        ),
        *("models", "prompts"),
    ),
    "GENERATIONS": ("generation", "decoding", "decoding_vllm", "batching", "models", "prompts"),
    "EVALUATIONS.ifeval": ("evaluations/ifeval",),
    "EVALUATIONS.llmbar": ("evaluations/llmbar", "choices", "generation", "decoding", *MODEL),
    "EVALUATIONS.loss": ("evaluations/loss", *MODEL),
    "EVALUATIONS.pairwise": ("evaluations/pairwise", "win_rates", *PAIR_JUDGE, *DECODER),
    "COMPARISON": (
        *("comparison", "significance", "overlap", "agreement", "contamination", "ngrams"),
        *("benchmark_tables", "curves", "size_scan", "scan_words"),
    ),
    "QUALITY_RULE_CHECKS": (
        "quality_rules/checks",
        "quality_rules/tables",
        "quality_rules/stability",
        "quality_rules/influence",
        "quality_rules/univariate",
    ),
    "STUDIES": ("ablation", "dataset_losses", "subset_table", "significance"),
    "COSTS": ("costs", "cost_tables", "ledger"),
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
    from instructmining import versions

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
    from instructmining import versions

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
    named = {"report/search", "pages", "figures", "cost_figures", "quality_rules/figures", "templates/page.html.j2"}
    assert named <= set(MODULES["PAGES"])
    assert content("templates/page.html.j2")


def test_comments_docstrings_and_white_space_do_not_count():
    one = 'def f(x):\n    """Words."""\n    # why\n    return f"{x} # not a comment"  # é\n'
    two = 'def f( x ):\n    return f"{x} # not a comment"\n'
    assert bare(one) == bare(two)
    assert bare(one) != bare(two.replace("return f", "return  2 *  f"))


if __name__ == "__main__":
    TABLE.write_text(json.dumps(current(), indent=1) + "\n")
