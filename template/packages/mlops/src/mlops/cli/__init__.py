"""The command `mlops`: a module for each group of commands, loaded when one of them is called.

`commands` lists every command with the module that defines it, and `main` runs them. A module
imports at its top what is light. What brings polars, scikit-learn or matplotlib along is imported
by the command that needs it: help stays fast, and so does `mlops aml check`, which reads the
options of every step.
"""
