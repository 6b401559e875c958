"""How the documentation is built: offline, executed, with warnings as errors.

uv run --group docs sphinx-build -W docs docs/_build/html
"""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_extensions"))

project = "sozai"
author = "the sozai developers"
copyright = author
release = installed_version("sozai")
version = release

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "house_docstrings",
    "mathml",
    "waiting_changes",
]
exclude_patterns = ["_build", "jupyter_execute", "_extensions"]
# "ref.python": fields of different records may share a name such as n_samples; types in Parameters need no
# link.
suppress_warnings = ["mystnb.mime_priority", "ref.python"]

# Pages are executed at every build; a cell that raises stops it.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 300
nb_execution_in_temp = True
nb_merge_streams = True
nb_render_markdown_format = "myst"
nb_ipywidgets_js = {}
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3

# One entry per public name, in the order of the source; attributes stay in their class's own list.
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
autodoc_default_options = {"members": True}

html_theme = "sphinx_book_theme"
html_title = "sozai 素材"
html_math_renderer = "mathml"
html_static_path = []
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"show_toc_level": 2, "use_download_button": False, "use_fullscreen_button": False}
