"""An experiment: a model or a function, seen from outside as named inputs and named outputs."""
