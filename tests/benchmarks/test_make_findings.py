"""The page of findings says only what the gallery's tables and verdicts say."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import make_findings
from benchmarks.findings import check_text, make_page
from sea_core.errors import UserError
from study.analysis.results import Results
from study.records.study import load_study
from study.reporting.tables.write import compute_tables, write_tables
from tests.study.results import write_arms, write_search

ARMS = {"full": 0.0, "no-club": -0.03, "no-solosim": 0.0, "no-both": 0.0001}


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of a study with one arm that is worse."""
    root = tmp_path_factory.mktemp("gallery")
    study = load_study(write_arms(write_search(root / "results", seeds=6), ARMS, seeds=6))
    write_tables(compute_tables(Results([study])), root / "tiny")
    return root


def made(gallery: Path, text: str) -> str:
    template = gallery / "findings.jinja"
    template.write_text(text)
    return make_page(template, gallery)


def test_a_number_is_the_cell_of_its_row_and_nothing_else(gallery: Path) -> None:
    table = pd.read_csv(gallery / "tiny" / "statistics.csv")
    value = table.query("arm == 'no-club' and metric == 'recall@20' and mode == 'frozen'").difference.iloc[0]
    words = "'tiny', 'statistics', 'difference', arm='no-club', metric='recall@20', mode='frozen'"
    assert made(gallery, f"It is {{{{ cell({words}) }}}}.\n") == f"It is {value:.4f}.\n".replace("-", "−")
    assert made(gallery, f"{{{{ cell({words}, form='{{:.1%}}') }}}}") == f"{value:.1%}".replace("-", "−")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("'tiny', 'statistic', 'difference'", "no table 'statistic' in .*did you mean 'statistics'"),
        ("'tiny', 'statistics', 'diference', arm='no-club'", "has no column 'diference'; did you mean 'difference'"),
        ("'tiny', 'statistics', 'difference', amr='no-club'", "has no column 'amr'; did you mean 'arm'"),
        ("'tiny', 'statistics', 'difference', arm='no-clubs'", "has 0 rows for arm=no-clubs, expected one number"),
        ("'tiny', 'statistics', 'difference', arm='no-club'", "has 4 rows for arm=no-club, expected one number"),
        ("'elsewhere', 'statistics', 'difference'", "no table 'statistics' in "),
    ],
)
def test_a_number_that_is_in_no_table_fails(gallery: Path, words: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        made(gallery, f"{{{{ cell({words}) }}}}")


@pytest.mark.parametrize("text", ["It gains 2 %.", "It gains .02 of recall@20.", "| lfm2k | 7 |", "## In 3 steps"])
def test_a_number_that_is_typed_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"findings.jinja, line 2: .* is typed; numbers come from tables"):
        check_text(f"\n{text}\n", Path("findings.jinja"))


@pytest.mark.parametrize(
    "text", ["CLUB helps here.", "It makes no difference.", "SEA is Better.", "This proves it.", "A? It improves."]
)
def test_a_verdict_that_is_typed_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"findings.jinja, line 1: .* is a verdict"):
        check_text(text, Path("findings.jinja"))


def test_names_links_questions_and_headings_may_hold_digits_or_verdicts() -> None:
    text = (
        "# Is it better?\n\nOn ml-100k, by recall@20: does CLUB help, and is it better? See [it](lfm2k/a1.md), `x1`.\n"
    )
    check_text(text, Path("findings.jinja"))


def test_what_is_shown_is_the_reports_sentence_with_its_verdict(gallery: Path) -> None:
    assert ": worse" in made(gallery, "{{ shown('tiny', 'no-club') }}")
    text = made(gallery, "{{ sentences('tiny') }}")
    assert text.startswith("Removing CLUB changes Recall@20 by −0.02")
    assert "so CLUB helps here" in text
    with pytest.raises(UserError, match="no comparison of 'no-clubs'"):
        made(gallery, "{{ shown('tiny', 'no-clubs') }}")


def test_separation_is_said_only_where_holm_leaves_it(tmp_path: Path) -> None:
    columns = ["mode", "arm", "diagnostic", "full", "difference", "low", "high", "p_holm"]
    rows = [
        ["frozen", "no-club", "cka", 0.5, 0.2, 0.1, 0.3, 0.004],
        ["frozen", "no-solosim", "cka", 0.5, -0.2, -0.3, -0.1, 0.004],
        ["frozen", "no-both", "cka", 0.5, 0.2, 0.0, 0.4, 0.06],
        ["frozen", "no-club", "recovery_separation", 0.5, 0.2, 0.1, 0.3, 0.004],
    ]
    (tmp_path / "tiny").mkdir()
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "tiny" / "separation.csv", index=False)
    text = made(tmp_path, "{{ separation('tiny', 'cka') }}")
    assert text.startswith("By CKA g–u the two parts are at 0.500 in the full model; without CLUB nearer (+0.2000 [")
    assert "without Solosim further apart (−0.2000 [−0.3000, −0.1000], p = .004)" in text
    assert "without CLUB and Solosim neither shown nearer nor further apart (" in text
    assert "without CLUB further apart (" in made(tmp_path, "{{ separation('tiny', 'recovery_separation') }}")
    with pytest.raises(UserError, match="has no hsic of no-club, no-solosim and no-both"):
        made(tmp_path, "{{ separation('tiny', 'hsic') }}")


def test_doses_show_separation_beside_accuracy_and_are_no_dataset(tmp_path: Path, gallery: Path) -> None:
    shutil.copytree(gallery / "tiny", tmp_path / "tiny")
    (tmp_path / "tiny-dose").mkdir()
    table = pd.read_csv(gallery / "tiny" / "statistics.csv").replace({"arm": {"no-club": "distance-1"}})
    table.to_csv(tmp_path / "tiny-dose" / "statistics.csv", index=False)
    row = {"mode": "frozen", "arm": "distance-1", "diagnostic": "probe_r2", "value": 0.25}
    pd.DataFrame([row]).to_csv(tmp_path / "tiny-dose" / "separation.csv", index=False)
    text = made(tmp_path, "{{ datasets }} {{ doses('tiny', 'probe_r2') }}")
    assert text.startswith("['tiny'] | dose | Probe R² | Recall@20 | verdict |")
    assert text.splitlines()[-1].startswith("| CLUB's weight 1 | 0.250 | −0.02")
    assert text.endswith(" | worse |")


def test_the_page_is_what_its_template_and_tables_make() -> None:
    assert make_findings.main(["--check"]) == 0


def test_what_tuning_brought_needs_the_default_beside_the_winner(gallery: Path) -> None:
    with pytest.raises(UserError, match="tiny has no comparison of the tuned model with the default by recall@20"):
        made(gallery, "{{ tuning('tiny') }}")


def test_the_table_of_answers_has_a_row_for_each_question_with_verdict_seeds_and_power(gallery: Path) -> None:
    rows = made(gallery, "{{ answers() }}").splitlines()[2:]
    table = pd.read_csv(gallery / "tiny" / "statistics.csv")
    asked = table[(table.metric == "recall@20") & table.family.eq("primary")]
    by_question = {row.split(" | ")[1]: row for row in rows}
    assert list(by_question) == ["without CLUB", "without Solosim", "without CLUB and Solosim"]
    for row, line in zip(rows, asked.itertuples(), strict=True):
        assert f" | {line.verdict} | " in row
        assert f" | {line.seeds} | {line.users} | " in row
        assert f"{100 * line.mde / line.reference_mean:.1f} %" in row


def test_what_is_open_names_what_it_takes(gallery: Path) -> None:
    text = made(gallery, "{{ undecided('tiny') }}")
    assert text == "nothing of the primary question is open" or re.search(r"needs (about \d+ seeds|more users)", text)


def test_a_page_that_is_too_long_is_refused(gallery: Path) -> None:
    with pytest.raises(UserError, match="makes 121 lines, expected at most 120"):
        made(gallery, "text\n" * 121)


def test_the_program_writes_the_page_and_check_compares_it(gallery: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docs = gallery / "docs"
    (docs / "gallery").mkdir(parents=True)
    (docs / "findings.jinja").write_text("{{ datasets|length }} dataset(s)\n")
    with pytest.raises(UserError, match="is not what the gallery's tables say; run make findings"):
        make_findings.main(["--check", "--docs", str(docs)])
    assert make_findings.main(["--docs", str(docs)]) == 0
    assert (docs / "findings.md").read_text() == "0 dataset(s)\n"
    assert make_findings.main(["--check", "--docs", str(docs)]) == 0
    capsys.readouterr()
