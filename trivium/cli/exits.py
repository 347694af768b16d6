"""Exit codes of the commands, besides 0 and the 2 of a wrong call."""

#: Nothing came of it; some runs failed, or a case did not converge; Ctrl-C.
ERROR, SOME_FAILED, NOT_CONVERGED, INTERRUPTED = 1, 3, 3, 130
