#!/bin/sh
# A copy of the upload folder, also while the station runs: sh backup.sh /var/lib/upload-station/upload /mnt/backup/upload
# Needs sqlite3 and rsync. The order matters: see backup.md.
set -eu
umask 077
unset CDPATH # cd would tell where it went
from=$(cd "$1" && pwd)
mkdir -p "$2/.station"
to=$(cd "$2" && pwd)

cd "$to/.station" # no path stands in the SQL: there may be an apostrophe in it
rm -f journal.new
sqlite3 -cmd ".timeout 10000" "$from/.station/journal.db" "VACUUM INTO 'journal.new'"
mv journal.new journal.db
# 24: something was taken away meanwhile, as other programs do with stored files.
rsync -a --exclude='/.station/journal.db*' --exclude=/.station/lock "$from/" "$to/" || [ $? -eq 24 ]
