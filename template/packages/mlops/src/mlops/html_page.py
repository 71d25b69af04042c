"""What our pages of HTML have in common: a template that escapes, and one style, light and dark."""

from importlib.resources import files

import jinja2
from markupsafe import Markup


def page_environment() -> jinja2.Environment:
    """Return an environment in which text is escaped, and a name that is missing is an error.

    Its templates know `style`: the content of the element `style`.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["style"] = Markup(  # nosec B704  # our own file
        files("mlops").joinpath("html_page.css").read_text(encoding="utf-8")
    )
    return environment
