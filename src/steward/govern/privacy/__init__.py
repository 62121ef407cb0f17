"""Personal data: found, taken out of words, kept sealed, given back for a declared purpose.

Takes what a customer typed and gives it back with typed tokens (`[EMAIL_1]`) in place of what
identifies a person. Values live sealed under the customer's own key, which is wrapped by the
installation's master key: dropping that one row makes them unreadable for good. Nothing unmasked is
stored outside the vault, and this package writes no value into a log or an error.
"""
