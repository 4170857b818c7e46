"""Names that several stages share."""

import pickle
import re

import pytest

from configs import SMALL, check
from instructmining.dag import names
from instructmining.jobs.errors import InputError


def test_a_name_that_the_config_lacks_is_one_line() -> None:
    config = names.in_sections(check(SMALL))
    with pytest.raises(InputError, match=r"^this target needs 'smal' in section 'recipes' of the config, which has no"):
        config["recipes"]["smal"]


def test_jobs_get_sections_as_plain_data() -> None:
    section = names.in_sections(check(SMALL))["recipes"]
    copied = pickle.loads(pickle.dumps(section))
    assert type(copied) is dict and copied == section


def test_a_constraint_without_names_matches_nothing() -> None:
    assert not re.match(names.one_of([]), "") and not re.match(names.one_of([]), "a")
    assert names.one_of(["a", "b", "a"]) == "a|b"


def test_rankings_by_a_quality_rule_are_shown() -> None:
    config = check(SMALL)
    used = [(name, "unseen") for name in ("full", "instructmining", "random")]
    assert names.used_rankings(config) == used
    assert names.shown_rankings(config) == [("instructmining", "unseen")]
    assert names.best_subset(config, "main") == "instructmining/unseen/best-main"
