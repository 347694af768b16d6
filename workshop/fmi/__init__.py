"""From CasADi equations to an FMI 2.0 FMU: specification, code generation, C wrapper and cross-compilation."""
