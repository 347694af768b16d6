"""The heart: variables, the model contract, boundary data, history, the stepper and the test case."""
