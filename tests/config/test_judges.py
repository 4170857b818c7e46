"""Config of a judge, and of the strategy that ranks by one."""

from typing import Any

import pytest

from configs import changed, check
from instructmining.config import strategy_columns
from instructmining.jobs.errors import InputError
from instructmining.settings import JUDGE_CALLS

LOCAL = {"backend": "local", "model": "tiny"}


def rated(**settings: Any) -> dict[str, Any]:
    return changed("indicators.rated", {"scorer": "judge", "model": "gpt-4o-mini", **settings})


def test_defaults_are_those_of_the_backend() -> None:
    api = check(rated())["indicators"]["rated"]
    assert set(JUDGE_CALLS) < set(api) and not {"device", "revision", "batch_tokens"} & set(api)
    assert (api["base_url_env"], api["key_env"], api["max_cost"]) == ("OPENAI_BASE_URL", "OPENAI_API_KEY", None)
    local = check(rated(**LOCAL))["indicators"]["rated"]
    assert not set(JUDGE_CALLS) & set(local) and (local["device"], local["max_length"]) == ("cpu", 2048)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"device": "cuda"}, ".device: is only for an entry with 'backend: local'"),
        ({**LOCAL, "max_cost": 3}, ".max_cost: is only for an entry with 'backend: api'"),
        ({**LOCAL, "model": "tiyn"}, ": model 'tiyn' is not in models; did you mean 'tiny'?"),
        ({"prompt": "alpagasu"}, ".prompt: unknown prompt 'alpagasu'; did you mean 'alpagasus'?"),
        ({"prompt": "x"}, ".prompt: unknown prompt 'x': expected alpagasus, alpagasus_1_to_5, or a file's path"),
        ({"prompt": "mine.txt"}, ": prompt mine.txt of your own needs `scale`, the lowest and the highest score"),
        ({"scale": [0, 5]}, ": prompt alpagasus has its own scale"),
        ({"prompt": "mine.txt", "scale": [5, 0]}, ".scale: the lowest score 5 must be below the highest 0"),
        ({"max_cost": 3}, ": max_cost needs price_input and price_output"),
        ({"price_input": 3}, ": price_input and price_output go together"),
        ({"request": {}}, ".request: expected one of max_tokens and max_completion_tokens, a whole number above 0"),
        ({"request": {"max_tokens": 9, "n": 2}}, ".request.n: is not for you to send"),
        (
            {**LOCAL, "request": {"temperature": 1, "max_tokens": 9}},
            ".request: a local judge takes temperature 0 and max_tokens, and nothing else",
        ),
        ({"key": "sk-1"}, ".key: unknown key; did you mean 'key_env'?"),
        ({"key_env": "sk-1"}, ".key_env: 'sk-1' does not match ^[A-Za-z_][A-Za-z0-9_]*$"),
    ],
)
def test_each_error_is_one_line_that_names_the_key(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        check(rated(**settings))
    assert str(caught.value) == f"my.yaml: indicators.rated{message}"


def test_a_strategy_reads_its_judge_alone() -> None:
    raw = rated()
    raw["strategies"]["alpagasus"] = {"kind": "alpagasus", "indicator": "rated"}
    config = check(raw)
    assert strategy_columns(config, "alpagasus") == ["rated"]
    assert config["strategies"]["alpagasus"]["threshold"] is None
    raw["strategies"]["alpagasus"]["indicator"] = "ratd"
    with pytest.raises(InputError, match=r"^my.yaml: strategies.alpagasus: indicator 'ratd' is not in indicators; did"):
        check(raw)
    del raw["strategies"]["alpagasus"]["indicator"]
    with pytest.raises(InputError, match=r"strategies\.alpagasus: key 'indicator' missing"):
        check(raw)
