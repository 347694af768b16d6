"""Configuration that ``gunicorn restapi:app`` reads by itself, from the environment; see trivium/server/server.py."""

import sys

from trivium.errors import TriviumError
from trivium.server.server import configuration
from trivium.settings import Settings

try:
    globals().update(configuration(Settings()))
except TriviumError as error:
    sys.exit(f"trivium: {error}")
