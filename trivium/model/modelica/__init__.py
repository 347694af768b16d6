"""Modelica models as FMUs, without OpenModelica: rumoca reads them, CasADi sorts their equations, C code runs them."""

#: Exit code of the translation where it refuses a model in a sentence.
REFUSED = 3
