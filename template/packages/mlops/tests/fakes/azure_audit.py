"""The storage account and the model's tags of an audit log on Azure, in memory."""

from types import SimpleNamespace
from typing import Any

from fakes.azure import SdkError


class Blob:
    """One append blob; it is made, and grows by whoever saw where it ends."""

    def __init__(self, container: "Container", name: str) -> None:
        self._container = container
        self._name = name

    def create_append_blob(self, match_condition: object) -> None:
        assert match_condition is not None
        if self._name in self._container.kept:
            raise SdkError(409, "BlobAlreadyExists")
        self._container.kept[self._name] = b""

    def append_block(self, line: bytes, length: int, appendpos_condition: int) -> None:
        assert length == len(line)
        content = self._container.kept[self._name]
        if len(content) != appendpos_condition:
            raise SdkError(412, "AppendPositionConditionNotMet")
        self._container.kept[self._name] = content + line
        if self._container.answers_are_lost:
            raise SdkError(412, "AppendPositionConditionNotMet")

    def get_blob_properties(self) -> Any:
        return SimpleNamespace(size=len(self._content()))

    def download_blob(self, offset: int | None = None) -> Any:
        content = self._content()[offset or 0 :]
        return SimpleNamespace(readall=lambda: content)

    def _content(self) -> bytes:
        self._container.require()
        if self._name not in self._container.kept:
            raise SdkError(404, "BlobNotFound")
        return self._container.kept[self._name]


class Container:
    """A container; `exists` and `refuses` say how Azure answers for it."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.exists = True
        self.refuses = False
        self.answers_are_lost = False
        """Whether a retried append meets its own line."""

    def require(self) -> None:
        if not self.exists:
            raise SdkError(404, "ContainerNotFound: the specified container does not exist")
        if self.refuses:
            raise SdkError(403, "AuthorizationPermissionMismatch")

    def list_blob_names(self, name_starts_with: str) -> list[str]:
        self.require()
        return [name for name in sorted(self.kept) if name.startswith(name_starts_with)]

    def get_blob_client(self, name: str) -> Blob:
        return Blob(self, name)


class Arm:
    """What Azure Resource Manager says of a model, and what is written there."""

    def __init__(self) -> None:
        self.model: dict[str, Any] | None = None
        self.refuses = False

    def get(self, *_asked: object) -> Any:
        return self._answer(self.model)

    def put(self, *asked: Any) -> Any:
        if self.refuses:
            return self._answer(None, 403)
        self.model = asked[-1]
        return self._answer(self.model)

    def _answer(self, body: Any, status: int = 0) -> Any:
        status = status or (200 if body else 404)
        return SimpleNamespace(
            status_code=status,
            ok=status < 400,
            text="AuthorizationFailed" if status == 403 else "",
            json=lambda: body,
        )
