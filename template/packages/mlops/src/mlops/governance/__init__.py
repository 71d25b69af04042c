"""Evidence about a model: the gate's verdict, its lineage and its card."""
