"""What the program knows about uploads: sessions, files, events, storage, journal. No Tornado in here."""
