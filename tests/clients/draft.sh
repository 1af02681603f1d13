#!/bin/sh
# Uploads a file by the IETF draft with nothing but curl: sh draft.sh ENDPOINT FILE. One request if nothing breaks;
# what it leaves unfinished is resumed at the address that an interim answer (104) told.
# Prints the statuses of the first request and of the last, interim ones too, a line each.
set -eu
endpoint=$1 file=$2
heads=$(mktemp)
trap 'rm -f "$heads"' EXIT

# curl is content with a head that breaks off; the last line of a whole one is empty.
draft() {
    : >"$heads"
    curl --silent --show-error --max-time 60 --http1.1 --dump-header "$heads" --output /dev/null \
        --header 'Upload-Draft-Interop-Version: 8' "$@" && [ "$(tail -n 1 "$heads")" = "$(printf '\r')" ]
}
field() { tr -d '\r' <"$heads" | sed -n "s/^$1: *//Ip" | tail -n 1; }
statuses() { sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$heads" | tr '\n' ' '; }
status() { sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$heads" | tail -n 1; }
over() { [ "$(field Upload-Complete)" = '?1' ] && case $(status) in 2??) ;; *) echo "refused: $(status)" >&2; exit 1 ;; esac; }
absolute() { case $1 in /*) echo "$(echo "$endpoint" | sed 's|^\([a-z]*://[^/]*\).*|\1|')$1" ;; *) echo "$1" ;; esac; }

upload="" tries=100
while :; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "gave up" >&2; exit 1; }
    if [ -z "$upload" ]; then
        draft --request POST --data-binary "@$file" "$endpoint" --header 'Upload-Complete: ?1' \
            --header 'Content-Type: video/mp4' --header "Content-Disposition: inline; filename=\"${file##*/}\"" || true
        statuses
        echo
        ! over || break
        upload=$(field Location)
        [ -z "$upload" ] || upload=$(absolute "$upload")
        continue
    fi
    draft --head "$upload" || continue
    case $(status) in
        2??) offset=$(field Upload-Offset) ;;
        *) echo "lost: $(status)" >&2; exit 1 ;;
    esac
    # Also when all is there: the final answer may have been lost, and is told again.
    # From a pipe, curl sends chunks without a length.
    tail -c "+$((offset + 1))" "$file" | draft --request PATCH --upload-file - "$upload" \
        --header 'Content-Type: application/partial-upload' --header "Upload-Offset: $offset" \
        --header 'Upload-Complete: ?1' || continue
    ! over || break
    case $(status) in 2?? | 409 | 423) ;; *) echo "refused: $(status)" >&2; exit 1 ;; esac
done
statuses
echo
