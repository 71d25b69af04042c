"""Errors of Azure: what they mean, what to do, and their exit codes."""

import logging
import sys

import pytest

from fakes.azure import SdkError as Answered
from mlops.errors import ConfigError, MlopsError, PlatformError
from mlops.platforms.azure.client import be_quiet, require_extra
from mlops.platforms.azure.errors import (
    Conflict,
    Failure,
    NotFound,
    azure_errors,
    explain,
    failure_of,
    failure_of_answer,
    word_of,
)
from mlops.platforms.base import NoAccess


def denied(action: str, scope: str) -> Failure:
    message = (
        "The client 'x' does not have authorization to perform action "
        f"'Microsoft.MachineLearningServices/{action}' over scope '{scope}'"
    )
    return Failure("E", 403, "AuthorizationFailed", message)


IDENTITY = "/subscriptions/s/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"


def linked(word: str) -> Failure:
    """Return that who may write an endpoint may not give it its identity."""
    message = (
        "The client 'x' with object id 'y' has permission to perform action "
        "'Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write' on scope '/w'; "
        f"however, it does not have permission to perform {word} "
        "'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) "
        f"'{IDENTITY}' or the linked scope(s) are invalid."
    )
    return Failure("E", 403, "LinkedAuthorizationFailed", message)


def forbidden(code: str, message: str = "no") -> Failure:
    return Failure("E", 403, code, message)


UNREGISTERED = "The subscription is not registered to use namespace 'Microsoft.Insights'."
HIGHER = "operation that has a higher priority"
UPDATING = "Cannot change it because it is in Updating provisioning state."


GROUP_ID = "/subscriptions/s/resourceGroups/g"
GROUP = forbidden(
    "AuthorizationFailed",
    "The client 'x' does not have authorization to perform action "
    f"'Microsoft.Resources/subscriptions/resourceGroups/read' over scope '{GROUP_ID}'",
)


@pytest.mark.parametrize(
    ("failure", "kind", "said"),
    [
        (Failure("ClientAuthenticationError", None, "", "AADSTS7"), ConfigError, "az login"),
        (Failure("HttpResponseError", 401, "", "no"), ConfigError, "not signed in"),
        (
            denied("registries/assets/write", "/registries/r"),
            ConfigError,
            "the role AzureML Registry User on /registries/r",
        ),
        (
            forbidden("UserError", "User x is not allowed to access registry mlr-tiny."),
            NoAccess,
            "the role AzureML Registry User, or to read only the narrower `… registry reader` of "
            "infra/ (docs/going-live.md), on the registry;",
        ),
        (
            denied("registries/models/read", "/registries/r"),
            NoAccess,
            "unique in an Entra tenant: if it is another team's, set another azure.registry",
        ),
        (
            Failure("HttpResponseError", 404, "NotFound", "InferencingClientCallFailed: {}"),
            PlatformError,
            "Azure does not know yet what it has just made",
        ),
        (
            Failure("HttpResponseError", 400, "BadRequest", "Endpoint has no pull permission."),
            PlatformError,
            "wait some minutes, then run the same command again; if it stays, the identity lacks",
        ),
        (
            Failure("HttpResponseError", 400, "BadRequest", "There is already an endpoint with it"),
            ConfigError,
            "or one that was just removed still holds it",
        ),
        (denied("registries/models/write", "/r"), ConfigError, "AzureML Registry User on /r"),
        (denied("registries/assets/read", "/r"), NoAccess, "`… registry reader` of infra/"),
        (
            denied("workspaces/onlineEndpoints/write", "/w"),
            ConfigError,
            "the role AzureML Data Scientist, or in test and prod the narrower "
            "`… endpoint deployer` of infra/",
        ),
        (
            linked("action"),
            ConfigError,
            f"the role Managed Identity Operator on {IDENTITY}; a new role takes some minutes to "
            "work (Microsoft.ManagedIdentity/userAssignedIdentities/assign/action)",
        ),
        (linked("action(s)"), ConfigError, f"Managed Identity Operator on {IDENTITY};"),
        (
            denied("workspaces/jobs/write", "/w"),
            ConfigError,
            "the role AzureML Data Scientist on /w",
        ),
        (GROUP, ConfigError, f"the role Reader on {GROUP_ID};"),
        (forbidden("AuthorizationFailed"), ConfigError, "AzureML Data Scientist"),
        (
            forbidden("AuthorizationPermissionMismatch"),
            ConfigError,
            "Storage Blob Data Contributor",
        ),
        (forbidden("RequestDisallowedByPolicy"), ConfigError, "ask whoever owns the subscr"),
        (
            forbidden("", "Public network access is disabled. Use a private endpoint."),
            ConfigError,
            "inside its virtual network",
        ),
        (forbidden("AuthorizationFailure"), ConfigError, "inside its virtual network"),
        (forbidden("ForbiddenByConnection"), ConfigError, "inside its virtual network"),
        (forbidden("ForbiddenByFirewall"), ConfigError, "inside its virtual network"),
        (
            forbidden("", "Key based authentication is not permitted on this storage account."),
            ConfigError,
            "systemDatastoresAuthMode",
        ),
        (
            Failure("E", 409, "MissingSubscriptionRegistration", UNREGISTERED),
            ConfigError,
            "`az provider register --namespace Microsoft.Insights`",
        ),
        (Failure("E", 400, "OutOfQuota", "no"), PlatformError, "portal under Quotas"),
        (Failure("E", 409, "", "it was soft-deleted"), ConfigError, "restore or purge"),
        (Failure("E", 400, "NameAlreadyExists", "x"), ConfigError, "endpoint.name"),
        (Failure("E", 404, "SubscriptionNotFound", "x"), ConfigError, "AZURE_SUBSCRIPTION_ID"),
        (Failure("E", 404, "ResourceGroupNotFound", "x"), ConfigError, "deploy the infrastr"),
        (Failure("E", 404, "", "x"), NotFound, "does not exist"),
        (Failure("E", 409, "", "x"), Conflict, "in progress"),
        (Failure("E", 200, "OperationCanceled", "x"), Conflict, "in progress"),
        (Failure("E", None, "", "Canceled by a higher priority operation."), Conflict, "progress"),
        (Failure("E", 409, "OperationCanceled", "x"), Conflict, "in progress"),
        (Failure("E", 200, "", f"Canceled by another {HIGHER}."), Conflict, "in progress"),
        (Failure("E", 400, "", "It was waiting for lock confirmation."), Conflict, "progress"),
        (Failure("E", 400, "BadRequest", UPDATING), Conflict, "in progress"),
        (Failure("E", 400, "", "It is in 'Creating' provisioning state."), Conflict, "progress"),
        (Failure("E", 400, "", "It is in Failed provisioning state."), PlatformError, "Failed"),
        (Failure("E", 429, "", "x"), PlatformError, "fewer requests"),
        (Failure("E", 503, "", "x"), PlatformError, "status.azure.com"),
        (Failure("ServiceRequestError", None, "", "x"), PlatformError, "cannot be reached"),
        (Failure("E", 400, "", "the body is wrong"), PlatformError, "the body is wrong"),
    ],
)
def test_an_error_says_what_to_do(failure: Failure, kind: type[MlopsError], said: str) -> None:
    error = explain(failure, "reading the endpoint churn")
    assert type(error) is kind
    assert str(error).startswith("reading the endpoint churn: ")
    assert said in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("failure", "kind", "said"),
    [
        (forbidden("AuthorizationFailure"), "role", "firewall"),
        (forbidden("RequestDisallowedByPolicy"), "a role is missing", "policy"),
        (denied("workspaces/privateEndpointConnections/read", "/w"), "firewall", "role"),
        (Failure("E", 409, "MissingSubscriptionRegistration", UNREGISTERED), "wait", "register"),
    ],
)
def test_one_denial_is_not_taken_for_another(failure: Failure, kind: str, said: str) -> None:
    error = str(explain(failure, "reading"))
    assert said in error
    assert kind not in error


CHAIN = (
    "DefaultAzureCredential failed to retrieve a token from the included credentials. Attempted "
    "credentials: EnvironmentCredential: authentication unavailable. Environment variables are "
    "not fully configured. {} To mitigate this issue, see https://aka.ms/azsdk/python. "
)
EXPIRED = "AADSTS700082: The refresh token has expired due to inactivity"


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (CHAIN.format("AzureCliCredential: Azure CLI not found on path. " * 20), "no way of"),
        (CHAIN.format(f"AzureCliCredential: ERROR: {EXPIRED}. Trace ID: 1; more."), EXPIRED),
        (f"Authentication failed: {EXPIRED}. Trace ID: 1", EXPIRED),
        ("The assertion was refused. Look here.", "The assertion was refused)"),
    ],
)
def test_who_cannot_sign_in_reads_no_list_of_what_was_tried(message: str, why: str) -> None:
    error = explain(Failure("ClientAuthenticationError", None, "", message), "signing in")
    assert error.message.startswith(f"signing in: not signed in to Azure ({why}")
    assert error.remedy.startswith("sign in first: on a laptop `az login --tenant")
    said = str(error)
    for told in ("EnvironmentCredential", "not found on path", "Trace ID", "aka.ms"):
        assert told not in said


def test_only_the_sdks_own_loggers_are_silenced() -> None:
    own = logging.getLogger("azure.ai.ml._with_a_level_of_its_own")
    own.setLevel(logging.INFO)
    be_quiet()
    for name in (own.name, "azure.made.later", "msal.token_cache"):
        assert not logging.getLogger(name).isEnabledFor(logging.ERROR)
    for name in ("azures", "ours", "urllib3"):
        assert logging.getLogger(name).isEnabledFor(logging.WARNING)


def test_a_missing_group_is_not_taken_for_a_missing_resource() -> None:
    error = explain(Failure("E", 404, "ResourceGroupNotFound", "x"), "reading")
    assert not isinstance(error, NotFound)


class SdkError(Exception):
    __module__ = "azure.core.exceptions"
    status_code = 409
    message = "busy\n with something"


def test_errors_of_the_sdk_are_explained_and_faults_of_ours_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:

    def poll() -> None:
        sys.stdout.write("....")  # as the SDK does
        raise SdkError

    with pytest.raises(Conflict, match="busy with something"), azure_errors("changing"):
        poll()
    assert capsys.readouterr().out == ""
    with pytest.raises(KeyError), azure_errors("changing"):
        raise KeyError
    with pytest.raises(PlatformError, match="as it was"), azure_errors("changing"):
        raise PlatformError("as it was")


def test_what_azure_loses_sight_of_is_its_own_failure() -> None:
    """Where it told of it a moment ago, no infrastructure is missing."""
    for known, kind, said in (
        (False, ConfigError, "deploy the infrastructure"),
        (True, PlatformError, "does not find any more what it told of"),
    ):
        with (
            pytest.raises(kind, match=said) as error,
            azure_errors("deploying blue", known=known),
        ):
            raise Answered(404, "The operation was not found.")
        assert isinstance(error.value, NotFound) is not known


def test_a_failure_is_read_without_the_types_of_the_sdk() -> None:
    assert failure_of(SdkError()) == Failure("SdkError", 409, "", "busy with something")


@pytest.mark.parametrize(("word", "end"), [("x" * 5000, "x …"), ("whole " * 900, "whole …")])
def test_a_long_reason_is_cut_after_a_word(word: str, end: str) -> None:
    said = str(explain(Failure("E", 400, "", word), "reading"))
    assert len(said) < 700
    assert said.endswith(end)


def test_a_word_may_be_text_or_one_of_the_sdks() -> None:
    class Status:
        value = "Failed"

    assert (word_of("Succeeded"), word_of(Status())) == ("succeeded", "failed")


def test_a_missing_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("azure.ai.ml", "azure.ai", "azure"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match="run `uv sync --group azure`"):
        require_extra()


@pytest.mark.parametrize("text", ["gone", "ResourceGroupNotFound:\n  there is no such group"])
def test_an_answer_without_the_sdk_is_explained_as_one_through_it(text: str) -> None:
    exceptions = pytest.importorskip("azure.core.exceptions")
    raised = exceptions.HttpResponseError(message=text)
    raised.status_code = 404
    by_sdk = explain(failure_of(raised), "reading the group")
    by_hand = explain(failure_of_answer(404, text), "reading the group")
    assert (type(by_hand), str(by_hand)) == (type(by_sdk), str(by_sdk))
    assert by_hand.exit_code == ConfigError.exit_code
