#!/bin/sh
# Gets a company's name from QuickBooks, with curl.
#   BROKER_URL=http://localhost:8787 BROKER_API_KEY=… sh company-info.sh beach-blend
set -eu
: "${BROKER_URL:?}" "${BROKER_API_KEY:?}"
company_key=${1:?name a company: company-info.sh COMPANY_KEY}

# curl reads the secret header from standard input, because every user of the machine can read command lines.
get() { printf '%s\n' "$2" | curl -sS --fail-with-body --header @- --header 'Accept: application/json' "$1"; }

# Reads a field of the token response, which is flat JSON.
field() { printf '%s' "$token" | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }

token=$(get "$BROKER_URL/api/token/$company_key" "X-API-Key: $BROKER_API_KEY") || {
  echo "$token" >&2 # The broker's problem+json: its "detail" says what to do.
  exit 1
}
realm_id=$(field realm_id)
[ "$(field uses_sandbox_credentials)" = true ] && host=sandbox-quickbooks || host=quickbooks
api=${QUICKBOOKS_API:-https://$host.api.intuit.com}

get "$api/v3/company/$realm_id/companyinfo/$realm_id" "Authorization: Bearer $(field access_token)"
