"""LeadPerfection's writes: notes, job notes, call logs (the contract's section 5).

Belongs here: the three actions and what each stores. Not here: lost responses (lost_answers.py), reading back
(render.py).
"""

import json
import re
from collections.abc import Callable

from lp_pipeline.sandbox.faults import Answer, as_json
from lp_pipeline.sandbox.request import Refused, Request
from lp_pipeline.sandbox.switches import CALL_RESULTS
from lp_pipeline.sandbox.world.stamps import NOTES, Record, id_of, key_of, objects, wall
from lp_pipeline.sandbox.world.store import Addition, World

DONE = "UPDATED SUCCESSFULLY!"
FAILURES: dict[str, object] = {
    "text": "The note could not be added.",
    "result": [{"Result": 0, "Message": "Error: The note could not be added."}],
    "message": {"message": "The note could not be added.", "status": 400, "error": "Bad Request"},
}
RESULT_WORDS = dict(CALL_RESULTS)
Owner = tuple[str, str]  # cst_id, and a lead id or an empty string


def _add_notes(request: Request) -> Answer:
    kinds = {"cst": _note_on_prospect, "ils": _note_on_issued_lead, "job": _note_on_job}
    kind = kinds.get(request.text("rectype").lower())
    if kind is None:
        raise Refused("RecType does not exist.")
    return _noted(request, kind, request.text("recid"))


def _add_installer_job_notes(request: Request) -> Answer:
    return _noted(request, _note_on_job, request.text("jobid"))


def _noted(request: Request, kind: Callable[[Request, str, Record], None], about: str) -> Answer:
    switches, text = request.switches, request.fields.get("notes", "")
    if switches["note_answer"] != "ok":
        return as_json(200, FAILURES[switches["note_answer"]])
    if not text.strip():
        raise Refused("Notes is required.")
    if 0 < switches["note_length"] < len(text):
        raise Refused(f"Notes is longer than {switches['note_length']} characters.")
    world = request.world
    with world.writing():
        numbers = world.fact("numbers")
        numbers["note"] += 1
        world.keep("numbers", numbers)
        note = {"id": str(numbers["note"]), "enteredby": switches["username"], "enteredon": _stamp(request)}
        category = request.text("nct_id") or "General"
        kind(request, about, note | {"updatedon": "", "category": category, "note": text})
    return as_json(200, DONE)


def _note_on_prospect(request: Request, cst_id: str, note: Record) -> None:
    if request.world.find(cst_id) is None:
        raise Refused("RecID does not exist.")
    _append(request, [(cst_id, "")], "notes", note)


def _note_on_issued_lead(request: Request, ils_id: str, note: Record) -> None:
    owners = request.world.select("select cst_id, lead_id from leads where ils_id = ? and ils_id > '0'", (ils_id,))
    if not owners:
        raise Refused("RecID does not exist.")
    _append(request, owners, "notes", note)


def _note_on_job(request: Request, job_id: str, note: Record) -> None:
    owners = _owners_of_job(request.world, job_id)
    if not owners:
        raise Refused("JobID does not exist.")
    values = (job_id, json.dumps(note, ensure_ascii=False))
    request.world.run("insert into job_notes (job_id, element) values (?, ?)", values)
    for cst_id in owners:
        _moved(request, cst_id)


def _owners_of_job(world: World, job_id: str) -> list[str]:
    """The prospects with this job; checks only records whose text contains its id."""
    found = world.select("select cst_id, record from prospects where ? > '' and instr(record, ?)", (job_id, job_id))
    return [
        cst_id
        for cst_id, text in found
        for lead in objects(json.loads(text), "leads")
        if any(id_of(job, "id") == job_id for job in objects(lead, "jobs"))
    ]


def _add_call_history(request: Request) -> Answer:
    switches, cst_id = request.switches, request.text("custid")
    with request.world.writing():
        called = request.moment("calldate")
        phone, code, kind = request.text("phone"), request.text("resultcode"), request.text("calltype")
        for good, complaint in (
            (request.world.find(cst_id) is not None, "CustID does not exist."),
            (request.text("empid") in map(str, switches["employee_ids"]), "EmpID does not exist."),
            (called is not None, "CallDate is required."),
            (code in switches["result_codes"], "ResultCode does not exist."),
            (kind in switches["call_types"], "CallType does not exist."),
            (re.fullmatch(r"\d+", phone, re.ASCII), "Phone is not valid."),
            (re.fullmatch(r"(\d\d:\d\d:\d\d)?", request.text("duration"), re.ASCII), "Duration is not valid."),
        ):
            if not good:
                raise Refused(complaint)
        call = {"calldatetime": f"{called:%Y-%m-%dT%H:%M:%S}", "phone": phone, "resultcode": code}
        call |= {"resultdescr": RESULT_WORDS.get(code, code), "calltype": kind}
        optional = ("duration", "recordingurl", "callqueueid")
        call |= {name: request.text(name) for name in optional if request.text(name)}
        _append(request, [(cst_id, "")], "calls", call)
    return as_json(200, [{"Result": 1, "Message": "Success"}])


def _append(request: Request, owners: list[Owner], array: str, element: Record) -> None:
    world = request.world
    for cst_id, lead_id in owners:
        world.add(Addition(cst_id, lead_id, array, element))
        if array == "notes":
            world.hide(cst_id, NOTES, element["enteredon"])
        _moved(request, cst_id)


def _moved(request: Request, cst_id: str) -> None:
    row = request.world.find(cst_id)
    if row is None or not request.switches["write_moves_lastchanged"]:
        return
    record = json.loads(row.text)
    record[key_of(record, "lastchanged") or "lastchanged"] = _stamp(request)
    request.world.store(json.dumps(record, ensure_ascii=False), made=row.made)


def _stamp(request: Request) -> str:
    return wall(request.now, request.world.zone)


def notes(world: World) -> list[tuple[str, str]]:
    """All notes written to a prospect or its leads, as (cst_id, text), oldest first."""
    return [(cst_id, json.loads(element)["note"]) for cst_id, element in _additions(world, "notes")]


def call_logs(world: World) -> list[tuple[str, Record]]:
    """All call logs ever written, as (cst_id, record), oldest first."""
    return [(cst_id, json.loads(element)) for cst_id, element in _additions(world, "calls")]


def job_notes(world: World) -> list[tuple[str, str]]:
    """All job notes, as (job id, text), oldest first."""
    found = world.select("select job_id, element from job_notes order by id")
    return [(job_id, json.loads(element)["note"]) for job_id, element in found]


def _additions(world: World, array: str) -> list[tuple[str, str]]:
    return world.select("select cst_id, element from additions where array = ? order by id", (array,))


ACTIONS: dict[str, tuple[str, Callable[[Request], Answer]]] = {
    "/api/salesapi/addnotes": ("AddNotes", _add_notes),
    "/api/installer/addinstallerjobnotes": ("AddInstallerJobNotes", _add_installer_job_notes),
    "/api/customers/addcallhistory": ("AddCallHistory", _add_call_history),
}
