"""Configuration that ``gunicorn restapi:app`` reads by itself, from the environment; see trivium/web/server.py."""

import sys

from trivium.errors import TriviumError
from trivium.settings import Settings
from trivium.web.server import configuration

try:
    globals().update(configuration(Settings()))
except TriviumError as error:
    sys.exit(f"trivium: {error}")
