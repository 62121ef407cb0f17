"""What Steward says about itself while it runs. Never what a customer wrote, and never a secret."""
