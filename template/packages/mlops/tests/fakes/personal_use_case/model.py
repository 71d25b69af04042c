from fakes.tiny_use_case.model import make_baseline, make_model

__all__ = ["make_baseline", "make_model"]
