"""Which task a model is trained for, where the user does not say it."""

from __future__ import annotations

from pathlib import Path

from lighten.core.errors import ModelError
from lighten.core.home import expanded
from lighten.core.matching import format_named
from lighten.models.bring import find
from lighten.models.scratch import config_at, format_of_config
from lighten.search.start import fitting_task


def task_of_model(model: str, data: str | Path | None = None, *, from_scratch: bool = False) -> str:
    """The task that a model is for, told with as little of it fetched as possible.

    Args:
        data: that it is to learn from; they decide where nothing else says which of its tasks is meant.
        from_scratch: a config alone is enough.

    Raises:
        ModelError, UnsafeFile: it is nothing that lighten can use; says what it is.
    """
    config = config_at(expanded(model))
    if from_scratch and config is not None:
        return format_named(format_of_config(config)).tasks[0]
    if config is not None and expanded(model).is_file():
        raise ModelError(
            f"{model} is a config without weights.",
            allowed="a folder with weights",
            fix="give --from-scratch to begin with random ones",
        )
    return fitting_task(find(model, whole=False), data)
