#!/bin/sh
# Uploads a file by tus with nothing but curl: sh tus.sh ENDPOINT FILE METADATA, the last as `Upload-Metadata` takes it.
# Creates once, then sends the rest and asks for the offset, until all is there.
set -eu
endpoint=$1 file=$2 metadata=$3
size=$(wc -c <"$file" | tr -d ' ')
heads=$(mktemp)
trap 'rm -f "$heads"' EXIT

# curl is content with a head that breaks off; the last line of a whole one is empty.
tus() {
    : >"$heads"
    curl --silent --show-error --max-time 60 --dump-header "$heads" --output /dev/null \
        --header 'Tus-Resumable: 1.0.0' "$@" && [ "$(tail -n 1 "$heads")" = "$(printf '\r')" ]
}
field() { tr -d '\r' <"$heads" | sed -n "s/^$1: *//Ip" | tail -n 1; }
status() { sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$heads" | tail -n 1; }

upload="" offset=0 tries=100
while [ "$offset" -lt "$size" ]; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "gave up at $offset of $size" >&2; exit 1; }
    if [ -z "$upload" ]; then
        tus --request POST --header "Upload-Length: $size" --header "Upload-Metadata: $metadata" "$endpoint" || continue
        [ "$(status)" = 201 ] || { echo "refused: $(status)" >&2; exit 1; }
        upload=$(field Location)
        case $upload in /*) upload=$(echo "$endpoint" | sed 's|^\([a-z]*://[^/]*\).*|\1|')$upload ;; esac
        continue
    fi
    tus --head "$upload" || continue
    [ "$(status)" = 200 ] || { echo "lost: $(status)" >&2; exit 1; }
    offset=$(field Upload-Offset)
    [ "$offset" -lt "$size" ] || break
    tail -c "+$((offset + 1))" "$file" | tus --request PATCH --data-binary @- "$upload" \
        --header 'Content-Type: application/offset+octet-stream' --header "Upload-Offset: $offset" || continue
    case $(status) in
        204 | 409 | 423) ;;
        *) echo "refused: $(status)" >&2; exit 1 ;;
    esac
done
echo "$upload"
