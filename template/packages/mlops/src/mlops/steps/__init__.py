"""The training pipeline, one module a step: validate, prepare, fit, evaluate, register."""
