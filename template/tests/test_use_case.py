"""What holds for every use case and its model; what yours means goes into files of your own.

The tests come with the template: `mlops.testing` says what they ask, and updates bring new ones.
"""

from mlops.testing import ModelContract, UseCaseContract


class TestUseCase(UseCaseContract):
    """The functions of your package, on the data of `make_sample`."""


class TestModel(ModelContract):
    """Your model on the data that conf names: as good as the gate asks, served as it was judged."""
