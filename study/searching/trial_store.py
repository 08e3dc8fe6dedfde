"""A study's trials in Optuna's storage, written by one driver so that a kill anywhere leaves a state it can go on from.

Proposals and pruning are made on a mirror of the study in memory. A new trial then enters the storage in one
transaction, running and with all its parameters: there is no half-asked trial. A trial found running is continued with
its number and parameters, and the mirror hears its reports again as its epochs are trained again, so a pruner that
keeps notes (hyperband) comes to the same notes. Samplers are made anew for each trial. Hence a resumed study equals an
undisturbed one.

A paused trial is running in the storage, and to a sampler one that was pruned: its curve says something already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from study.searching.reopening import reopen_trials
from study.searching.space import Space, contains

_FIXED = "fixed_params"  # where Optuna keeps the parameters of an enqueued trial
_RUNG = "completed_rung_"  # what Optuna's hyperband remembers of a trial


@dataclass
class OpenTrial:
    """A running trial.

    Attributes:
        number: from 0, counting all trials of the study.
        params: all searched parameters.
        stored: last step in the storage, -1 if none.
        heard: last step the mirror has heard of.
        pruned_at: the step at which the pruner said to stop.
        problem: why the trial cannot be run: someone enqueued parameters outside the space.
    """

    number: int
    params: dict[str, Any]
    storage_id: int
    mirror: optuna.trial.Trial
    stored: int = -1
    heard: int = -1
    pruned_at: int | None = None
    problem: str | None = None


class _MirrorStorage(InMemoryStorage):
    """A study in memory, in which samplers see paused trials as pruned ones, though they are running.

    Attributes:
        paused: by number in the mirror, as samplers see them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.paused: dict[int, FrozenTrial] = {}

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """See ``BaseStorage``."""
        seen = [self.paused.get(trial.number, trial) for trial in super().get_all_trials(study_id, deepcopy)]
        return [trial for trial in seen if states is None or trial.state in states]


class TrialStore:
    """Asks, reports and tells: the only writer of a study's storage."""

    def __init__(
        self,
        storage: BaseStorage,
        name: str,
        space: Space,
        *,
        make_sampler: Callable[[int], BaseSampler] | None,
        pruner: BasePruner,
    ) -> None:
        """Open or create a study.

        Args:
            storage: where it lives.
            name: the study's.
            space: what is searched.
            make_sampler: a new sampler for a trial's number; None if every trial is given to ``ask``.
            pruner: decides on the mirror.
        """
        self._storage, self._name, self._space = storage, name, space
        self._make_sampler, self._pruner = make_sampler, pruner
        self._read()

    def _read(self) -> None:
        self._study = optuna.create_study(
            storage=self._storage, study_name=self._name, direction="maximize", load_if_exists=True
        )
        self._study_id = self._storage.get_study_id_from_name(self._name)
        # The same name, because hyperband sorts trials into brackets by study name and trial number.
        mirrored = _MirrorStorage()
        self._mirror = optuna.create_study(
            storage=mirrored, study_name=self._name, direction="maximize", pruner=self._pruner
        )
        self._paused = mirrored.paused
        begun = [trial for trial in self.trials() if trial.state != TrialState.WAITING]
        self.open_trials = [trial for trial in map(self._reflect, begun) if trial is not None]

    def trials(self) -> list[FrozenTrial]:
        """All trials as they are stored, by number."""
        return self._study.get_trials(deepcopy=False)

    @property
    def begun(self) -> int:
        """Number of trials that were begun: complete, pruned, failed and running."""
        return len(self._mirror.get_trials(deepcopy=False))

    def attributes(self) -> dict[str, Any]:
        """The study's user attributes."""
        return self._storage.get_study_user_attrs(self._study_id)

    def set_attribute(self, name: str, value: Any) -> None:
        """Set a user attribute of the study."""
        self._storage.set_study_user_attr(self._study_id, name, value)

    def enqueue(self, params: dict[str, Any]) -> None:
        """Let a trial with these parameters come before the sampler's; a second time it changes nothing."""
        self._study.enqueue_trial(params, skip_if_exists=True)

    def ask(self, params: dict[str, Any] | None = None) -> OpenTrial:
        """Begin a trial: one that was enqueued, else one with the given parameters, else what the sampler proposes."""
        trials = self.trials()
        waiting = [trial for trial in trials if trial.state == TrialState.WAITING]
        if waiting:
            return self._claim(waiting[0])
        mirror = self._propose(params or {}, number=len(trials))
        template = create_trial(state=TrialState.RUNNING, params=mirror.params, distributions=dict(self._space))
        storage_id = self._storage.create_new_trial(self._study_id, template)
        return OpenTrial(self._storage.get_trial_number_from_id(storage_id), mirror.params, storage_id, mirror)

    def report(self, trial: OpenTrial, step: int, value: float) -> bool:
        """Record a trial's value after an epoch; after a restart, epochs are heard again and recorded once.

        Returns:
            Whether the trial should be pruned now. At a step before the last stored one the answer was no, or the trial
            would not have gone on; the mirror's pruner is asked all the same, so that its notes are complete.
        """
        if step <= trial.heard:
            return step == trial.pruned_at
        undecided = step >= trial.stored
        if step > trial.stored:
            self._storage.set_trial_intermediate_value(trial.storage_id, step, value)
            trial.stored = step
        trial.mirror.report(value, step)
        trial.heard = step
        if trial.mirror.should_prune() and undecided:
            trial.pruned_at = step
        return trial.pruned_at is not None

    def note(self, trial: OpenTrial, **attributes: Any) -> None:
        """Set user attributes of a trial."""
        for name, value in attributes.items():
            self._storage.set_trial_user_attr(trial.storage_id, name, value)

    def tell(self, trial: OpenTrial, state: TrialState, value: float | None = None) -> None:
        """End a trial. ``value`` belongs to a complete one; a pruned one keeps its last report."""
        self._paused.pop(trial.mirror.number, None)
        self._mirror.tell(trial.mirror, value, state)
        mirrored = self._mirror.get_trials(deepcopy=False)[trial.mirror.number]
        for key, note in mirrored.system_attrs.items():
            if key.startswith(_RUNG):
                self._storage.set_trial_system_attr(trial.storage_id, key, note)
        self._storage.set_trial_state_values(trial.storage_id, state, mirrored.values)

    def pause(self, trial: OpenTrial, curve: Sequence[float]) -> FrozenTrial:
        """Let samplers know what a trial that makes room for others has led to, without ending it.

        Args:
            trial: running, and still so afterwards.
            curve: all that was reported of it, which after a restart the mirror may not have heard.

        Returns:
            The trial as if it had been pruned here.
        """
        for step, value in enumerate(curve):
            self.report(trial, step, value)
        seen = create_trial(
            state=TrialState.PRUNED,
            value=curve[-1],
            params=trial.params,
            distributions=dict(self._space),
            intermediate_values=dict(enumerate(curve)),
        )
        seen.number = trial.number  # which is that in the mirror, too
        self._paused[trial.mirror.number] = seen
        return seen

    def take_up(self, trial: OpenTrial) -> None:
        """Go on with a paused trial."""
        del self._paused[trial.mirror.number]

    def make_running(self, numbers: Collection[int]) -> None:
        """Make ended trials running ones again, and read everything anew: open trials of before are no longer valid."""
        ids = [self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number) for number in numbers]
        reopen_trials(self._storage, ids)
        self._read()

    def _propose(self, fixed: dict[str, Any], *, number: int) -> optuna.trial.Trial:
        """A running trial of the mirror, with the fixed parameters and the sampler's for the rest."""
        if self._make_sampler is not None:
            self._mirror.sampler = self._make_sampler(number)
        if fixed:
            self._mirror.enqueue_trial(fixed)
        return self._mirror.ask(self._space)

    def _claim(self, waiting: FrozenTrial) -> OpenTrial:
        """Begin a trial that someone enqueued, perhaps with some parameters only.

        All parameters are written to where the enqueued ones are before the trial is set running, so that a kill in
        between cannot change what was drawn.
        """
        storage_id = self._storage_id(waiting)
        fixed = dict(waiting.system_attrs.get(_FIXED, {}))
        if (problem := self._problem(fixed)) is None:
            mirror = self._propose(fixed, number=waiting.number)
            self._storage.set_trial_system_attr(storage_id, _FIXED, mirror.params)
        self._storage.set_trial_state_values(storage_id, TrialState.RUNNING)
        if problem is not None:
            return self._unusable(waiting.number, storage_id, fixed, problem)
        self._write_params(storage_id, mirror.params, written={})
        return OpenTrial(waiting.number, mirror.params, storage_id, mirror)

    def _reflect(self, trial: FrozenTrial) -> OpenTrial | None:
        """Put a stored trial into the mirror; a running one is completed where needed and returned."""
        if trial.state.is_finished():
            self._mirror.add_trial(trial)
            return None
        params = {**trial.system_attrs.get(_FIXED, {}), **trial.params}
        storage_id = self._storage_id(trial)
        if (problem := self._problem(params)) is not None:
            return self._unusable(trial.number, storage_id, params, problem)
        self._write_params(storage_id, params, written=trial.params)
        mirror = self._propose(params, number=trial.number)
        last = -1 if trial.last_step is None else trial.last_step
        return OpenTrial(trial.number, params, storage_id, mirror, stored=last)

    def _problem(self, params: dict[str, Any]) -> str | None:
        """What is wrong with parameters that someone enqueued; missing ones are not."""
        for name, value in params.items():
            if name not in self._space:
                return f"enqueued with {name}, which is not searched; expected {', '.join(self._space)}"
            if not contains(self._space[name], value):
                return f"enqueued with {name} {value!r}, outside the search space"
        return None

    def _unusable(self, number: int, storage_id: int, params: dict[str, Any], problem: str) -> OpenTrial:
        return OpenTrial(number, params, storage_id, self._propose({}, number=number), problem=problem)

    def _write_params(self, storage_id: int, params: dict[str, Any], *, written: dict[str, Any]) -> None:
        for name, distribution in self._space.items():
            if name not in written:
                self._storage.set_trial_param(
                    storage_id, name, distribution.to_internal_repr(params[name]), distribution
                )

    def _storage_id(self, trial: FrozenTrial) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, trial.number)
