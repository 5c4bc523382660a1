"""mkdocs's hooks (mkdocs.yml): info strings of fenced blocks are for our tests (tests/docs_test.cpp), Markdown's reader wants one word."""
import re


def on_page_markdown(markdown, **_):
    return re.sub(r"^(```\w+) .*$", r"\1", markdown, flags=re.MULTILINE)
