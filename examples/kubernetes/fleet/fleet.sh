#!/usr/bin/env bash
# One pass for each workspace of this pod's shard. Runs on after a workspace that fails, and ends with the highest exit code.
set -euo pipefail

shard=$((JOB_COMPLETION_INDEX + 1))/$SHARDS
repo=$PWD/shard-$JOB_COMPLETION_INDEX
if [ -d "$repo/.git" ]; then
  git -C "$repo" fetch --quiet origin
  git -C "$repo" reset --quiet --hard "$REF"
else
  git clone --quiet "$REPOSITORY" "$repo"
fi

workspaces=$(convertalk -C "$repo" workspaces --shard "$shard" --format json | jq --raw-output '.workspaces[].dir')
worst=0
while read -r workspace; do
  [ -n "$workspace" ] || continue
  echo "== $workspace" >&2
  code=0
  convertalk -C "$repo/$workspace" watch --once --ref "$REF" --begin live < /dev/null || code=$?
  [ "$code" -le "$worst" ] || worst=$code
done <<< "$workspaces"
exit "$worst"
