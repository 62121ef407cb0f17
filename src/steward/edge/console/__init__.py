"""The console: pages for operators, agents, reviewers, compliance and executives; a file per area.

Comes in: a browser with a login's cookie. Goes out: HTML that works without inline scripts or styles.
Always holds: every page declares its permission, every post brings the login's token, and staff see
tokens in place of personal data. It must not know SQL.
"""
