"""Run a real identity provider (Canaille) with invented people; for the environment in `.provider`.

Arguments: port, this installation's address, and the path of a JSON file that says who is in which group
and which keys sign: {"people": {"ann": ["staff"]}, "keys": [JWK, ...]}; the first key signs. A request to
/reload reads the file again, which is how tests move people between groups.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PASSWORD = "a long password"
CLIENT_ID, CLIENT_SECRET = "steward", "a secret of the client & more"


def main() -> None:
    """Serve until killed; print one line when ready."""
    from canaille import create_app
    from canaille.app import models
    from canaille.backends import Backend
    from werkzeug.serving import make_server

    port, steward, written = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    told = json.loads(written.read_text())
    app = create_app(
        {
            "SECRET_KEY": "for tests",
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "LOGGING": None, "SMTP": None},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": told["keys"], "REQUIRE_NONCE": True},
        }
    )

    def reload() -> str:
        place(app, json.loads(written.read_text()))
        return "ok"

    def forget() -> str:
        # Its store in memory finds a client's codes by client or code, so that one which nobody redeemed
        # would be taken for the next.
        for code in Backend.instance.query(models.AuthorizationCode):
            Backend.instance.delete(code)
        return "ok"

    app.add_url_rule("/reload", view_func=reload)
    app.add_url_rule("/forget", view_func=forget)
    with app.app_context():
        populate(app, steward)
        place(app, told)
    server = make_server("127.0.0.1", port, app, threaded=True)
    print("ready", flush=True)
    server.serve_forever()


def populate(app: Any, steward: str) -> None:
    """Register this installation as a client."""
    from canaille.app import models
    from canaille.backends import Backend

    client = models.Client(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_name="Steward",
        contacts=["it@example.org"],
        client_uri=steward,
        redirect_uris=[f"{steward}/console/login/oidc/callback"],
        post_logout_redirect_uris=[f"{steward}/console/login"],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "profile", "email", "groups"],
        token_endpoint_auth_method="client_secret_basic",
    )
    Backend.instance.save(client)
    client.audience = [client]
    Backend.instance.save(client)


def place(app: Any, told: dict[str, Any]) -> None:
    """Make people and groups as the file says."""
    from canaille.app import models
    from canaille.backends import Backend

    wanted: dict[str, list[Any]] = {}
    for name, groups in told["people"].items():
        user = Backend.instance.get(models.User, user_name=name)
        if user is None:
            user = models.User(
                user_name=name,
                given_name=name.title(),
                family_name="Example",
                formatted_name=f"{name.title()} Example",
                display_name=name,
                emails=[f"{name}@example.org"],
                password=PASSWORD,
            )
            Backend.instance.save(user)
        for group in groups:
            wanted.setdefault(group, []).append(user)
    for group in Backend.instance.query(models.Group):
        if group.display_name not in wanted:
            Backend.instance.delete(group)
    for name, members in wanted.items():
        group = Backend.instance.get(models.Group, display_name=name)
        if group is None:
            group = models.Group(display_name=name, members=members)
        group.members = members
        Backend.instance.save(group)


if __name__ == "__main__":
    main()
