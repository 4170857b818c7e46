"""A report of Snakemake shows its summary first."""

import pytest

from instructmining.jobs.errors import InputError
from instructmining.report.opening import SUMMARY, open_on_summary

REPORT = f'<html><body><script>var results = {{"{SUMMARY}": {{}}}};</script>\n</body></html>\n'


def test_the_summary_is_opened_last_of_all_and_once(tmp_path):
    report = tmp_path / "report.html"
    report.write_text(REPORT)
    open_on_summary(report)
    once = report.read_text()
    assert once.startswith(REPORT.partition("</body>")[0]) and once.endswith("</script>\n</body></html>\n")
    assert f'results["{SUMMARY}"].data_uri' in once
    open_on_summary(report)
    assert report.read_text() == once


@pytest.mark.parametrize("text", ["", REPORT.replace(SUMMARY, "other"), REPORT.replace("</body>", "")])
def test_another_file_is_an_error_and_stays(tmp_path, text):
    report = tmp_path / "report.html"
    report.write_text(text)
    with pytest.raises(InputError, match=r"report\.html: expected a report of Snakemake with results/figures/summary"):
        open_on_summary(report)
    assert report.read_text() == text
