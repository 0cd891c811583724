"""The pages that an agency's own people use, on a listener of their own (docs/pages.md). One file per page or flow."""
