#!/bin/sh
# A copy of the upload folder, also while the station runs: sh backup.sh /var/lib/upload-station/upload /mnt/backup/upload
# Needs sqlite3 and rsync. The order matters: see backup.md.
set -eu
umask 077
from=$1 to=$2

mkdir -p "$to/.station"
rm -f "$to/.station/journal.new"
sqlite3 -cmd ".timeout 10000" "$from/.station/journal.db" "VACUUM INTO '$to/.station/journal.new'"
mv "$to/.station/journal.new" "$to/.station/journal.db"
rsync -a --exclude='/.station/journal.db*' --exclude=/.station/lock "$from/" "$to/"
