"""The server-rendered shells of the pages. A package only so that a wheel carries them."""
