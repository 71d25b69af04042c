"""Incidents as issues on GitHub, by gh and with the token of the job: one for each alarm."""

from mlops.ci.setup_github.gh import Gh
from mlops.monitoring.alerting.act import Done
from mlops.monitoring.alerting.incident import OPENED, THERE_ALREADY, Incident

LABEL = "alert"
_ISSUES = "repos/{owner}/{repo}/issues"


def open_issue(gh: Gh, incident: Incident) -> Done:
    """Open an issue, unless one of the same alarm is open.

    Args:
        gh: in the project's folder; it needs the right `issues: write`.
        incident: what happened.

    Raises:
        GhError: GitHub refused it.
    """
    for issue in gh.pages(f"{_ISSUES}?state=open"):
        # anybody may write a text into an issue, only who maintains the project labels it
        labels = {each["name"] for each in issue.get("labels", ()) if isinstance(each, dict)}
        if LABEL in labels and incident.mark in (issue.get("body") or ""):
            url = str(issue["html_url"])
            return Done(THERE_ALREADY, "an issue of the same alarm is open", url)
    fields = {
        "title": incident.title,
        "body": f"{incident.body}\n{incident.mark}\n",
        "labels[]": LABEL,
    }
    arguments = [part for name, value in fields.items() for part in ("-f", f"{name}={value}")]
    url = gh.call("api", "--method", "POST", _ISSUES, "--jq", ".html_url", *arguments).strip()
    return Done(OPENED, "an issue on GitHub", url)
