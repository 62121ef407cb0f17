"""The demo: the sample assistant beside the business system of its invented company."""
