"""Cases of MUIO and MUIOGO as experiments, as they lie in ``WebAPP/DataStorage``."""
