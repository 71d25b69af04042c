"""What Azure's errors mean and what to do about them, in one sentence with its exit code."""

import contextlib
import io
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import ConfigError, MlopsError, PlatformError

_SDK_MODULES = ("azure.", "msrest.", "marshmallow.")
_LONGEST = 600
_NOT_FOUND, _CONFLICT, _TOO_MANY = 404, 409, 429
_SERVER_ERROR = 500
_SIGN_IN = (
    "sign in first: on a laptop `az login` or the Azure extension of your editor; in GitHub "
    "Actions the variables AZURE_CLIENT_ID and AZURE_TENANT_ID and `id-token: write`, with a "
    "federated credential for this repository and environment"
)
_DENIED = re.compile(r"perform action '([^']+)'.*?over scope '([^']+)'", re.DOTALL)
_ROLES = (
    ("microsoft.machinelearningservices/registries", "AzureML Registry User", "the registry"),
    ("microsoft.machinelearningservices", "AzureML Data Scientist", "the workspace"),
    ("microsoft.storage", "Storage Blob Data Contributor", "the workspace's storage account"),
    ("microsoft.operationalinsights", "Log Analytics Reader", "the Log Analytics workspace"),
)


class NotFound(ConfigError):
    """Azure has no such resource."""


class Conflict(PlatformError):
    """Another operation on the resource is in progress."""


@dataclass(frozen=True)
class Failure:
    """What an error of the SDK or of the service says; without `status` nothing answered."""

    kind: str
    status: int | None = None
    code: str = ""
    message: str = ""

    def says(self, *words: str) -> bool:
        """Tell whether code or message hold one of the words."""
        text = f"{self.code} {self.message}".lower()
        return any(word.lower() in text for word in words)


@contextlib.contextmanager
def azure_errors(doing: str) -> Iterator[None]:
    """Turn errors of the SDK inside the block into sentences that start with what was done.

    What the SDK prints to stdout, which belongs to results, is dropped in the main thread.

    Raises:
        MlopsError: what the SDK raised, explained.
    """
    main = threading.current_thread() is threading.main_thread()
    try:
        with contextlib.redirect_stdout(io.StringIO()) if main else contextlib.nullcontext():
            yield
    except MlopsError:
        raise
    except Exception as error:
        if not is_sdk_error(error):
            raise
        raise explain(failure_of(error), doing) from error


def is_sdk_error(error: BaseException) -> bool:
    """Tell whether an exception is one of the SDK's own; any other is a fault of this program."""
    return any(
        f"{kind.__module__}.".startswith(_SDK_MODULES) for kind in type(error).__mro__
    ) or isinstance(error, ConnectionError | TimeoutError)


def failure_of(error: BaseException) -> Failure:
    """Read what an exception of the SDK says, without its types."""
    inner = getattr(error, "error", None)
    code = getattr(inner, "code", None) or getattr(error, "error_code", None) or ""
    message = getattr(inner, "message", None) or getattr(error, "message", None) or str(error)
    return Failure(
        kind=type(error).__name__,
        status=getattr(error, "status_code", None),
        code=str(getattr(code, "value", code)),
        message=" ".join(str(message).split()),
    )


def explain(failure: Failure, doing: str) -> MlopsError:
    """Return the error that says in one sentence what failed and what to do.

    Args:
        failure: what Azure said.
        doing: what was tried, such as "reading the endpoint churn-prod".
    """
    said = _shortened(failure.message)
    for explained in (_sign_in, _role, _quota, _name, _missing, _busy):
        if error := explained(failure, doing, said):
            return error
    if failure.status is None and failure.kind.startswith("Service"):
        return PlatformError(
            f"{doing}: Azure cannot be reached ({said}); check network and proxy, then try again"
        )
    if failure.status is not None and failure.status >= _SERVER_ERROR:
        return PlatformError(
            f"{doing}: Azure failed with {failure.status} ({said}); try again, and see "
            "https://status.azure.com if it stays"
        )
    return PlatformError(f"{doing}: {said}")


def _sign_in(failure: Failure, doing: str, said: str) -> MlopsError | None:
    names = ("ClientAuthenticationError", "CredentialUnavailableError")
    if failure.status != 401 and failure.kind not in names:
        return None
    return ConfigError(f"{doing}: not signed in to Azure; {_SIGN_IN} ({said})")


def _role(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if failure.status != 403:
        return None
    denied = _DENIED.search(failure.message)
    action = denied[1] if denied else said
    where = denied[2] if denied else ""
    text = f"{action} {where}".lower()
    role, place = next(
        ((role, place) for part, role, place in _ROLES if part in text),
        ("AzureML Data Scientist", "the workspace"),
    )
    if failure.says("AuthorizationPermissionMismatch", "blob"):
        role, place = _ROLES[2][1:]
    return ConfigError(
        f"{doing}: a role is missing: give who runs this the role {role} on {where or place}; "
        f"a new role takes some minutes to work ({action})"
    )


def _quota(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if failure.says("quota", "OutOfCapacity", "SkuNotAvailable", "not enough capacity"):
        return PlatformError(
            f"{doing}: the subscription's quota or the region's capacity is used up ({said}); ask "
            "for more in the portal under Quotas, or set a smaller azure.instance_type, "
            "endpoint.instances or compute.size"
        )
    return None


def _name(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if failure.says("soft-deleted", "soft deleted", "FlagMustBeSetForRestore", "purge"):
        return ConfigError(
            f"{doing}: a deleted resource still holds the name ({said}); restore or purge it in "
            "the portal, or set another name in conf"
        )
    taken = ("NameAlreadyExists", "already taken", "NameNotAvailable", "name is already in use")
    if failure.says(*taken):
        return ConfigError(
            f"{doing}: somebody else has this name ({said}); set another one in conf, for an "
            "endpoint endpoint.name"
        )
    return None


def _missing(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if failure.says("SubscriptionNotFound", "InvalidSubscriptionId"):
        return ConfigError(
            f"{doing}: the subscription does not exist, or who is signed in does not see it "
            f"({said}); check AZURE_SUBSCRIPTION_ID and AZURE_TENANT_ID"
        )
    if failure.says("ResourceGroupNotFound"):
        return ConfigError(f"{doing}: {said}; {_INFRASTRUCTURE}")
    if failure.status == _NOT_FOUND:
        return NotFound(f"{doing}: it does not exist ({said}); {_INFRASTRUCTURE}")
    return None


_INFRASTRUCTURE = (
    "deploy the infrastructure, or name what you have in the section `azure` of conf "
    "(`mlops doctor --platform azure` says what is missing)"
)


def _busy(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if failure.status == _CONFLICT:
        return Conflict(
            f"{doing}: another operation on it is in progress ({said}); wait, then try again"
        )
    if failure.status == _TOO_MANY:
        return PlatformError(
            f"{doing}: Azure asks for fewer requests ({said}); wait some minutes, then try again"
        )
    return None


def word_of(value: object) -> str:
    """Return a word of the service in small letters, be it text or one of the SDK's enums."""
    return str(getattr(value, "value", value)).lower()


def _shortened(message: str) -> str:
    text = " ".join(message.split()) or "no reason was given"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
