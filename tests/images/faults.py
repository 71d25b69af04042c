"""Faults in what an image is built from, each with the check that must notice it.

A fault is the image, the text to replace in its Dockerfile, the text in its place, and the check by
its name in checks.py. With no text to replace the new one comes at the end.
"""

from .checks import CANARY

_USER = "USER dockeruser\n"
_INSTALL = "install --no-cache-dir --requirement /tmp/requirements.txt"
_SYNC = "RUN uv sync --locked --no-install-workspace --no-dev --no-cache"

FAULTS: dict[str, tuple[str, str, str, str]] = {
    "copies all that is there": ("serving", "", "COPY . /opt/all\n", "files"),
    "copies too much and removes it": (
        "serving",
        _USER,
        f"COPY . /opt/all\nRUN rm -r /opt/all\n{_USER}",
        "files",
    ),
    "copies the team's data": ("serving", "", "COPY data /opt/data\n", "secrets"),
    "runs as root": ("serving", _USER, "", "user"),
    "sets where packages come from": (
        "serving",
        "",
        f"ENV PIP_INDEX_URL=https://{CANARY}\n",
        "variables",
    ),
    "installs without the versions": (
        "serving",
        _INSTALL,
        "install --no-cache-dir azureml-inference-server-http onnxruntime",
        "packages",
    ),
    "installs what does not fit": (
        "serving",
        _USER,
        f"RUN pip install --no-cache-dir opentelemetry-sdk==1.34.1\n{_USER}",
        "fitting",
    ),
    "lacks the server": (
        "serving",
        _USER,
        f"RUN pip uninstall -y azureml-inference-server-http\n{_USER}",
        "command",
    ),
    "copies all for training": ("training", "", "COPY . .\n", "files"),
    "copies the team's settings": ("training", "", "COPY data /opt/data\n", "secrets"),
    "cannot run the launcher": ("training", "RUN chmod 755 /usr/local/bin/mlops\n", "", "command"),
    "trains as another user": ("training", "", "USER nobody\n", "user"),
    "forgets the lock": (
        "training",
        _SYNC,
        "RUN rm uv.lock && uv sync --no-install-workspace --no-dev --no-cache",
        "packages",
    ),
    "installs what developers need": ("training", "--no-dev ", "", "packages"),
}
