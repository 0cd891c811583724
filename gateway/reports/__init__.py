"""Documents for people who are not engineers: an access report in plain words, as text, a web page or a PDF."""
