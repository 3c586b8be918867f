"""Looking records up by id (contract, section 4): LeadPerfection may answer with somebody else."""

from lp_pipeline.clients.leadperfection import find, find_lead

from .fakes import FakeLeadPerfection, prospect, response, settings


def test_a_lead_is_found_by_its_id_and_never_another_one() -> None:
    """E1: the answer counts only if it has that lead, in whichever feed; the request names the lead alone."""
    others, wanted = prospect(7, leads=[{"id": 71}]), prospect(8, leads=[{"ID": "80"}, {"ID": 81}])
    lp = FakeLeadPerfection(replies=[response([others]), response([others, wanted])])
    with lp.client() as client:
        found = find_lead(client, settings(), "81")
    assert found is not None
    assert found[0].name == "prospects"
    assert b'"8"' in found[1]
    assert [(each.fields["lds_id"], each.fields["cst_id"]) for each in lp.requests] == [("81", "0"), ("81", "0")]


def test_a_prospect_is_found_by_its_own_id() -> None:
    """C7, E1: somebody else's record is none."""
    lp = FakeLeadPerfection(replies=[response([prospect(7)]), response([])])
    with lp.client() as client:
        assert find(client, settings(), "8") is None
