"""Optuna: the next point of a hyper-parameter search, and the export of a journal for optuna-dashboard.

The caller's journal is the truth. Each request brings the whole history, which is replayed into an in-memory study
with a sampler of the given seed: the same request gets the same answer, whenever and however often it is asked.
"""

import datetime
import os
import warnings

from hot_bridge.errors import BridgeError, setup_hint


def _optuna():
    try:
        import optuna
    except ImportError as fault:
        raise BridgeError("UNAVAILABLE", f"Optuna is not installed: {fault}", setup_hint()) from fault
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")  # of experimental features
    return optuna


def _distribution(parameter):
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if "choices" in parameter:
        return CategoricalDistribution(parameter["choices"])
    kind = IntDistribution if parameter["integer"] else FloatDistribution
    low, high = (int(parameter[key]) if parameter["integer"] else parameter[key] for key in ("low", "high"))
    return kind(low, high, log=parameter["log"])


def _distributions(space):
    return {parameter["name"]: _distribution(parameter) for parameter in space}


def _params(point, space):
    """JSON has one kind of number; Optuna wants whole ones where the distribution is of them."""
    whole = {parameter["name"] for parameter in space if parameter.get("integer")}
    return {name: int(value) if name in whole else value for name, value in point.items()}


def _sampler(kind, seed):
    optuna = _optuna()
    if kind == "tpe":
        return optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)
    if kind == "botorch":
        try:
            from optuna_integration import BoTorchSampler

            return BoTorchSampler(seed=seed)
        except ImportError as fault:
            raise BridgeError(
                "UNAVAILABLE",
                f"the BoTorch sampler needs a full PyTorch with botorch and optuna-integration: {fault}",
                "install them, or choose train.hpo.sampler tpe",
            ) from fault
    raise BridgeError("INVALID_ARGUMENT", f"unknown sampler {kind!r}", "known: tpe, botorch")


def check(arguments):
    """Whether that sampler can be had here: {"sampler"} -> {"optuna": version}."""
    _sampler(arguments["sampler"], 0)
    return {"optuna": _optuna().__version__}


def ask(arguments):
    """{"sampler", "seed", "space", "finished": [{"point", "value"}], "running": [point]} -> {"point"}."""
    optuna = _optuna()
    space = arguments["space"]
    distributions = _distributions(space)
    study = optuna.create_study(
        sampler=_sampler(arguments["sampler"], arguments["seed"]), direction="maximize"
    )
    for trial in arguments["finished"]:
        study.add_trial(
            optuna.create_trial(
                params=_params(trial["point"], space), distributions=distributions, value=trial["value"]
            )
        )
    for point in arguments["running"]:
        study.add_trial(
            optuna.create_trial(
                params=_params(point, space), distributions=distributions, state=optuna.trial.TrialState.RUNNING
            )
        )
    return {"point": study.ask(distributions).params}


def _frozen(trial, space, distributions):
    optuna = _optuna()
    state = optuna.trial.TrialState[trial["state"]]
    frozen = optuna.create_trial(
        state=state,
        params=_params(trial["point"], space),
        distributions=distributions,
        value=trial["value"] if state == optuna.trial.TrialState.COMPLETE else None,
        intermediate_values={int(epoch): value for epoch, value in trial["scores"].items()},
        user_attrs=trial["attributes"],
    )
    begun = datetime.datetime.fromtimestamp(trial["begun"])
    frozen.datetime_start = begun
    if state.is_finished():
        frozen.datetime_complete = begun + datetime.timedelta(seconds=trial["seconds"])
    return frozen


def _storage(path, kind):
    optuna = _optuna()
    if kind == "journal":
        from optuna.storages.journal import JournalFileBackend

        return optuna.storages.JournalStorage(JournalFileBackend(path))
    return optuna.storages.RDBStorage(f"sqlite:///{path}")


def export(arguments):
    """{"file", "kind": "sqlite" | "journal", "studies": [{"name", "attributes", "space", "trials"}]} -> {"trials": n}.

    The file is made beside its place and then renamed, so that a dashboard never reads half of one.
    """
    optuna = _optuna()
    path = os.path.abspath(arguments["file"])
    partial = path + ".partial"
    count = 0
    try:
        if os.path.exists(partial):
            os.remove(partial)
        storage = _storage(partial, arguments["kind"])
        for study_json in arguments["studies"]:
            study = optuna.create_study(storage=storage, study_name=study_json["name"], direction="maximize")
            for name, value in study_json["attributes"].items():
                study.set_user_attr(name, value)
            distributions = _distributions(study_json["space"])
            for trial in study_json["trials"]:
                study.add_trial(_frozen(trial, study_json["space"], distributions))
                count += 1
        if hasattr(storage, "engine"):
            storage.engine.dispose()
        os.replace(partial, path)
    except OSError as fault:
        raise BridgeError("PERMISSION_DENIED", f"{path}: {fault.strerror}") from fault
    return {"trials": count}
