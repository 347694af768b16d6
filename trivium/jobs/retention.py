"""Jobs that ended long ago are removed, where the settings say so."""

from __future__ import annotations

import logging
import shutil
import threading

from trivium.errors import StoreError
from trivium.jobs.store import Store

log = logging.getLogger("trivium.jobs.retention")

_DAY = 86400.0
#: Time between two looks [s].
_EVERY = 3600.0


def remove_old(store: Store, age: float) -> int:
    """Remove jobs that ended longer ago than an age [s]; return how many.

    The folder goes first: whatever interrupts this, no folder is left that no record knows.

    Raises
    ------
    StoreError
    """
    removed = 0
    for task_id in store.old(age):
        folder = store.folder_of(task_id)
        shutil.rmtree(folder, ignore_errors=True)  # another worker may do the same
        if folder.exists():
            log.warning("the folder %s of an old job cannot be removed", folder)
            continue
        store.remove(task_id)
        removed += 1
    return removed


def start(store: Store, days: int) -> None:
    """Remove old jobs now and then, in a thread: a large folder takes its time, and a worker's leases do not wait."""

    def tidy() -> None:
        while True:
            try:
                if removed := remove_old(store, days * _DAY):
                    log.info("removed %d jobs that ended more than %d days ago", removed, days)
            except StoreError as error:
                log.warning("%s", error)
            threading.Event().wait(_EVERY)

    threading.Thread(target=tidy, name="retention", daemon=True).start()
