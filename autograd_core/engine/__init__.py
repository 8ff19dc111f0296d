"""What happens to a Tensor: it is recorded, and gradients flow back."""
