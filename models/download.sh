# Read by the download scripts beside it: fetch URL [URL ...] into the current folder.
# An interrupted download goes on where it stopped; a file has its name only when it is whole.

fetch() {
    local url name
    for url in "$@"; do
        name=$(basename "$url")
        if [ -s "$name" ]; then
            echo "$name is here already"
            continue
        fi
        echo "fetching $url"
        if command -v curl >/dev/null; then
            curl --fail --location --continue-at - --output "$name.part" "$url"
        elif command -v wget >/dev/null; then
            wget --continue --output-document "$name.part" "$url"
        else
            echo "neither curl nor wget is installed" >&2
            return 2
        fi || {
            echo "$url cannot be fetched; models/README.md says what works without it" >&2
            return 2
        }
        mv "$name.part" "$name"
    done
}
