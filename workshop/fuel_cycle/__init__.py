"""The tritium fuel cycle of a fusion plant: equations, to be built into an FMU by `workshop.fmi.build`."""
