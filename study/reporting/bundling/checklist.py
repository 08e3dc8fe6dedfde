"""A reproducibility checklist, answered as far as the records answer it.

The questions are those that the paper checklist of NeurIPS and the reproducibility guidelines of RecSys ask, in our own
words. What only authors know stays marked as open.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import NamedTuple

from study.analysis.convergence import run_converged
from study.analysis.metrics import metric_title
from study.records.arm_names import FULL
from study.records.study import RunRecord
from study.reporting.bundling.facts import Facts

OPEN, YES, NO, PARTLY = "open", "yes", "no", "partly"


class Answer(NamedTuple):
    """An answer and what it rests on."""

    answer: str
    evidence: str


class Row(NamedTuple):
    """A question of a list, with its answer."""

    list: str
    question: str
    answer: str
    evidence: str


_AUTHORS = Answer(OPEN, "for the authors: no record can tell")


def answered(facts: Facts) -> list[Row]:
    """Every question with its answer, in the order of the lists."""
    return [Row(name, question, *answer(facts)) for name, question, answer in _QUESTIONS]


def as_markdown(rows: list[Row]) -> str:
    """The checklist for people; open questions are counted at the top."""
    still_open = sum(row.answer == OPEN for row in rows)
    lines = [
        "# Reproducibility checklist",
        "",
        f"{len(rows) - still_open} of {len(rows)} questions are answered from the records, {still_open} are open. The "
        "questions paraphrase the lists they are named after; fill in the open ones before you submit.",
    ]
    for name in dict.fromkeys(row.list for row in rows):
        lines += ["", f"## {name}", "", "| question | answer | evidence |", "|---|---|---|"]
        lines += [f"| {row.question} | {_mark(row.answer)} | {row.evidence} |" for row in rows if row.list == name]
    return "\n".join([*lines, ""])


def as_csv(rows: list[Row]) -> str:
    """The same for programs."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(rows)
    return text.getvalue()


def _mark(answer: str) -> str:
    return "**open**" if answer == OPEN else answer


def _open(facts: Facts) -> Answer:
    return _AUTHORS


def _limitations(facts: Facts) -> Answer:
    return Answer(
        PARTLY, f"`{facts.place}/report.html` lists cautions that follow from the records; the text is the authors'"
    )


def _reproducible(facts: Facts) -> Answer:
    if not facts.calls:
        return Answer(NO, f"commands and commit were not written down (`{facts.place}/provenance.json` is missing)")
    count = len(facts.calls)
    calls = f"`commands.txt` has {count} command{'' if count == 1 else 's'}"
    return Answer(YES, f"{calls}, every run has config and seed; `study/bundle.py --verify` trains one again")


def _code(facts: Facts) -> Answer:
    if not facts.commits:
        return Answer(NO, "the runs were not made from a git checkout, so no commit is known")
    dirty = [commit for commit in facts.commits if commit.endswith("-dirty")]
    named = ", ".join(commit.removesuffix("-dirty")[:12] for commit in facts.commits)
    if dirty:
        return Answer(PARTLY, f"commit {named}; {len(dirty)} of them with changes that are in no commit")
    return Answer(PARTLY, f"commit {named}; whether the code is public is for the authors to say")


def _data(facts: Facts) -> Answer:
    data = facts.data()
    return Answer(
        PARTLY,
        f"{data['dataset']} with data hash {', '.join(data['data_hashes'])}; where to get it is for the authors to say",
    )


def _setting(facts: Facts) -> Answer:
    split, search = _split(facts), _search(facts)
    answer = YES if {split.answer, search.answer} == {YES} else PARTLY
    return Answer(answer, f"{split.evidence}; {search.evidence}; full configs in every `record.json`")


def _split(facts: Facts) -> Answer:
    protocols = {str(split.get("protocol")) for split in facts.data()["splits"]}
    if not protocols:
        return Answer(
            PARTLY, f"split hash {', '.join(facts.data()['split_hashes'])}; its protocol was not written down"
        )
    return Answer(YES, f"split {', '.join(sorted(protocols))}, hash {', '.join(facts.data()['split_hashes'])}")


def _search(facts: Facts) -> Answer:
    study = facts.study
    if study.spec is None or not study.trials:
        return Answer(NO, "no search: the config was given, see `commands.txt`")
    return Answer(
        YES,
        f"{len(study.trials)} trials over {', '.join(study.space)} ({study.spec.sampler} sampler, {study.spec.pruner} "
        f"pruner) by validation {study.metric}; ranges in `{facts.place}/config.yaml`",
    )


def _significance(facts: Facts) -> Answer:
    study = facts.study
    seeds = {run.seed for run in [*study.winner, *study.ablations]}
    if len(seeds) < 2:
        return Answer(NO, "one seed gives no interval and no test")
    return Answer(
        YES,
        f"{len(seeds)} seeds; intervals and tests over users and seeds: `{facts.place}/tables/statistics.csv`",
    )


def _compute(facts: Facts) -> Answer:
    machines = facts.environment()["machines"]
    seconds = sum(run.seconds for run in _trained(facts))
    if not machines:
        return Answer(NO, "the machine was not written down")
    named = "; ".join(f"{each.get('cpu')}, {each.get('cores')} cores" for each in machines)
    return Answer(
        YES, f"{named}; {seconds / 3600:.2f} hours of training in all, by part in `{facts.place}/tables/costs.csv`"
    )


def _metrics(facts: Facts) -> Answer:
    metrics = facts.study.metrics
    if not metrics:
        return Answer(NO, "no metric was shown")
    return Answer(
        YES, f"{', '.join(map(metric_title, metrics))}, full ranking over all items; per-user values are here"
    )


def _baselines(facts: Facts) -> Answer:
    names = sorted({str(run.baseline) for run in facts.study.baselines})
    if not names:
        return Answer(NO, "no baseline ran in this study")
    return Answer(PARTLY, f"{', '.join(names)} on the same split and users; they were not tuned")


def _default(facts: Facts) -> Answer:
    study = facts.study
    if not study.winner:
        return Answer(NO, "nothing was tuned here")
    if not study.default:
        return Answer(PARTLY, "the base configuration was not opened beside the winner, or is the winner itself")
    return Answer(YES, f"the base configuration on the same {len(study.default)} seeds: `{facts.place}/final/default`")


def _equal_budgets(facts: Facts) -> Answer:
    arms = {str(run.arm) for run in facts.study.runs(mode="retuned")}
    if arms:
        return Answer(
            YES, f"{len(arms)} arms had a search of their own; `{facts.place}/tables/budgets.csv` compares the budgets"
        )
    if facts.study.ablations:
        return Answer(PARTLY, "arms share the full model's configuration (frozen); none had a search of its own")
    return Answer(NO, "no arm ran in this study")


def _test_split(facts: Facts) -> Answer:
    tested = [run for run in facts.records if (run.folder / "test.parquet").exists()]
    receipts = sum((run.folder / "receipt.json").exists() for run in tested)
    trials = sum((run.folder / "test.parquet").exists() for run in [*facts.study.trials, *facts.study.finalists])
    if trials:
        return Answer(NO, f"{trials} runs of the search or its finalists were opened on test")
    if receipts < len(tested):
        return Answer(PARTLY, f"{len(tested) - receipts} of {len(tested)} tested runs have no receipt")
    return Answer(YES, f"no trial and no finalist was opened on test; {receipts} runs were, each with a receipt")


def _seeds(facts: Facts) -> Answer:
    study = facts.study
    of_full = study.runs(arm=FULL, mode="frozen") or study.winner
    seeds = sorted({run.seed for run in of_full if run.seed is not None})
    return Answer(YES, f"seed {study.seed} of the search, fresh seeds {', '.join(map(str, seeds)) or 'none'}")


def _failures(facts: Facts) -> Answer:
    failed = [run for run in facts.records if run.state == "failed"]
    return Answer(YES, f"{len(failed)} of {len(facts.records)} runs failed; they are here with their reason")


def _converged(facts: Facts) -> Answer:
    study = facts.study
    final = [run for run in [*study.winner, *study.ablations] if run.history is not None]
    cut = sum(run_converged(run) is False for run in final)
    if cut:
        return Answer(NO, f"{cut} of {len(final)} final runs were still learning when their last allowed epoch ended")
    return Answer(YES, f"none of {len(final)} final runs was still learning when its last allowed epoch ended")


def _frozen_question(facts: Facts) -> Answer:
    question = facts.study.question
    if question is None:
        return Answer(NO, "the primary question was not written down before the arms ran")
    if question.changed:
        return Answer(NO, f"the primary question was changed after arms had run (`{facts.place}/question.json`)")
    return Answer(YES, f"written down before the first arm ran: `{facts.place}/question.json`")


def _trained(facts: Facts) -> list[RunRecord]:
    return [run for run in facts.records if run.duplicate_of is None and "copied_from" not in run.record]


_NEURIPS, _RECSYS = "NeurIPS paper checklist", "RecSys reproducibility"
_QUESTIONS: tuple[tuple[str, str, Callable[[Facts], Answer]], ...] = (
    (_NEURIPS, "Do the claims of abstract and introduction match what was shown?", _open),
    (_NEURIPS, "Are limitations discussed?", _limitations),
    (_NEURIPS, "Are assumptions and proofs of theoretical results complete?", _open),
    (_NEURIPS, "Is all disclosed that is needed to reproduce the main results?", _reproducible),
    (_NEURIPS, "Is the code available?", _code),
    (_NEURIPS, "Are the data available?", _data),
    (_NEURIPS, "Are training and test details given: splits, hyper-parameters, how they were chosen?", _setting),
    (_NEURIPS, "Are error bars or tests of significance reported, and their method?", _significance),
    (_NEURIPS, "Are compute resources given for the experiments?", _compute),
    (_NEURIPS, "Does the work conform to the code of ethics?", _open),
    (_NEURIPS, "Are broader impacts discussed?", _open),
    (_NEURIPS, "Are there safeguards against misuse?", _open),
    (_NEURIPS, "Are existing assets credited, with their licences?", _open),
    (_NEURIPS, "Are new assets documented?", _open),
    (_NEURIPS, "Human subjects: instructions, compensation, review board?", _open),
    (_NEURIPS, "Is the use of language models declared where it matters to the method?", _open),
    (_RECSYS, "Are datasets identified, with every preparation step?", _data),
    (_RECSYS, "Is the split protocol stated, and shared by all methods?", _split),
    (_RECSYS, "Were hyper-parameters chosen without the test split?", _test_split),
    (_RECSYS, "Are search space, method and budget of the tuning stated?", _search),
    (_RECSYS, "Is the tuned model shown beside its untuned configuration?", _default),
    (_RECSYS, "Had compared variants equal tuning budgets?", _equal_budgets),
    (_RECSYS, "Are baselines reported on the same data, and tuned?", _baselines),
    (_RECSYS, "Are metrics defined: candidates, cut-offs, averaging?", _metrics),
    (_RECSYS, "Are random seeds listed?", _seeds),
    (_RECSYS, "Was the primary comparison fixed before it was run?", _frozen_question),
    (_RECSYS, "Did runs train until they stopped learning?", _converged),
    (_RECSYS, "Are failed runs reported?", _failures),
    (_RECSYS, "Is it argued that offline metrics answer the question of the work?", _open),
)
