#!/usr/bin/env bash
# Installs a release of convertalk on a runner of GitHub: the script of action.yml.
# Given: REPOSITORY, VERSION (empty: the action's own), ACTION_PATH, and what a runner sets.
set -euo pipefail

failed() { echo "::error::convertalk was not installed: $1" && exit 1; }

# shellcheck disable=SC2153 # the action sets it
version=${VERSION#v}
# The action's own version, whether it is used by a tag or by a commit.
[ -n "$version" ] || version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$ACTION_PATH/Cargo.toml" | head -n 1)
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*$ ]] || failed "\`$version\` is not a version such as 0.1.0"

case $RUNNER_OS-$RUNNER_ARCH in
  Linux-X64) target=x86_64-unknown-linux-musl ;;
  Linux-ARM64) target=aarch64-unknown-linux-musl ;;
  macOS-X64) target=x86_64-apple-darwin ;;
  macOS-ARM64) target=aarch64-apple-darwin ;;
  Windows-X64) target=x86_64-pc-windows-msvc ;;
  *) failed "there is no release for $RUNNER_OS on $RUNNER_ARCH" ;;
esac
ending=tar.gz
[ "$RUNNER_OS" != Windows ] || ending=zip
archive=convertalk-$target.$ending

folder=$(mktemp -d "$RUNNER_TEMP/convertalk.XXXXXX")
cd "$folder"
release=${GITHUB_SERVER_URL:-https://github.com}/$REPOSITORY/releases/download/v$version
for file in "$archive" SHA256SUMS; do
  curl --fail --silent --show-error --location --proto-redir =https --retry 3 --output "$file" "$release/$file" ||
    failed "$release/$file cannot be downloaded"
done

# macOS has shasum only; both read the same lists.
sum() { if command -v sha256sum > /dev/null; then sha256sum "$@"; else shasum --algorithm 256 "$@"; fi; }
grep --fixed-strings "  $archive" SHA256SUMS > sums || failed "SHA256SUMS does not list $archive"
sum --check sums > /dev/null || failed "$archive is not the file that SHA256SUMS lists"
# The sums come from where the archive comes from; the provenance is signed.
if command -v gh > /dev/null; then
  gh attestation verify "$archive" --repo "$REPOSITORY" --signer-workflow "$REPOSITORY/.github/workflows/release.yml" > /dev/null ||
    failed "the provenance of $archive cannot be verified"
else
  echo "::notice::gh is not here: the provenance of $archive was not verified, its checksum was"
fi

case $ending in
  zip) unzip -q "$archive" ;;
  *) tar -xzf "$archive" ;;
esac
"./convertalk-$target/convertalk" --version
echo "$folder/convertalk-$target" >> "$GITHUB_PATH"
echo "version=$version" >> "$GITHUB_OUTPUT"
