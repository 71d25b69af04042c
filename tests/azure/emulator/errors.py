"""How Azure says that something is wrong."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class AzureError(Exception):
    """An answer that is an error, as ARM words it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @property
    def body(self) -> dict[str, object]:
        """The body of the answer."""
        return {"error": {"code": self.code, "message": self.message}}


def not_found(what: str) -> AzureError:
    """Return the error for something that does not exist."""
    return AzureError(404, "ResourceNotFound", f"{what} was not found.")


def conflict(message: str) -> AzureError:
    """Return the error for a change that another one forbids."""
    return AzureError(409, "Conflict", message)


def bad_request(message: str) -> AzureError:
    """Return the error for a request that the service does not take."""
    return AzureError(400, "BadRequest", message)


async def answer_error(_request: Request, error: Exception) -> Response:
    """Turn an AzureError into the answer."""
    assert isinstance(error, AzureError)
    return JSONResponse(error.body, error.status)
