"""What Azure's errors mean and what to do about them, in one sentence with its exit code."""

import contextlib
import io
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from mlops.errors import ConfigError, MlopsError, PlatformError
from mlops.hints import typed
from mlops.platforms.base import NoAccess

_SDK_MODULES = ("azure.", "msrest.", "marshmallow.")
_LONGEST = 600
_LONGEST_SENTENCE = 200
_FORBIDDEN, _NOT_FOUND, _CONFLICT, _TOO_MANY = 403, 404, 409, 429
_SERVER_ERROR = 500
_SIGN_IN = (
    "sign in first: on a laptop `az login --tenant YOUR-TENANT` or the Azure extension of your "
    "editor; on a compute instance of Azure ML and in Cloud Shell set AZURE_TOKEN_CREDENTIALS=dev, "
    "too, or the machine's own identity is taken; in GitHub "
    "Actions the variables AZURE_CLIENT_ID and AZURE_TENANT_ID and `id-token: write`, with a "
    "federated credential for this repository and environment"
)
_ENTRA = re.compile(r"AADSTS\d+(?:: [^.;]+)?")
_DENIED = re.compile(r"perform action '([^']+)'.*?over scope '([^']+)'", re.DOTALL)
_LINKED = re.compile(
    r"not have permission to perform action\S* '([^']+)' on the linked scope\S* '([^']+)'"
)
_SCIENTIST = "AzureML Data Scientist"
_DEPLOYER = (
    f"{_SCIENTIST}, or in test and prod the narrower `… endpoint deployer` of infra/ "
    "(docs/going-live.md),"
)
_REGISTRY_USER = "AzureML Registry User"
_REGISTRY_READER = (
    f"{_REGISTRY_USER}, or to read only the narrower `… registry reader` of infra/ "
    "(docs/going-live.md),"
)
_BLOB_ROLE = ("Storage Blob Data Contributor", "the workspace's storage account")
_ROLES = (
    ("managedidentity/userassignedidentities", "Managed Identity Operator", "the identity"),
    ("machinelearningservices/registries/assets/write", _REGISTRY_USER, "the registry"),
    ("machinelearningservices/registries/models/write", _REGISTRY_USER, "the registry"),
    ("machinelearningservices/registries", _REGISTRY_READER, "the registry"),
    ("access registry", _REGISTRY_READER, "the registry"),
    ("machinelearningservices/workspaces/jobs", _SCIENTIST, "the workspace"),
    ("machinelearningservices/workspaces/computes", _SCIENTIST, "the workspace"),
    ("machinelearningservices/workspaces/models/write", _SCIENTIST, "the workspace"),
    ("machinelearningservices/workspaces/data/write", _SCIENTIST, "the workspace"),
    ("microsoft.machinelearningservices", _DEPLOYER, "the workspace"),
    ("microsoft.storage", *_BLOB_ROLE),
    ("microsoft.resources/subscriptions/resourcegroups", "Reader", "the resource group"),
    ("microsoft.insights/scheduledqueryrules", "Reader", "the alert rule"),
    ("microsoft.keyvault", "Key Vault Secrets User", "the key vault"),
    ("microsoft.operationalinsights", "Log Analytics Reader", "the Log Analytics workspace"),
)
_NETWORK_CODES = (
    "AuthorizationFailure",  # of a storage account: its network rules
    "ForbiddenByConnection",
    "ForbiddenByFirewall",
    "PublicNetworkAccessDisabled",
    "public network access is disabled",
    "public access is disabled",
    "public access is not allowed",
)
_NETWORK_WORDS = ("firewall", "virtual network", "private endpoint", "private link", "network rule")
_KEY_WORDS = (
    "KeyBasedAuthenticationNotPermitted",
    "key based authentication is not permitted",
    "shared key authorization is not permitted",
)
_NAMESPACE = re.compile(r"\bMicrosoft\.[A-Za-z]+")
_BUSY_STATE = re.compile(
    r"\b(?:accepted|creating|updating|deleting|scaling)\b\W+provisioning ?state", re.IGNORECASE
)
_BUSY_WORDS = (
    "OperationCanceled",
    "higher priority operation",
    "operation that has a higher priority",
    "waiting for lock confirmation",
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
def azure_errors(doing: str, *, known: bool = False) -> Iterator[None]:
    """Turn errors of the SDK inside the block into sentences that start with what was done.

    What the SDK prints is dropped in the main thread: stdout belongs to results, and progress is
    told by the commands themselves.

    Args:
        doing: what was tried.
        known: whether Azure itself just told of all that is asked for: that it does not find it
            is then its own failure, and no infrastructure is missing.

    Raises:
        MlopsError: what the SDK raised, explained.
    """
    try:
        with _nothing_printed():
            yield
    except MlopsError:
        raise
    except Exception as error:
        if not is_sdk_error(error):
            raise
        failure = failure_of(error)
        if known and failure.status == _NOT_FOUND:
            raise _lost_sight(doing, failure) from error
        raise explain(failure, doing) from error


def _lost_sight(doing: str, failure: Failure) -> MlopsError:
    return PlatformError(
        f"{doing}: Azure does not find any more what it told of before "
        f"({_shortened(failure.message)})",
        f"look at {typed('status')}, then try again",
    )


@contextlib.contextmanager
def _nothing_printed() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # both streams are those of the whole process
        return
    unseen = io.StringIO()
    with contextlib.redirect_stdout(unseen), contextlib.redirect_stderr(unseen):
        yield


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


def failure_of_answer(status: int, text: str) -> Failure:
    """Read what a service answers that was asked without the SDK."""
    return Failure("HttpResponseError", status, message=" ".join(text.split()))


def explain(failure: Failure, doing: str) -> MlopsError:
    """Return the error that says in one sentence what failed and what to do.

    Args:
        failure: what Azure said.
        doing: what was tried, such as "reading the endpoint churn-prod".
    """
    said = _shortened(failure.message)
    for explained in (
        *(_sign_in, _policy, _soon, _network, _keys, _role),
        *(_provider, _quota, _name, _missing, _busy),
    ):
        if error := explained(failure, doing, said):
            return error
    if failure.status is None and failure.kind.startswith("Service"):
        return PlatformError(
            f"{doing}: Azure cannot be reached ({said})", "check network and proxy, then try again"
        )
    if failure.status is not None and failure.status >= _SERVER_ERROR:
        return PlatformError(
            f"{doing}: Azure failed with {failure.status} ({said})",
            "try again, and see https://status.azure.com if it stays",
        )
    return PlatformError(f"{doing}: {said}")


def _sign_in(failure: Failure, doing: str, said: str) -> MlopsError | None:
    names = ("ClientAuthenticationError", "CredentialUnavailableError")
    if failure.status != 401 and failure.kind not in names:
        return None
    return ConfigError(f"{doing}: not signed in to Azure ({_refusal(failure, said)})", _SIGN_IN)


def _refusal(failure: Failure, said: str) -> str:
    """Return why nobody is signed in, without the list of every way that the SDK tried."""
    if found := _ENTRA.search(failure.message):
        return _cut(found[0], _LONGEST_SENTENCE)
    if failure.message.startswith("DefaultAzureCredential"):
        return "no way of signing in worked here"
    return _first_sentence(said)


def _policy(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if not failure.says("RequestDisallowedByPolicy", "disallowed by policy"):
        return None
    return ConfigError(
        f"{doing}: a policy of your organisation forbids it, which no role changes ({said})",
        "make what the policy names as it asks, or ask whoever owns the subscription for an "
        "exemption",
    )


def _soon(failure: Failure, doing: str, said: str) -> MlopsError | None:
    """Explain what passes by itself: what was just made or removed is not yet so everywhere."""
    if failure.says("InferencingClientCallFailed"):
        return PlatformError(
            f"{doing}: Azure does not know yet what it has just made ({said})", SOON
        )
    if failure.says("pull permission", "AcrPull", "ImagePull"):
        return PlatformError(
            f"{doing}: the endpoint's identity may not fetch the image yet ({said})",
            f"{SOON}; if it stays, the identity lacks the role AcrPull on the workspace's "
            "container registry (docs/azure.md)",
        )
    return None


SOON = "wait some minutes, then run the same command again"


def _network(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if failure.status != _FORBIDDEN or _denied(failure):
        return None
    if not failure.says(*_NETWORK_CODES, *_NETWORK_WORDS):
        return None
    return ConfigError(
        f"{doing}: the resource takes no request from this network ({said})",
        "run the command inside its virtual network, such as on a runner or a jump host there, "
        "or let the resource's firewall take the address of this machine",
    )


def _keys(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if not failure.says(*_KEY_WORDS):
        return None
    role, place = _BLOB_ROLE
    return ConfigError(
        f"{doing}: the storage account takes no keys ({said})",
        "let the workspace and its datastores sign in with identities "
        "(systemDatastoresAuthMode: identity), and give who runs this the role "
        f"{role} on {place}",
    )


def _role(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if failure.status != _FORBIDDEN:
        return None
    action, where = _denied(failure) or (said, "")
    text = f"{action} {where}".lower()
    role, place = next(
        ((role, place) for part, role, place in _ROLES if part in text),
        (_DEPLOYER, "the workspace"),
    )
    if failure.says("AuthorizationPermissionMismatch", "blob"):
        role, place = _BLOB_ROLE
    if role == _REGISTRY_READER:
        remedies = (_role_to_give(each, where or place, action) for each in (role, _REGISTRY_USER))
        return NoAccess(f"{doing}: a role is missing", *remedies)
    return ConfigError(f"{doing}: a role is missing", _role_to_give(role, where or place, action))


def _role_to_give(role: str, where: str, action: str) -> str:
    whose = ""
    if role in (_REGISTRY_USER, _REGISTRY_READER):
        whose = (
            "; names of registries are unique in an Entra tenant: if it is another team's, set "
            "another azure.registry in conf/base.yaml"
        )
    return (
        f"give who runs this the role {role} on {where}; "
        f"a new role takes some minutes to work ({action}){whose}"
    )


def _denied(failure: Failure) -> tuple[str, str] | None:
    """Return the action that was denied and its scope; of two actions, the one on the linked."""
    found = _LINKED.search(failure.message) or _DENIED.search(failure.message)
    return (found[1], found[2]) if found else None


def _provider(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if not failure.says("MissingSubscriptionRegistration", "SubscriptionNotRegistered"):
        return None
    found = _NAMESPACE.search(failure.message)
    namespace = found[0] if found else "<the namespace that it names>"
    return ConfigError(
        f"{doing}: the subscription has not registered the resource provider ({said})",
        "whoever owns the subscription registers it once: "
        f"`az provider register --namespace {namespace}`",
    )


def _quota(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if failure.says("quota", "OutOfCapacity", "SkuNotAvailable", "not enough capacity"):
        return PlatformError(
            f"{doing}: the subscription's quota or the region's capacity is used up ({said})",
            "ask for more in the portal under Quotas, or set a smaller azure.instance_type, "
            "endpoint.instances or compute.size",
        )
    return None


def _name(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if failure.says("soft-deleted", "soft deleted", "FlagMustBeSetForRestore", "purge"):
        return ConfigError(
            f"{doing}: a deleted resource still holds the name ({said})",
            "restore or purge it in the portal, or set another name in conf",
        )
    taken = (
        "NameAlreadyExists",
        "NameNotAvailable",
        "already an endpoint",
        "already taken",
        "must be unique",
    )
    if failure.says(*taken):
        return ConfigError(
            f"{doing}: somebody else has this name, or one that was just removed still holds it "
            f"({said})",
            f"{SOON}; if it stays, set another name in conf: for an endpoint endpoint.name, which "
            "is unique in its region, for a registry azure.registry, unique in the Entra tenant",
        )
    return None


def _missing(failure: Failure, doing: str, said: str) -> MlopsError | None:
    if failure.says("SubscriptionNotFound", "InvalidSubscriptionId"):
        return ConfigError(
            f"{doing}: the subscription does not exist, or who is signed in does not see it "
            f"({said})",
            "check AZURE_SUBSCRIPTION_ID and AZURE_TENANT_ID",
        )
    if failure.says("ResourceGroupNotFound"):
        return ConfigError(f"{doing}: {said}", _INFRASTRUCTURE)
    if failure.status == _NOT_FOUND:
        return NotFound(f"{doing}: it does not exist ({said})", _INFRASTRUCTURE)
    return None


_INFRASTRUCTURE = (
    "deploy the infrastructure, or name what you have in the section `azure` of conf "
    f"({typed('doctor --platform azure')} says what is missing)"
)


def _busy(failure: Failure, doing: str, said: str) -> MlopsError | None:
    at_work = failure.says(*_BUSY_WORDS) or _BUSY_STATE.search(failure.message)
    if failure.status == _CONFLICT or at_work:
        return Conflict(
            f"{doing}: another operation on it is in progress ({said})", "wait, then try again"
        )
    if failure.status == _TOO_MANY:
        return PlatformError(
            f"{doing}: Azure asks for fewer requests ({said})", "wait some minutes, then try again"
        )
    return None


def word_of(value: object) -> str:
    """Return a word of the service in small letters, be it text or one of the SDK's enums."""
    return str(getattr(value, "value", value)).lower()


def _shortened(message: str) -> str:
    text = " ".join(message.split()) or "no reason was given"
    return _cut(text, _LONGEST)


def _first_sentence(text: str) -> str:
    return _cut(text.split(". ")[0].rstrip("."), _LONGEST_SENTENCE)


def _cut(text: str, longest: int) -> str:
    """Return the text, ended after a whole word if it is too long."""
    if len(text) <= longest:
        return text
    return f"{text[: longest + 1].rpartition(' ')[0] or text[:longest]} …"
