"""Signing in: Entra ID's tokens, and the OIDC assertions of GitHub Actions and Azure DevOps."""

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Host, Route, Router

from . import hosts
from .errors import AzureError

AUDIENCE = "api://AzureADTokenExchange"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class Identity:
    """One application of one tenant, by a secret and by federated credentials."""

    tenant: str
    client: str = field(default_factory=lambda: str(uuid.uuid4()))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    subjects: set[str] = field(default_factory=lambda: {"repo:team/project:environment:dev"})
    """The subjects that federated credentials accept."""
    subject: str = "repo:team/project:environment:dev"
    """The subject of the assertions that are handed out."""
    assertion_seconds: int = 300
    token_seconds: int = 3600
    managed: str = field(default_factory=lambda: str(uuid.uuid4()))
    """The client id of the identity of each deployment."""
    job_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _service: str = field(default_factory=lambda: str(uuid.uuid4()))
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def routes(self) -> list[Host]:
        """Return the routes of the login hosts."""
        login = [
            Route("/{tenant}/v2.0/.well-known/openid-configuration", self._configuration),
            Route("/common/discovery/instance", self._instance),
            Route("/{tenant}/oauth2/v2.0/token", self._token, methods=["POST"]),
            Route("/managed-identity/token", self._managed),
        ]
        return [
            Host(hosts.LOGIN, Router(login)),
            Host(hosts.GITHUB, Router([Route("/oidc/{job}", self._github)])),
            Host(
                hosts.AZURE_DEVOPS,
                Router([Route("/oidc/{job}", self._azure_devops, methods=["POST"])]),
            ),
        ]

    def variables(self) -> dict[str, str]:
        """Return what azure-identity reads to sign in by a secret."""
        return {
            "AZURE_TENANT_ID": self.tenant,
            "AZURE_CLIENT_ID": self.client,
            "AZURE_CLIENT_SECRET": self.secret,
        }

    def github_variables(self) -> dict[str, str]:
        """Return what a job of GitHub Actions has instead of a secret."""
        return {
            "AZURE_TENANT_ID": self.tenant,
            "AZURE_CLIENT_ID": self.client,
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"https://{hosts.GITHUB}/oidc/1?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.job_token,
        }

    def azure_devops_variables(self) -> dict[str, str]:
        """Return what a job of Azure DevOps has instead of a secret."""
        return {
            "AZURESUBSCRIPTION_TENANT_ID": self.tenant,
            "AZURESUBSCRIPTION_CLIENT_ID": self.client,
            "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "00000000-0000-0000-0000-00000000c0de",
            "SYSTEM_OIDCREQUESTURI": f"https://{hosts.AZURE_DEVOPS}/oidc/1",
            "SYSTEM_ACCESSTOKEN": self.job_token,
        }

    def managed_variables(self) -> dict[str, str]:
        """Return what a deployment of Azure ML has, in which its own identity signs in."""
        return {
            "MSI_ENDPOINT": f"https://{hosts.LOGIN}/managed-identity/token",
            "MSI_SECRET": self.job_token,
        }

    def check(self, request: Request, audiences: Collection[str]) -> None:
        """Refuse a request without a valid token for one of the audiences.

        Raises:
            AzureError: so (401).
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        claims = self._read(token) if scheme.lower() == "bearer" else None
        if claims is None:
            raise AzureError(401, "AuthenticationFailed", "The 'Authorization' header is missing.")
        if claims["exp"] < time.time():
            raise AzureError(401, "ExpiredAuthenticationToken", "The access token has expired.")
        if str(claims["aud"]).rstrip("/") not in audiences:
            raise AzureError(
                401,
                "InvalidAuthenticationTokenAudience",
                f"The access token is for {claims['aud']!r}, not for one of {sorted(audiences)}.",
            )

    def service_token(self, audience: str) -> str:
        """Return a token of Azure Machine Learning itself, for an hour."""
        return self._access_token(audience, self._service, 3600)

    def _access_token(self, audience: str, who: str, seconds: int) -> str:
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{self.tenant}/",
            "tid": self.tenant,
            "appid": who,
            "oid": who,
        }
        return self._sign(claims, seconds)

    async def _configuration(self, request: Request) -> Response:
        tenant = request.path_params["tenant"]
        if tenant != self.tenant:
            return _refusal("AADSTS90002", f"Tenant '{tenant}' not found.", "invalid_tenant", 400)
        base = f"https://{hosts.LOGIN}/{tenant}"
        return JSONResponse(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "response_types_supported": ["code", "id_token"],
            }
        )

    async def _instance(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "tenant_discovery_endpoint": f"https://{hosts.LOGIN}/{self.tenant}/v2.0"
                "/.well-known/openid-configuration",
                "metadata": [
                    {
                        "preferred_network": hosts.LOGIN,
                        "preferred_cache": hosts.LOGIN,
                        "aliases": [hosts.LOGIN],
                    }
                ],
            }
        )

    async def _token(self, request: Request) -> Response:
        form = {name: each[0] for name, each in parse_qs((await request.body()).decode()).items()}
        client = form.get("client_id")
        if client != self.client:
            message = f"Application with identifier '{client}' was not found in the directory."
            return _refusal("AADSTS700016", message, "unauthorized_client", 400)
        if refusal := self._doubt(form):
            return refusal
        audience = form.get("scope", "").split()[0].removesuffix("/.default")
        return JSONResponse(
            {
                "token_type": "Bearer",
                "expires_in": self.token_seconds,
                "ext_expires_in": self.token_seconds,
                "access_token": self._access_token(audience, client, self.token_seconds),
            }
        )

    def _doubt(self, form: dict[str, str]) -> Response | None:
        """Return the refusal if a secret or an assertion is not good."""
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            if hmac.compare_digest(form.get("client_secret", ""), self.secret):
                return None
            return _refusal("AADSTS7000215", "Invalid client secret provided.", "invalid_client")
        claims = self._read(form.get("client_assertion", ""))
        if claims is None:
            return _refusal("AADSTS50027", "The assertion is not valid.", "invalid_client")
        if claims["aud"] != AUDIENCE:
            message = f"Assertion audience {claims['aud']!r} does not match."
            return _refusal("AADSTS700212", message, "invalid_client")
        if claims["exp"] < time.time():
            message = "Client assertion is not within its valid time range."
            return _refusal("AADSTS700024", message, "invalid_client")
        if claims["sub"] not in self.subjects:
            message = f"No matching federated identity record found for {claims['sub']!r}."
            return _refusal("AADSTS700213", message, "invalid_client")
        return None

    async def _managed(self, request: Request) -> Response:
        if request.headers.get("secret") != self.job_token:
            return JSONResponse({"error": "invalid secret"}, 401)
        if request.query_params.get("clientid", self.managed) != self.managed:
            return JSONResponse({"error": "no such identity"}, 400)
        resource = request.query_params["resource"]
        return JSONResponse(
            {
                "access_token": self._access_token(resource, self.managed, self.token_seconds),
                "expires_on": int(time.time()) + self.token_seconds,
                "resource": resource,
                "token_type": "Bearer",
            }
        )

    async def _github(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.job_token}":
            return JSONResponse({"message": "Unauthorized"}, 401)
        audience = request.query_params.get("audience", "https://github.com/team")
        return JSONResponse({"count": 1, "value": self._assertion(audience)})

    async def _azure_devops(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.job_token}":
            return JSONResponse({"message": "Unauthorized"}, 401)
        return JSONResponse({"oidcToken": self._assertion(AUDIENCE)})

    def _assertion(self, audience: str) -> str:
        return self._sign({"aud": audience, "sub": self.subject}, self.assertion_seconds)

    def _sign(self, claims: dict[str, Any], seconds: int) -> str:
        now = int(time.time())
        claims = {"iat": now, "nbf": now - 5, "exp": now + seconds, **claims}
        head = {"alg": "HS256", "typ": "JWT"}
        text = ".".join(_encode(json.dumps(part).encode()) for part in (head, claims))
        return f"{text}.{self._signature(text)}"

    def _read(self, token: str) -> dict[str, Any] | None:
        text, _, signature = token.rpartition(".")
        if not text or not hmac.compare_digest(signature, self._signature(text)):
            return None
        part = text.partition(".")[2]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return claims

    def _signature(self, text: str) -> str:
        return _encode(hmac.new(self._key, text.encode(), hashlib.sha256).digest())


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _refusal(code: str, message: str, error: str, status: int = 401) -> Response:
    body = {"error": error, "error_description": f"{code}: {message}", "error_codes": [code[6:]]}
    return JSONResponse(body, status)
