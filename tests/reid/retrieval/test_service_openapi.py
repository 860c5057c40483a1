"""The interface answers as its description says, whatever it is asked (schemathesis)."""

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from starlette.testclient import TestClient

from reid.retrieval.service.app import make_app
from tests.reid.retrieval.test_service import content, parted  # noqa: F401 (a fixture)

TOKEN = "secret"
PATHS = {
    "/api/galleries", "/api/search", "/api/evidence", "/api/marks", "/api/marks.csv",
    "/api/queries/{query}", "/api/items/{item}/thumbnail", "/api/items/{item}/image",
}  # fmt: skip
KEPT = {"/api/search", "/api/evidence", "/api/marks"}
"""What is sent there is kept, or a part of it."""
CORNERS = ("x1", "y1", "x2", "y2")


def test_as_described(parted, tmp_path):  # noqa: F811
    web = make_app(parted, tmp_path, token=TOKEN)
    allowed = {"authorization": f"Bearer {TOKEN}"}
    client = TestClient(web, headers=allowed)
    found = client.post("/api/search", files={"image": content(3)}).json()
    there = {"query": found["query"], "item": found["matches"][1]["item"]}
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", web, headers=allowed)
    described = schema.raw_schema
    assert set(described["components"]["securitySchemes"]) == {"bearer", "cookie", "address"}
    asked = set()
    for each in schema.get_all_operations():
        operation = each.ok()
        said = described["paths"][operation.path][operation.method]
        assert {"403", "500", "503"} <= set(said["responses"])
        assert ("507" in said["responses"]) == (operation.path in KEPT), operation.path
        assert {"bearer": []} in said["security"]

        def answers(case):
            # That a condition names a column no schema can say.
            response = case.call_and_validate(
                headers=allowed, excluded_checks=[positive_data_acceptance, ignored_auth]
            )
            asked.add((case.method, case.path, response.status_code))

        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def anything(case):
            answers(case)

        @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
        @given(
            case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            kind=st.integers(0, 3),
        )
        def sense(case, kind):
            answers(with_known(case, there, kind))

        anything()
        sense()
        assert operation.Case(path_parameters=dict(there)).call().status_code == 403  # no token
    assert {path for _, path, _ in asked} == PATHS
    assert {path for _, path, status in asked if 200 <= status < 300} == PATHS
    assert ("POST", "/api/search", 400) in asked


def with_known(case, there, kind):
    """Put a query, an item and an image that there are in place of made-up ones.

    Of four kinds two have no corners and conditions, which are seldom any that can be answered.
    """
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            place |= {name: value for name, value in there.items() if name in place}
            for name in CORNERS if kind % 2 else ():
                place.pop(name, None)
    if case.path == "/api/search":
        body = dict(case.body) if isinstance(case.body, dict) else {}
        made_up = {"image", "query"} | ({"where", "group", *CORNERS} if kind % 2 else set())
        body = {name: value for name, value in body.items() if name not in made_up}
        known = {"image": content(3)} if kind < 2 else {"query": there["query"]}
        case.body = {**body, **known}
    return case


def test_where_no_token_is_asked_for_none_is_described(parted, tmp_path):  # noqa: F811
    client = TestClient(make_app(parted, tmp_path), base_url="http://localhost")
    described = client.get("/api/openapi.json").json()
    assert "securitySchemes" not in described["components"]
