"""The interface answers as its description says, whatever it is asked (schemathesis)."""

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from reid.retrieval.service.api import Turns, make_api
from reid.retrieval.service.marks import Marks
from reid.retrieval.service.problems import add_errors
from reid.retrieval.service.uploads import Uploads
from tests.reid.retrieval.test_service import parted  # noqa: F401 (a fixture)


def test_as_described(parted, tmp_path):  # noqa: F811
    web = FastAPI(openapi_url="/api/openapi.json")
    add_errors(web)
    uploads, marks = Uploads(tmp_path / "queries"), Marks(tmp_path / "marks.jsonl")
    web.include_router(make_api(parted, uploads, marks, Turns()))
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", web)
    asked = set()
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(max_examples=12, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def answers(case):
            # That a condition names a column no schema can say.
            response = case.call_and_validate(excluded_checks=[positive_data_acceptance])
            asked.add((case.method, case.path, response.status_code))

        answers()
    assert {path for _, path, _ in asked} == {
        "/api/galleries", "/api/search", "/api/evidence", "/api/marks", "/api/marks.csv",
        "/api/queries/{query}",
        "/api/items/{item}/thumbnail", "/api/items/{item}/image",
    }  # fmt: skip
    assert ("POST", "/api/search", 400) in asked
