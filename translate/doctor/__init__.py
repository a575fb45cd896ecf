"""What goes wrong in adversarial training, found in the reports of a run."""
