"""What a browser would find in a page of the report."""

import json
from html.parser import HTMLParser

# Of the page itself: data, two packed bundles (Vega; DataTables, whose style has one of its own), one program.
SCRIPTS = 5


class Reader(HTMLParser):
    """Collects what a browser would run, fetch and show."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts, self.addresses, self.handlers, self.text = 0, [], [], ""

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value != "data:,"]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def specs(page: str) -> list[dict]:
    start = page.index('id="specs">') + len('id="specs">')
    return json.loads(page[start : page.index("</script>", start)])
