"""The project's machinery and, in `use_case/`, what its team writes."""
