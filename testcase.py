"""The stateful test case, for use without HTTP.

>>> from testcase import TestCase
>>> case = TestCase()
>>> case.initialize(0).message
'Simulation initialized successfully to 0s.'
>>> case.advance({}).message
'Advanced simulation successfully from 0.0s to 300.0s.'
>>> case.close()
"""

from trivium.door.testcase import TestCase
from trivium.server.wording import Reply

__all__ = ["Reply", "TestCase"]
