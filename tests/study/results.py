"""Study folders with chosen test results, each with its receipt, as the programs leave them; nothing is trained."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from sea_core.config import Config
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.files import write_json
from sea_core.holdout import hash_subject
from sea_core.receipts import append_receipt
from sea_core.run_folder import RECEIPT, RECORD, TEST, write_user_metrics
from study.records.folder import StudyFolder

METRICS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")
USERS = 40


def write_result(folder: Path, values: Any, *, seed: int | None, config: Config | None = None, **keys: Any) -> None:
    """One run; ``values`` (one number or one per user) is recall@20, the other metrics are half of it."""
    values = np.broadcast_to(np.asarray(values, dtype=float), (USERS,)).copy()
    metrics = UserMetrics(np.arange(USERS), {m: values if m == "recall@20" else values / 2 for m in METRICS})
    subject = {"baseline": keys["baseline"]} if "baseline" in keys else (config or Config()).as_dict()
    record = {"dataset": "tiny", "data_hash": "d" * 16, "split_hash": "s" * 16, **keys}
    receipt = {key: record[key] for key in ("dataset", "data_hash", "split_hash")}
    receipt |= {"schema_version": 1, "subject": subject, "subject_hash": hash_subject(subject), "seed": seed}
    folder.mkdir(parents=True)
    write_user_metrics(folder / TEST, metrics)
    append_receipt(folder / RECEIPT, {**receipt, "test_hash": "t" * 16, "time": "2000-01-01T00:00:00+00:00"})
    if "baseline" not in keys:
        record |= {"config": subject, "config_hash": receipt["subject_hash"], "weights_hash": f"{folder}"}
        record = {"epochs": 5} | record
    write_json(folder / RECORD, {"schema_version": 1, "seed": seed, "validation": metrics.means(), **record})


def write_search(
    root: Path,
    *,
    name: str = "tiny-search",
    dataset: str = "tiny",
    level: float = 0.3,
    seeds: int = 2,
    config: Config | None = None,
    **keys: Any,
) -> Path:
    """A study with one trial, two baselines and a winner on seeds with means ``level`` and ``level + 0.02`` in turn.

    More than six parameters: a test names the one or two that it is about.
    """
    folder = StudyFolder(root / name)
    keys |= {"dataset": dataset}
    trial = {"number": 0, "state": "complete", "value": 0.25, "params": {"temperature": 0.5, "knn_k": 5}}
    config = config or Config(temperature=0.5, knn_k=5)
    write_result(folder.trial(0), 0.1, seed=999, config=config, trial=trial, **keys)
    for index, seed in enumerate(range(11, 11 + seeds)):
        write_result(
            folder.winner(seed), level + 0.02 * (index % 2), seed=seed, config=config, trial={"number": 0}, **keys
        )
    write_result(folder.baseline("popularity"), 0.1, seed=None, baseline="popularity", **keys)
    write_result(folder.baseline("item-knn"), 0.2, seed=None, baseline="item-knn", **keys)
    return folder.root


def write_arms(
    root: Path, arms: dict[str, float], *, seeds: int = 3, mode: str = "frozen", agreeing: str = "", **keys: Any
) -> Path:
    """Ablation runs: ``arms`` maps a name to its true difference from full; users and seeds differ a little.

    Every seed of the arm ``agreeing`` has almost the mean of the first arm plus its difference.
    """
    folder = StudyFolder(root)
    users = np.random.default_rng(0).uniform(0.2, 0.4, USERS)
    for (index, (arm, difference)), seed in itertools.product(enumerate(arms.items()), range(1, seeds + 1)):
        noise = np.random.default_rng([index, seed]).normal(0, 0.005, USERS)
        if arm == agreeing:
            noise += 0.9 * (np.random.default_rng([0, seed]).normal(0, 0.005, USERS).mean() - noise.mean())
        path = folder.ablation(mode, arm, seed)
        write_result(
            path, users + difference + noise, seed=seed, arm=arm, mode=mode, arm_title=f"title of {arm}", **keys
        )
    return folder.root
