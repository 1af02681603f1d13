"""The pages' modules, styles and vendored libraries. A package only so that a wheel carries them."""
