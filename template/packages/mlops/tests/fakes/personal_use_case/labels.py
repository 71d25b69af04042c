from fakes.tiny_use_case.labels import build_labels, label_cutoff

__all__ = ["build_labels", "label_cutoff"]
