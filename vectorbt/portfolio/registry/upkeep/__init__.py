"""What is done with a registry as a whole: checked, cleaned, converted, moved."""
