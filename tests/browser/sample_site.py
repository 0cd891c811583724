"""The pages of sample/, which show every class of ours, served under the policy that real pages have."""

import json
import secrets
from pathlib import Path

import jinja2
import pytest
from aiohttp import web

BUILT = Path(__file__).parents[2] / "gateway" / "web" / "static" / "built"
PAGES = {"/": "search.html", "/results": "results.html", "/results/after/2": "after.html", "/client": "client.html"}


def sample_site() -> web.Application:
    """An application with the sample pages; skips where the styles have not been built."""
    manifest = BUILT / "manifest.json"
    if not manifest.exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")
    names: dict[str, str] = json.loads(manifest.read_text())
    govuk = jinja2.PackageLoader("govuk_frontend_jinja", "templates")
    templates = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                jinja2.FileSystemLoader(Path(__file__).parent / "sample"),
                jinja2.PrefixLoader({"govuk_frontend_jinja": govuk}),
            ]
        ),
        autoescape=True,
    )

    async def show(request: web.Request) -> web.Response:
        nonce = secrets.token_urlsafe(16)
        text = templates.get_template(PAGES[request.path]).render(
            asset=lambda name: f"/static/{names[name]}", cspNonce=nonce, page_path=request.path
        )
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": policy})

    application = web.Application()
    application.add_routes([web.get(path, show) for path in PAGES])
    application.router.add_static("/static", BUILT)  # sends the .gz beside a file to whoever takes it
    return application
