"""Gets a company's name from QuickBooks, with Python's standard library only.

    BROKER_URL=http://localhost:8787 BROKER_API_KEY=... python3 company_info.py beach-blend
"""

import json
import os
import sys
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener


class NoRedirects(HTTPRedirectHandler):
    """By default, urllib sends the key or the token to the host that a redirect names."""

    def redirect_request(self, *_):
        return None


def send(url, headers, method="GET"):
    request = Request(url, headers={"Accept": "application/json", **headers}, method=method)
    with build_opener(NoRedirects).open(request, timeout=35) as response:
        return json.load(response), response.headers


def broker(path, method="GET", **headers):
    """Returns the token and its ETag, which is the generation of the token pair."""
    url = f"{os.environ['BROKER_URL']}/api/token/{path}"
    token, response_headers = send(url, {"X-API-Key": os.environ["BROKER_API_KEY"], **headers}, method)
    return token, response_headers["ETag"]


def newer_token(company_key, etag):
    """Refreshes the token that QuickBooks rejected. With If-Match, many callers that saw it fail cause one refresh."""
    try:
        return broker(f"{company_key}/refresh", "POST", **{"If-Match": etag})
    except HTTPError as error:
        if error.code != 412:
            raise
        return broker(company_key, **{"Cache-Control": "no-cache"})  # Another caller has refreshed.


def company_info(token):
    host = "sandbox-quickbooks" if token["uses_sandbox_credentials"] else "quickbooks"
    api = os.environ.get("QUICKBOOKS_API", f"https://{host}.api.intuit.com")
    url = f"{api}/v3/company/{token['realm_id']}/companyinfo/{token['realm_id']}"
    return send(url, {"Authorization": f"Bearer {token['access_token']}"})[0]


def main(company_key):
    token, etag = broker(company_key)
    try:
        return company_info(token)
    except HTTPError as error:
        if error.code != 401:
            raise
        return company_info(newer_token(company_key, etag)[0])  # Only once: if a fresh token fails, its age is not the reason.


try:
    print(json.dumps(main(sys.argv[1])))
except HTTPError as error:
    sys.exit(error.read().decode())  # The broker's problem+json: its "detail" says what to do.
