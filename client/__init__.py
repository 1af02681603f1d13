"""The command line client: sends files to a station and watches sessions, by the public protocol only."""
