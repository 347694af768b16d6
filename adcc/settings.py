"""Settings from the environment; docs/settings.md lists them all, and a test holds that list to this module."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from adcc.errors import SettingsError

#: The folder that holds the package, which in a checkout holds Resources/ too.
ROOT = Path(__file__).resolve().parent.parent
_LEVELS = ("debug", "info", "warning", "error", "critical")


def _variable(name: str, default: str, about: str) -> Any:
    return field(metadata={"variable": name, "default": default, "about": about})


@dataclass(frozen=True)
class Settings:
    """All settings of the server; `from_env` makes one from the environment.

    Each field knows its environment variable, its default as text and what it is about (metadata of the fields).
    """

    host: str = _variable("HOST", "127.0.0.1", "Address to listen on.")
    port: int = _variable("PORT", "5000", "Port to listen on, 1 to 65535.")
    resources: Path = _variable(
        "ADCC_RESOURCES", "Resources beside the package", "Folder of the test case: FMU, boundary data, surrogates."
    )
    state_dir: Path = _variable(
        "ADCC_STATE_DIR", ".adcc-state", "Folder for what the server keeps: unpacked FMUs, the history of the session."
    )
    max_body: int = _variable("ADCC_MAX_BODY", "1048576", "Largest request body [bytes]; beyond it the answer is 413.")
    threads: int = _variable("ADCC_THREADS", "8", "Threads that answer requests; they take turns at the model.")
    cors_origins: tuple[str, ...] = _variable(
        "ADCC_CORS_ORIGINS", "", "Origins that browsers may call from, separated by commas, or *; none by default."
    )
    log_level: str = _variable("ADCC_LOG_LEVEL", "info", f"How much is logged to stderr: {', '.join(_LEVELS)}.")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        Parameters
        ----------
        environ : Mapping[str, str], optional
            Defaults to the process's environment. An empty value counts as not set.

        Raises
        ------
        SettingsError
            Naming the variable that is not acceptable.
        """
        environ = os.environ if environ is None else environ
        texts = {f.name: environ.get(f.metadata["variable"], "").strip() or f.metadata["default"] for f in fields(cls)}
        level = texts["log_level"].lower()
        if level not in _LEVELS:
            raise SettingsError(f"ADCC_LOG_LEVEL must be one of {', '.join(_LEVELS)}, not {texts['log_level']}")
        given = environ.get("ADCC_RESOURCES", "").strip()
        return cls(
            host=texts["host"],
            port=_integer("PORT", texts["port"], 1, 65535),
            resources=Path(given).expanduser().absolute() if given else ROOT / "Resources",
            state_dir=Path(texts["state_dir"]).expanduser().absolute(),
            max_body=_integer("ADCC_MAX_BODY", texts["max_body"], 1024, 2**30),
            threads=_integer("ADCC_THREADS", texts["threads"], 1, 256),
            cors_origins=tuple(origin.strip() for origin in texts["cors_origins"].split(",") if origin.strip()),
            log_level=level,
        )

    @property
    def url(self) -> str:
        """Address for people to open."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104, shown, not bound
        return f"http://{host}:{self.port}"


def _integer(variable: str, text: str, least: int, most: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise SettingsError(f"{variable} must be an integer from {least} to {most}, not {text}")
    return value
