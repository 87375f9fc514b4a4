#!/usr/bin/env bash
# Puts the preview reports of a folder into one comment on a pull request, which later runs update:
#   GH_REPO=owner/name comment.sh <number of the pull request> <folder>
set -euo pipefail
number=$1 folder=$2
marker="<!-- preview reports -->"
# GitHub takes 65536 characters; of more, the beginning, which has the table of servers.
most=65000

body=$(mktemp)
trap 'rm -f "$body"' EXIT
reports=$(find "$folder" -name '*.md' 2>/dev/null | sort)
{
  echo "$marker"
  if [[ -z $reports ]]; then
    echo "No preview could be made: see the log of this run."
  else
    while read -r report; do cat "$report" && echo; done <<<"$reports"
  fi
} >"$body"
if (($(wc -m <"$body") > most)); then
  beginning=$(head -c "$most" "$body")
  # Whole lines, and no fence left open.
  printf '%s\n' "${beginning%$'\n'*}" >"$body"
  (($(grep -c '^```' "$body") % 2 == 0)) || echo '```' >>"$body"
  printf '\nThe rest is too long for a comment; the whole report is among the artifacts of this run.\n' >>"$body"
fi

comments="repos/$GH_REPO/issues/$number/comments"
mine=$(gh api --paginate "$comments" --jq ".[] | select(.body | startswith(\"$marker\")) | .id" | head -n 1)
if [[ -n $mine ]]; then
  gh api --method PATCH "repos/$GH_REPO/issues/comments/$mine" -F "body=@$body" --jq .html_url
else
  gh api --method POST "$comments" -F "body=@$body" --jq .html_url
fi
