"""The stateful test case, for use without HTTP.

>>> from pathlib import Path
>>> from testcase import open_testcase
>>> case = open_testcase(Path("Resources"), Path(".trivium-state"))
>>> case.initialize(0).message
'Simulation initialized successfully to 0s.'
>>> case.advance({}).message
'Advanced simulation successfully from 0.0s to 300.0s.'
>>> case.close()
"""

from trivium.core.testcase import Reply, TestCase
from trivium.session.local import open_testcase

__all__ = ["Reply", "TestCase", "open_testcase"]
