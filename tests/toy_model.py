"""A user's own model in one file: tests copy it, and load the copy as a plugin."""

from torch import nn

from sea_core.layers.initialisation import xavier_normal
from sea_core.losses.bpr import bpr
from sea_core.models.protocol import Encoded, Forward, TrainedModel, keys
from sea_core.models.registry import register


@register
class Toy(TrainedModel):
    """Matrix factorisation of one dimension too few."""

    name = "toy"
    title = "Toy"
    paper = "none, a test's own"
    reads = keys("latent_dim")
    presets = {"plain": {"latent_dim": 3, "learning_rate": 0.01}}  # noqa: RUF012 -- as a user would write it

    @classmethod
    def prepare(cls, config, dataset, *, device):
        return None

    @classmethod
    def build(cls, config, dataset, inputs, *, seed):
        model = cls()
        model.config = config
        model.users = nn.Parameter(xavier_normal(dataset.users, config.latent_dim, seed=seed, name="users"))
        model.items = nn.Parameter(xavier_normal(dataset.items, config.latent_dim, seed=seed, name="items"))
        return model

    def encode(self, inputs):
        return Encoded(self.users, self.items)

    def forward(self, inputs, batch, draws):
        user = self.users[batch.user]
        loss = bpr((user * self.items[batch.positive]).sum(1), (user * self.items[batch.negative]).sum(1))
        return Forward(loss, {"bpr": loss, "total": loss})
