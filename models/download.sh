# Read by the download scripts beside it: fetch URL [URL ...] into the current folder.
# An interrupted download goes on where it stopped; a file has its name only when it is whole and looks right.
# POSE_MIRROR=URL takes the files from another folder on the web, or on disk (file:///...).

fetch() {
    local url name
    for url in "$@"; do
        name=$(basename "$url")
        if [ -s "$name" ]; then
            echo "$name is here already"
            continue
        fi
        [ -z "${POSE_MIRROR:-}" ] || url=$POSE_MIRROR/$name
        echo "fetching $url"
        download "$url" "$name.part" || {
            echo "$url cannot be fetched; models/README.md says what works without it" >&2
            return 2
        }
        looks_right "$name.part" || {
            rm "$name.part"
            echo "$url did not give the file that its name promises: removed" >&2
            return 2
        }
        mv "$name.part" "$name"
        sha256sum "$name"
    done
}

# download URL FILE: continue FILE if there is a part of it; start anew if the server will not continue.
download() {
    local get
    if command -v curl >/dev/null; then
        get=(curl --fail --location --continue-at - --output "$2" "$1")
    elif command -v wget >/dev/null; then
        get=(wget --continue --output-document "$2" "$1")
    else
        echo "neither curl nor wget is installed" >&2
        return 2
    fi
    "${get[@]}" && return
    # 22, 33, 36 of curl, 8 of wget: refused by the server, perhaps because the part is already whole or too long.
    case $? in 8 | 22 | 33 | 36) ;; *) return 2 ;; esac
    [ -s "$2" ] || return 2
    rm "$2"
    "${get[@]}"
}

# looks_right FILE.part: archives are whole, checkpoint indices end as such files do, and nothing is a web page.
looks_right() {
    case $1 in
        *.tar.gz.part) tar --list --gzip --file "$1" >/dev/null ;;
        *.index.part) [ "$(tail --bytes 8 "$1" | od -An -tx1 | tr -d ' ')" = 57fb808b247547db ] ;;
        *) [ -s "$1" ] && [ "$(head --bytes 1 "$1" | tr -d "\0")" != "<" ] ;;
    esac
}
