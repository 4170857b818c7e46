import pytest
import yaml

from instructmining.training.card import model_card

NAMES = {"recipe": "small", "strategy": "instructmining", "pool": "unseen", "search": "main"}
TRAIN = {
    "tokens": 1234,
    "steps": 5,
    "settings": {
        "model": "org/base",
        "revision": "main",
        "method": "full",
        "epochs": 3,
        "batch_size": 128,
        "learning_rate": 2e-5,
        "max_length": 512,
        "template": "alpaca",
        "seed": 0,
    },
}
SEARCH = {"best_size": 40, "trials": [{}, {}]}
BASE = {"model": "base", "origin": "org/base", "revision": "unpinned", "licence": None}
DOLLY = {"source": "a/dolly@abc", "revision": "abc", "sha256": None, "licence": "CC BY-SA 3.0"}
ORCA = {"source": "data/or|ca.json", "revision": None, "sha256": "0123456789abcdef" * 4, "licence": None}
EVALUATIONS = {"test_loss": {"value": 1.23456, "unit": "nats per response token", "n_used": 9, "n_expected": 10}}


def test_the_card_says_base_model_data_rule_size_and_losses():
    rule = {"coefficients": {"intercept": 0.5, "reward": -0.25}, "r_squared": 0.6, "n": 12}
    card = model_card(NAMES, TRAIN, SEARCH, EVALUATIONS, rule, BASE, {"dolly": DOLLY, "orca": ORCA})
    front = yaml.safe_load(card.split("---")[1])
    assert front["base_model"] == "org/base"
    assert "`org/base` (unpinned)" in card
    assert "first 40 examples of the pool `unseen`" in card
    assert "| `dolly` | a/dolly@abc | abc | CC BY-SA 3.0 |\n" in card
    assert "| `orca` | data/or\\|ca.json | sha256 0123456789abcdef | unknown |\n" in card
    assert "log loss = 0.5 - 0.25 · reward (R² 0.600 on 12 mixtures)" in card
    assert "`test_loss`: 1.2346 nats per response token (9 of 10 items)" in card


def test_a_strategy_without_rule_has_a_card_too():
    assert "quality rule" not in model_card(NAMES, TRAIN, SEARCH, EVALUATIONS, None, BASE, {"dolly": DOLLY})


@pytest.mark.parametrize(
    ("base", "data", "licence"),
    [
        ("apache-2.0", ["apache-2.0", "apache-2.0"], "apache-2.0"),
        ("apache-2.0", ["apache-2.0", "cc-by-nc-4.0"], "other"),
        ("apache-2.0", [None], "other"),
        (None, ["mit"], "other"),
        (None, [None], "unknown"),
    ],
)
def test_data_under_another_licence_than_the_base_make_it_other(base, data, licence):
    datasets = {f"d{i}": {**DOLLY, "licence": name} for i, name in enumerate(data)}
    card = model_card(NAMES, TRAIN, SEARCH, EVALUATIONS, None, {**BASE, "licence": base}, datasets)
    assert yaml.safe_load(card.split("---")[1])["license"] == licence
