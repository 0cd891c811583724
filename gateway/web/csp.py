"""What a browser may do with our pages: nothing but show them, with our own styles, pictures and scripts."""

import secrets


def new_nonce() -> str:
    """Once per response: only scripts that carry it run (CSP Level 3, section 2.3.1)."""
    return secrets.token_urlsafe(16)


def page_headers(nonce: str, *, secure: bool) -> dict[str, str]:
    """Security headers of a page.

    `same-origin` and not `no-referrer`, because browsers that tell nothing send `Origin: null` with our own forms.
    """
    headers = {
        "Content-Security-Policy": (
            "default-src 'none'; "
            f"script-src 'nonce-{nonce}'; "
            "style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
