"""The page of findings, made from a template and the gallery's tables; ``make_findings.py`` is its program."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from sea_core.errors import UserError, suggest
from study.ablation.arms import load_arms, read_arm
from study.analysis.enough_seeds import enough_seeds
from study.analysis.metrics import metric_title
from study.analysis.stats.comparison import ALPHA, POWER, Comparison
from study.records.arm_names import arm_names
from study.reporting.page.about_arms import arm_sentences, difference_text, relation, signed
from study.reporting.page.claims import between, claim, is_open
from study.reporting.page.question import PARTS, listed
from study.reporting.tables.diagnostics import DIAGNOSTICS, RECOVERY

MOST_LINES = 120
# What only a verdict may say. A question may ask it, a heading may name it.
VERDICTS = re.compile(
    r"\b(better|worse|helps?|harms?|equivalent|non-inferior|outperforms?|beats?|superior|significant\w*|decided|"
    r"no difference|improves?|proves?|shows? that)\b",
    re.IGNORECASE,
)
# Digits that are names: datasets, metrics, files, licences of words like R².
NAMES = re.compile(r"lfm2k\S*|ml-100k|citeulike-t|recall@\d+|ndcg@\d+|0-9|R²|`[^`]*`|\]\([^)]*\)|https?://\S+")
TEMPLATE_PARTS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
DOSE = "-dose"  # end of the folder of a dataset's doses
HIGHER_APART = ("recovery_separation",)  # by all other diagnostics a lower value means further apart
ANSWERED = ("primary", "rivals", "added later", "tuning")


def make_page(template: Path, gallery: Path) -> str:
    """The page's text.

    Args:
        template: Jinja; ``gallery`` and the functions of ``Tables`` are its words.
        gallery: a folder per dataset, with the tables as CSV files.

    Raises:
        UserError: a number or a verdict in the template's own text, a table, row or column that is not there, or a page
            that is too long to be read in review.
    """
    try:
        source = template.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read {template}: {error.strerror}") from None
    check_text(source, template)
    tables = Tables(gallery)
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown of our own tables
    )
    try:
        made = environment.from_string(source).render(tables.words())
    except jinja2.TemplateError as error:
        raise UserError(f"{template}: {error}") from None
    if (lines := len(made.splitlines())) > MOST_LINES:
        raise UserError(f"{template} makes {lines} lines, expected at most {MOST_LINES}: a reviewer reads one page")
    return made


def check_text(source: str, template: Path) -> None:
    """Refuse numbers and verdicts that are typed.

    Raises:
        UserError: naming the first line with one.
    """
    blank = TEMPLATE_PARTS.sub(lambda part: re.sub(r"[^\n]", " ", part.group()), source)
    for number, line in enumerate(blank.splitlines(), start=1):
        text = NAMES.sub("", line)
        if digit := re.search(r"\S*\d\S*", text):
            raise UserError(
                f"{template}, line {number}: '{digit.group()}' is typed; numbers come from tables: "
                "{{ cell(dataset, table, column, row=...) }}"
            )
        statement = re.sub(r"[^.?!:|]*\?", "", text)  # questions
        if not line.startswith("#") and (word := VERDICTS.search(statement)):
            raise UserError(
                f"{template}, line {number}: '{word.group()}' is a verdict; let {{{{ shown(dataset, arm) }}}} say it"
            )


class Tables:
    """The gallery's tables, and what a template may ask of them. Every number is read off a row."""

    def __init__(self, gallery: Path) -> None:
        """Take the datasets that have a table of comparisons.

        Args:
            gallery: a folder per dataset.
        """
        self.gallery = gallery
        self._read: dict[Path, pd.DataFrame] = {}
        doses = sorted((Path(__file__).parent / "dose").glob("*.yaml"))
        self.titles = {arm.name: arm.title for arm in [*load_arms(sorted(arm_names())), *map(read_arm, doses)]}

    @cached_property
    def datasets(self) -> list[str]:
        """Those that have comparisons, in the order of their names; doses of a dataset are no dataset."""
        names = sorted(path.parent.name for path in self.gallery.glob("*/statistics.csv"))
        return [name for name in names if not name.endswith(DOSE)]

    def words(self) -> Mapping[str, Callable[..., Any] | list[str] | str]:
        """What a template may use, by name."""
        return {
            "datasets": self.datasets,
            "confidence": f"{1 - ALPHA:.0%}".replace("%", " %"),
            "power": f"{POWER:.0%}".replace("%", " %"),
            "has": self.has,
            "cell": self.cell,
            "answers": self.answers,
            "shown": self.shown,
            "sentences": self.sentences,
            "tuning": self.tuning,
            "separation": self.separation,
            "doses": self.doses,
            "undecided": self.undecided,
        }

    def table(self, dataset: str, name: str) -> pd.DataFrame:
        """A table as a frame.

        Raises:
            UserError: there is none of that name.
        """
        path = self.gallery / dataset / f"{name}.csv"
        if path not in self._read:
            if not path.exists():
                there = sorted(each.stem for each in path.parent.glob("*.csv"))
                raise UserError(
                    f"no table '{name}' in {path.parent}{suggest(name, there)}; the gallery's programs write it"
                )
            self._read[path] = pd.read_csv(path)
        return self._read[path]

    def has(self, dataset: str, name: str, **row: Any) -> bool:
        """Whether there is such a table, and at least one such row in it."""
        return (self.gallery / dataset / f"{name}.csv").exists() and not self._rows(dataset, name, row).empty

    def cell(self, dataset: str, name: str, column: str, *, form: str = "{:.4f}", **row: Any) -> str:
        """One number: the cell of the only row with these values.

        Args:
            dataset, name, column: of the table.
            form: how it is written, ``{:.1%}``; hyphens become minus signs.
            row: column -> value.

        Raises:
            UserError: no such column, no such row, several, or an empty cell.
        """
        rows = self._rows(dataset, name, row)
        if column not in rows:
            raise UserError(f"table '{name}' of {dataset} has no column '{column}'{suggest(column, map(str, rows))}")
        asked = ", ".join(f"{key}={value}" for key, value in row.items())
        if len(rows) != 1 or rows[column].isna().any():
            count = "an empty cell" if len(rows) == 1 else f"{len(rows)} rows"
            raise UserError(f"table '{name}' of {dataset} has {count} for {asked}, expected one number in '{column}'")
        return form.format(rows[column].iloc[0]).replace("-", "−")

    def comparisons(self, dataset: str) -> list[Comparison]:
        """The rows of a dataset's table of comparisons."""
        frame = self.table(dataset, "statistics")
        text = {"study", "mode", "dataset", "metric", "arm", "reference", "family", "gate", "verdict", "note"}
        frame = frame.assign(**{column: frame[column].astype(object).fillna("") for column in text})
        known = [column for column in Comparison._fields if column in frame]
        return [Comparison(**dict(zip(known, row, strict=True))) for row in frame[known].itertuples(index=False)]

    def answers(self) -> str:
        """A table: dataset x question, with verdict, simultaneous bounds, seeds, users and what could be found."""
        rows = ["| data | question | verdict | difference | seeds | users | finds |", "|---|---|---|---|---|---|---|"]
        for dataset in self.datasets:
            for line in self._answered(dataset):
                finds = "–" if pd.isna(line.mde) else f"{100 * line.mde / abs(line.reference_mean):.1f} %"
                bounds = f"{difference_text(line)}, {between(line)}"
                cells = [dataset, self._question(line), line.verdict, bounds, str(line.seeds), str(line.users), finds]
                rows.append(f"| {' | '.join(cells)} |")
        return "\n".join(rows)

    def shown(self, dataset: str, arm: str, *, metric: str | None = None, mode: str = "frozen") -> str:
        """What is shown of an arm, as the report says it: ``worse by at most 3.1 %``.

        Raises:
            UserError: no such comparison.
        """
        lines = [line for line in self.comparisons(dataset) if (line.arm, line.mode) == (arm, mode)]
        wanted = metric or self._metric(dataset)
        line = next((line for line in lines if line.metric == wanted), None)
        if line is None:
            raise UserError(f"{dataset} has no comparison of '{arm}' ({mode}) by {wanted}")
        return f"{difference_text(line)}: {claim(line)}"

    def sentences(self, dataset: str, family: str = "primary") -> str:
        """What the arms of a family show by the metric that was asked for, in the report's sentences."""
        lines = [line for line in self._of_family(dataset, family) if line.metric == self._metric(dataset)]
        if not lines:
            raise UserError(f"{dataset} has no comparisons in the family '{family}'")
        modes = dict.fromkeys(line.mode for line in lines)
        return " ".join(
            sentence
            for mode in modes
            for sentence in arm_sentences([x for x in lines if x.mode == mode], self.titles, retuned=mode == "retuned")
        ).replace("changes it by", f"changes {metric_title(self._metric(dataset))} by", 1)

    def tuning(self, dataset: str) -> str:
        """What tuning brought on test, in one sentence.

        Raises:
            UserError: the default was not tested beside the winner.
        """
        metric = self._metric(dataset)
        line = next((x for x in self._of_family(dataset, "tuning") if x.metric == metric), None)
        if line is None:
            raise UserError(f"{dataset} has no comparison of the tuned model with the default by {metric}")
        return (
            f"By test {metric_title(metric)} the tuned model has {line.arm_mean:.4f} and the default "
            f"{line.reference_mean:.4f} on {line.seeds} fresh seeds ({difference_text(line)}): {claim(line)}."
        )

    def separation(self, dataset: str, diagnostic: str, *, arms: Sequence[str] = tuple(PARTS)) -> str:
        """How far generic and unique part are apart in the full model and without parts of it, in one sentence.

        Args:
            dataset: it has a table ``separation``.
            diagnostic: its name there.
            arms: those to speak of, as far as they were run.
        """
        rows = self._rows(dataset, "separation", {"mode": "frozen", "diagnostic": diagnostic}).to_dict("records")
        known: list[dict[Any, Any]] = [row for arm in arms for row in rows if row["arm"] == arm]
        if not known:
            raise UserError(f"table 'separation' of {dataset} has no {diagnostic} of {listed(list(arms))}")
        changes = []
        for row in known:
            difference, p = float(row["difference"]), float(row["p_holm"])
            apart = "nearer" if (difference > 0) != (diagnostic in HIGHER_APART) else "further apart"
            if not p < ALPHA:
                apart = "neither shown nearer nor further apart"
            removed = "CLUB and Solosim" if row["arm"] == "no-both" else PARTS.get(row["arm"], self.titles[row["arm"]])
            bounds = f"[{signed(row['low'])}, {signed(row['high'])}]"
            changes.append(f"without {removed} {apart} ({signed(difference)} {bounds}, p {relation(p)})")
        name = {**DIAGNOSTICS, **RECOVERY}[diagnostic]
        return f"By {name} the two parts are at {known[0]['full']:.3f} in the full model; {listed(changes)}."

    def doses(self, dataset: str, diagnostic: str) -> str:
        """A table: dose by dose, a diagnostic of separation, and the difference in accuracy with its verdict.

        Args:
            dataset: it has a folder of doses.
            diagnostic: its name in the table ``separation``.
        """
        separated = self._rows(dataset + DOSE, "separation", {"mode": "frozen", "diagnostic": diagnostic})
        value = dict(zip(separated["arm"], separated["value"], strict=True))
        metric = self._metric(dataset + DOSE)
        name = {**DIAGNOSTICS, **RECOVERY}[diagnostic]
        rows = [f"| dose | {name} | {metric_title(metric)} | verdict |", "|---|---|---|---|"]
        for line in self.comparisons(dataset + DOSE):
            if line.metric == metric and line.arm in value:
                cells = [self.titles[line.arm], f"{value[line.arm]:.3f}", difference_text(line), line.verdict]
                rows.append(f"| {' | '.join(cells)} |")
        return "\n".join(rows)

    def undecided(self, dataset: str) -> str:
        """What stayed open of the primary question, and how many seeds or users it would take."""
        lines = [x for x in self._of_family(dataset, "primary") if x.metric == self._metric(dataset)]
        still_open = [line for line in lines if is_open(line)]
        if not still_open:
            return "nothing of the primary question is open"
        parts = []
        for line in still_open:
            seeds = enough_seeds(line, comparisons=len(lines))
            what = f"about {seeds} seeds" if seeds is not None else "more users, as no number of seeds would be enough"
            arm = "CLUB and Solosim together" if line.arm == "no-both" else PARTS.get(line.arm, line.arm)
            parts.append(f"{arm}: {what}")
        return "; ".join(parts)

    def _rows(self, dataset: str, name: str, row: Mapping[str, Any]) -> pd.DataFrame:
        frame = self.table(dataset, name)
        for column, value in row.items():
            if column not in frame:
                raise UserError(
                    f"table '{name}' of {dataset} has no column '{column}'{suggest(column, map(str, frame))}"
                )
            frame = frame[frame[column] == value]
        return frame

    def _of_family(self, dataset: str, family: str) -> list[Comparison]:
        return [line for line in self.comparisons(dataset) if line.family == family]

    def _metric(self, dataset: str) -> str:
        """The metric of the primary question, else of what decided the search's worth."""
        for family in ANSWERED:
            lines = self._of_family(dataset, family)
            if lines:
                return lines[0].metric
        raise UserError(f"{dataset} has no comparison that was asked for")

    def _answered(self, dataset: str) -> list[Comparison]:
        metric = self._metric(dataset)
        return [x for family in ANSWERED for x in self._of_family(dataset, family) if x.metric == metric]

    def _question(self, line: Comparison) -> str:
        if line.family == "tuning":
            return "tuned against default"
        if line.family == "primary" and line.arm in PARTS:
            return f"without {PARTS[line.arm] if line.arm != 'no-both' else 'CLUB and Solosim'}"
        return self.titles.get(line.arm, line.arm)
