"""The platform azure: Azure Machine Learning."""
