"""Starts Azure ML's inference server on 127.0.0.1; it runs in the serving environment, as a file.

The server itself has no option for the address and would listen to the whole network.
"""

import importlib
from typing import Any

if __name__ == "__main__":
    server: Any = importlib.import_module("azureml_inference_server_http.amlserver")
    server.DEFAULT_HOST = "127.0.0.1"
    server.run()
