"""Studies that choose their own runs: the value that meets a condition, in rounds of runs that the engine evaluates."""
