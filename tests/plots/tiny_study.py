"""A small study folder in the documented layout, made of formulas: no training, known numbers."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from safetensors.numpy import save

from sea_core.config import Config
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.files import write_json
from sea_core.holdout import hash_subject
from sea_core.receipts import append_receipt
from sea_core.run_folder import HISTORY, PARTS, RECEIPT, RECORD, TEST, VALIDATION, write_user_metrics
from study.records.folder import StudyFolder
from study.records.path import AblationPath, PathStep, write_path

METRICS = {"recall@10": 0.6, "recall@20": 1.0, "ndcg@10": 0.4, "ndcg@20": 0.5}  # each relative to recall@20
SPACE: dict[str, Any] = {
    "alignment_weight": {"low": 1e-3, "high": 1.0, "log": True},
    "distance_weight": {"low": 1e-4, "high": 1.0, "log": True},
    "temperature": {"low": 0.05, "high": 1.0, "log": True},
    "split_ratio": {"low": 0.1, "high": 0.9},
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "knn_k": {"choices": [5, 10, 20]},
    "image_weight": {"low": 0.0, "high": 1.0},
    "gnn_layers": {"low": 1, "high": 4},
    "item_graph_layers": {"low": 0, "high": 3},
}
TITLES = {"full": "SEA (full)", "no-club": "w/o CLUB", "no-solosim": "w/o Solosim", "no-both": "w/o both"}
CHANGES = {"full": 0.0, "no-club": -0.004, "no-solosim": -0.012, "no-both": -0.014}  # of every user's recall@20


def write_study(root: Path, *, trials: int = 30, seeds: int = 3, users: int = 60) -> Path:
    """A search with pruned, failed and repeated trials, a winner, a baseline and four arms."""
    folder = StudyFolder(root / "tiny-search")
    folder.root.mkdir(parents=True)
    identity = {"dataset": "tiny", "space": SPACE, "metric": "recall@20"}
    folder.identity.write_text(yaml.safe_dump(identity, sort_keys=False))
    for number in range(trials):
        write_trial(folder, number)
    for seed in range(1001, 1001 + seeds):
        write_run(folder.winner(seed), seed=seed, epochs=40 + seed % 5 * 3, users=users, test=True, trial={"number": 4})
        write_parts(folder.winner(seed), seed)
        for arm, change in CHANGES.items():
            path = folder.ablation("frozen", arm, seed)
            keys = {"pace": 1.5 + 50 * change, "arm": arm, "arm_title": TITLES[arm], "mode": "frozen"}
            write_run(path, seed=seed, users=users, test=True, change=change, **keys)
    write_run(folder.baseline("popularity"), seed=None, users=users, test=True, change=-0.06, baseline="popularity")
    return folder.root


def write_walked(root: Path, *, trials: int = 5, seeds: int = 3, users: int = 60) -> Path:
    """The same study, whose base configuration had another learning rate, temperature and depth than its winner."""
    folder = StudyFolder(write_study(root, trials=trials, seeds=seeds, users=users))
    configs = [Config(learning_rate=5e-4, temperature=0.5, gnn_layers=3)]
    steps = []
    for key, change in (("learning_rate", 0.012), ("gnn_layers", -0.003), ("temperature", 0.007)):
        before, after = getattr(configs[-1], key), getattr(Config(), key)
        configs.append(configs[-1].override(**{key: after}))
        left = [each for each in ("learning_rate", "gnn_layers", "temperature") if each not in {s.key for s in steps}]
        values = {each: (0.1 + change * (each == key), 0.11, 0.12) for each in left} if len(left) > 1 else {}
        steps.append(PathStep(key=key, before=before, after=after, config_hash=configs[-1].hash(), values=values))
    chosen = {"metric": "recall@20", "choose": "greedy", "choice_seeds": (1, 2, 3), "unread": ()}
    tested = tuple(range(1001, 1001 + seeds))
    ends = {"start": configs[0].hash(), "end": configs[-1].hash()}
    write_path(folder, AblationPath(seeds=tested, steps=tuple(steps), **chosen, **ends))
    for seed in tested:
        for config, change in zip(configs[:-1], (-0.016, -0.004, -0.007), strict=True):
            first = config == configs[0]
            place = folder.default(seed) if first else folder.path_run("steps", config.hash(), seed)
            keys = {"rival": "default"} if first else {"on_path": "step"}
            write_run(place, seed=seed, users=users, test=True, change=change, config=config, **keys)
    return folder.root


def write_parts(path: Path, seed: int, *, items: int = 40, dim: int = 8) -> None:
    """Heads' outputs of two modalities, each group around a place of its own; image's two parts point alike."""
    rng, parts = np.random.default_rng(seed), {"items": np.arange(items)}
    for group, name in enumerate(f"{part}_head/{m}" for m in ("image", "text") for part in ("generic", "unique")):
        centre = 5 * np.eye(dim)[0 if name.endswith("image") else group]
        parts[name] = (centre + rng.normal(size=(items, dim))).astype(np.float32)
    (path / PARTS).write_bytes(save(parts))


def write_trial(folder: StudyFolder, number: int) -> None:
    """Every seventh trial is pruned, number 11 failed, number 12 repeats number 4."""
    params = draw_params(4 if number == 12 else number)
    trial: dict[str, Any] = {"number": number, "state": "complete", "params": params, "attempts": 1, "failure": None}
    trial |= {"duplicate_of": 4 if number == 12 else None}
    if number == 11:
        trial |= {"state": "failed", "value": None, "failure": {"kind": "diverged", "message": "loss is not finite"}}
    else:
        value = value_of(params)
        trial |= {"value": 0.6 * value, "state": "pruned"} if number % 7 == 3 else {"value": value}
    pace = 0.0 if number == 12 else 1 + 0.3 * params["gnn_layers"]
    write_run(folder.trial(number), seed=999, epochs=12, pace=pace, trial=trial, config=Config(**params))


def draw_params(number: int) -> dict[str, Any]:
    """The parameters of a trial."""
    rng = np.random.default_rng(number)
    params: dict[str, Any] = {}
    for name, entry in SPACE.items():
        if "choices" in entry:
            params[name] = entry["choices"][rng.integers(3)]
        elif isinstance(entry["low"], int):
            params[name] = int(rng.integers(entry["low"], entry["high"] + 1))
        elif entry.get("log"):
            params[name] = float(np.exp(rng.uniform(np.log(entry["low"]), np.log(entry["high"]))))
        else:
            params[name] = float(rng.uniform(entry["low"], entry["high"]))
    return params


def value_of(params: dict[str, Any]) -> float:
    """A smooth validation score: best near temperature 0.2, learning rate 1e-3 and two GNN layers."""
    loss = 0.03 * np.log10(params["temperature"] / 0.2) ** 2 + 0.008 * np.log10(params["learning_rate"] / 1e-3) ** 2
    return float(0.12 - loss - 0.003 * abs(params["gnn_layers"] - 2) - 0.01 * params["split_ratio"])


def write_run(
    path: Path, *, seed: int | None, epochs: int = 30, users: int = 60, change: float = 0.0, test: bool = False,
    pace: float = 1.5,
    config: Config | None = None, **keys: Any,
) -> None:  # fmt: skip
    """One run folder; ``change`` is added to each user's recall@20; ``pace`` is seconds per epoch."""
    path.mkdir(parents=True)
    metrics = user_metrics(seed or 0, users, change)
    write_user_metrics(path / VALIDATION, metrics)
    config = config or Config()
    subject = {"baseline": keys["baseline"]} if "baseline" in keys else config.as_dict()
    data = {"seed": seed, "dataset": keys.pop("dataset", "tiny"), "data_hash": "d" * 16, "split_hash": "s" * 16}
    if test:
        write_user_metrics(path / TEST, metrics)
        opening = {
            "subject": subject,
            "subject_hash": hash_subject(subject),
            "test_hash": "t" * 16,
            "time": "2000-01-01",
        }
        append_receipt(path / RECEIPT, {"schema_version": 1, **data, **opening})
    if seed is not None:
        table = history(seed, epochs, pace)
        table.to_csv(path / HISTORY, index=False)
        keys |= {
            "best_epoch": int(table["recall@20"].idxmax()),
            "epochs": epochs,
            "seconds": float(table["seconds"].sum()),
        }
        keys |= {"config": config.as_dict(), "config_hash": config.hash()}
    write_json(path / RECORD, {"schema_version": 1, **data, "validation": metrics.means(), **keys})


def history(seed: int, epochs: int, pace: float) -> pd.DataFrame:
    """Losses that fall, a metric that rises and, later, falls a little."""
    rng, epoch = np.random.default_rng(seed), np.arange(epochs)
    table: dict[str, Any] = {"epoch": epoch, "bpr": 0.15 + 0.55 * np.exp(-epoch / 8) + rng.normal(0, 0.004, epochs)}
    bounds = {m: 0.2 * np.exp(-epoch / 4) + rng.normal(0.02, 0.05, epochs) for m in ("image", "text")}
    table |= {f"bound_{m}": bound for m, bound in bounds.items()}
    table |= {f"distance_{m}": np.maximum(bound, 0) for m, bound in bounds.items()}
    table |= {f"clamped_{m}": np.clip(-bound * 10, 0, 1) for m, bound in bounds.items()}
    table["alignment"] = 6 + 1.5 * np.exp(-epoch / 6)
    table["total"] = table["bpr"] + 0.1 * table["alignment"]
    table["club_fit"] = -3 * (1 - np.exp(-epoch / 3)) + rng.normal(0, 0.05, epochs)
    curve = 0.12 * (1 - np.exp(-(epoch + 1) / 7)) - 1e-4 * np.maximum(epoch - 20, 0) + rng.normal(0, 0.001, epochs)
    table |= {metric: scale * curve for metric, scale in METRICS.items()}
    return pd.DataFrame(table | {"seconds": np.full(epochs, pace)})


def user_metrics(seed: int, users: int, change: float) -> UserMetrics:
    """The same users in every run: most get nothing, the rest a share of their items."""
    user = np.random.default_rng(7).beta(0.5, 3, users)
    noise = np.random.default_rng([seed, int(-change * 1e4)]).normal(0, 0.02, users)
    score = np.clip(user + noise + change, 0, 1)
    return UserMetrics(np.arange(users), {metric: scale * score for metric, scale in METRICS.items()})


def write_grid(root: Path) -> Path:
    """A full grid of two parameters, best at alignment_weight 0.1 and distance_weight 0.01."""
    folder = StudyFolder(root / "tiny-grid")
    folder.root.mkdir(parents=True)
    space = {"alignment_weight": [0.001, 0.01, 0.1, 0.3, 1.0], "distance_weight": [0.001, 0.01, 0.1]}
    identity = {"dataset": "tiny", "space": {name: {"choices": values} for name, values in space.items()}}
    folder.identity.write_text(yaml.safe_dump(identity))
    for number, (a, d) in enumerate(itertools.product(*space.values())):
        change = -0.01 * abs(np.log10(a / 0.1)) - 0.005 * abs(np.log10(d / 0.01))
        trial = {"number": number, "state": "complete", "value": float(0.12 + change)}
        params = {"alignment_weight": a, "distance_weight": d}
        write_run(folder.trial(number), seed=999, epochs=1, change=change, trial=trial | {"params": params})
    return folder.root


def write_datasets(root: Path, count: int, *, arms: int = 3, seeds: int = 1) -> list[Path]:
    """Ablations on several datasets; each arm is worse than the one before it, on every dataset."""
    folders = [StudyFolder(root / f"study-{number}") for number in range(count)]
    for number, folder in enumerate(folders):
        for rank, arm in enumerate(list(CHANGES)[:arms]):
            keys = {"arm": arm, "arm_title": TITLES[arm], "mode": "frozen", "dataset": f"data-{number}"}
            for n in range(seeds):
                path = folder.ablation("frozen", arm, 1 + n)
                write_run(path, seed=number + 1 + 10 * n, epochs=2, test=True, change=-0.03 * rank, **keys)
    return [folder.root for folder in folders]


def write_searches(root: Path, count: int, *, trials: int = 30) -> list[Path]:
    """A search on each of several datasets; scores are those of ``value_of``, other trials on each."""
    folders = [StudyFolder(root / f"search-{n}") for n in range(count)]
    for n, folder in enumerate(folders):
        folder.root.mkdir(parents=True)
        identity = {"dataset": f"data-{n}", "space": SPACE, "metric": "recall@20"}
        folder.identity.write_text(yaml.safe_dump(identity))
        for number in range(trials):
            params = draw_params(100 * n + number)
            trial = {"number": number, "state": "complete", "value": (1 + n) * value_of(params), "params": params}
            write_run(folder.trial(number), seed=999, epochs=1, users=3, trial=trial, dataset=f"data-{n}")
    return [folder.root for folder in folders]


def write_sweeps(root: Path) -> list[Path]:
    """Sweeps of two parameters on two datasets; each user's score falls with the distance from the best value."""
    sweeps = {"temperature": [0.05, 0.1, 0.2, 0.5, 1.0], "split_ratio": [0.1, 0.3, 0.5, 0.7, 0.9]}
    folders = []
    for (name, values), dataset in itertools.product(sweeps.items(), ("one", "two")):
        folder = StudyFolder(root / f"{dataset}-{name}")
        folder.root.mkdir(parents=True)
        identity = {"dataset": dataset, "space": {name: {"choices": values}}, "metric": "recall@20"}
        folder.identity.write_text(yaml.safe_dump(identity))
        for number, value in enumerate(values):
            change = -0.01 * abs(number - 2)
            score = user_metrics(999, 60, change).means()["recall@20"]
            trial = {"number": number, "state": "complete", "value": score, "params": {name: value}}
            write_run(folder.trial(number), seed=999, epochs=1, change=change, trial=trial, dataset=dataset)
        folders.append(folder.root)
    return folders
