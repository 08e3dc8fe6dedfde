"""Random records in the format of tests/golden/models_README.md, computed by the literal twins."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from tests.reference.literal_bpr import Data, LiteralBPR, LiteralStepper
from tests.reference.literal_freedom import LiteralFREEDOM
from tests.reference.literal_lightgcn import LiteralLightGCN
from tests.reference.literal_vbpr import LiteralVBPR
from tests.reference.naive_ranking import naive_evaluate

TWINS: dict[str, type[LiteralBPR]] = {
    "BPR": LiteralBPR,
    "LightGCN": LiteralLightGCN,
    "VBPR": LiteralVBPR,
    "FREEDOM": LiteralFREEDOM,
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "BPR": {"reg_weight": 2.0},
    "LightGCN": {"n_layers": 1, "reg_weight": 0.01},
    "VBPR": {"reg_weight": 2.0},
    "FREEDOM": {
        "feat_embed_dim": 64,
        "knn_k": 10,
        "n_mm_layers": 1,
        "n_ui_layers": 2,
        "mm_image_weight": 0.1,
        "dropout": 0.8,
        "reg_weight": 0.001,
    },
}
SHARED = {
    "embedding_size": 64,
    "learner": "adam",
    "learning_rate": 0.001,
    "learning_rate_scheduler": [1.0, 50],
    "weight_decay": 0.0,
    "clip_grad_norm": None,
    "train_batch_size": 128,
}


def random_record(
    model: str,
    *,
    seed: int = 0,
    users: int = 60,
    items: int = 40,
    pairs: int = 305,
    dims: dict[str, int] | None = None,
    **settings: Any,
) -> dict[str, np.ndarray]:
    """A record of one epoch's first three steps on random pairs; ``settings`` by MMRec's names."""
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    settings = {**SHARED, **DEFAULTS[model], **settings}
    if model == "FREEDOM":
        settings["feat_embed_dim"] = settings["embedding_size"]
    dims = {"image": 24, "text": 16} if dims is None else dims
    features = {m: rng.standard_normal((items, dim)).astype(np.float32) for m, dim in dims.items()}
    splits = _splits(rng, users, items, pairs)
    twin = TWINS[model](settings, Data(users, items, *splits["train"], features), generator)
    record = {f"feat/{m}": values for m, values in features.items()}
    for split, (user, item) in splits.items():
        record |= {f"{split}/user": user, f"{split}/item": item}
    record |= {f"init/{name}": value.detach().numpy().copy() for name, value in twin.weights.items()}
    record |= twin.graphs()

    stepper, order = LiteralStepper(twin), rng.permutation(pairs)
    known = set(zip(*(column.tolist() for column in splits["train"]), strict=True))
    batches = [order[at : at + settings["train_batch_size"]] for at in range(0, pairs, settings["train_batch_size"])][
        :3
    ]
    for step, rows in enumerate(batches):
        user, positive = (torch.from_numpy(column[rows]) for column in splits["train"])
        negative = torch.tensor([_negative(rng, int(u), items, known) for u in user])
        columns = {"user": user, "positive": positive, "negative": negative}
        record |= {f"step{step}/batch/{name}": value.numpy() for name, value in columns.items()}
        representations = zip(("user", "item"), twin.representation(training=True), strict=True)
        record |= {
            f"step{step}/{side}_representation": value.detach().numpy().copy() for side, value in representations
        }
        terms, gradients = stepper.step(user, positive, negative)
        record |= {f"step{step}/loss/{name}": value.numpy() for name, value in terms.items()}
        if step == 0:
            record |= {f"step0/grad/{name}": value.numpy() for name, value in gradients.items()}

    record |= {f"final/{name}": value.detach().numpy().copy() for name, value in twin.weights.items()}
    user, item = (value.detach() for value in twin.representation(training=False))
    record["final/scores"] = (user @ item.T).numpy()
    for split in ("valid", "test"):
        wanted = list(zip(*(column.tolist() for column in splits[split]), strict=True))
        of_users = naive_evaluate(record["final/scores"], sorted(known), wanted, (10, 20)).values()
        for metric in ("recall@10", "recall@20", "ndcg@10", "ndcg@20"):
            value = float(np.mean([of_user[metric] for of_user in of_users]))
            record |= {f"final/{split}/{metric}": np.array(round(value, 4), dtype=np.float32)}
            record |= {f"final/{split}/unrounded/{metric}": np.array(value, dtype=np.float32)}
    meta = {"format": 1, "model": model, "hyper_parameters": settings, "steps": len(batches)}
    meta["sizes"] = {"n_users": users, "n_items": items}
    meta["optimizer"] = {"name": "Adam", "betas": [0.9, 0.999], "eps": 1e-8}
    return {**record, "meta": np.array(json.dumps(meta))}


def _splits(rng: np.random.Generator, users: int, items: int, pairs: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Distinct pairs; the last user and item have none in training, and only users of training are tested."""
    cells = rng.permutation((users - 1) * (items - 1))
    user, item = cells // (items - 1), cells % (items - 1)
    popular = np.argsort(rng.random(len(cells)) * (1 + item % 7), kind="stable")  # some items more than others
    user, item = user[popular], item[popular]
    train = user[:pairs], item[:pairs]
    rest = np.isin(user[pairs:], train[0])
    other = user[pairs:][rest], item[pairs:][rest]
    part = min(len(other[0]) // 2, users)
    return {
        "train": train,
        "valid": (other[0][:part], other[1][:part]),
        "test": (other[0][part : 2 * part], other[1][part : 2 * part]),
    }


def _negative(rng: np.random.Generator, user: int, items: int, known: set[tuple[int, int]]) -> int:
    """Uniform over items in training, redrawn while the user has it."""
    candidates = sorted({item for _, item in known})
    while (user, drawn := int(rng.choice(candidates))) in known:
        pass
    return drawn
