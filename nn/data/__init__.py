"""Data: labels, datasets and mini-batches."""

from nn.data.datasets import TensorDataset
from nn.data.labels import one_hot
from nn.data.loader import DataLoader

__all__ = ["DataLoader", "TensorDataset", "one_hot"]
