"""A LeadPerfection and a Hatch of its own on loopback: made-up records, kept on disk, that change as time goes by.

Belongs here: everything that plays the other side of the contracts. Not here: anything the pipeline itself uses.

`Sandbox(folder, clock=…).serve()` answers, as `contracts/leadperfection.md` and `contracts/hatch.md` say,

    POST /token, /api/Customers/GetLead, /api/Customers/GetProspectData                        reading LeadPerfection
    POST /api/SalesApi/AddNotes, /api/Installer/AddInstallerJobNotes, /api/Customers/AddCallHistory        writing it
    PUT  /v1/contacts, GET /api/v1/export-data                                        Hatch, on the same server and port

For people it also answers

    POST /sandbox/switch   {"paging": "row"}                        sets switches (switches.py lists them)
    POST /sandbox/fault    {"kind": "429", "times": 2, "path": "GetLead", "retry_after": 30}   queues faults (faults.py)
    GET  /sandbox/state    switches, faults still queued, counts, the clock

Both POSTs take JSON with `Content-Type: application/json`. State lives in `<folder>/sandbox.sqlite`; any number of
processes may each serve the same folder at once.
"""

from lp_pipeline.sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]
