"""A simulated LeadPerfection and Hatch on loopback: synthetic records, stored on disk, that change over time.

Belongs here: the servers' side of the contracts. Not here: anything the pipeline itself uses.

`Sandbox(folder, clock=…).serve()` answers, as `contracts/leadperfection.md` and `contracts/hatch.md` say,

    POST /token, /api/Customers/GetLead, /api/Customers/GetProspectData                        reading LeadPerfection
    POST /api/SalesApi/AddNotes, /api/Installer/AddInstallerJobNotes, /api/Customers/AddCallHistory        writing it
    PUT  /v1/contacts, GET /api/v1/export-data                                        Hatch, on the same server and port

It also has control endpoints

    POST /sandbox/switch   {"paging": "row"}                        sets switches (switches.py lists them)
    POST /sandbox/fault    {"kind": "429", "times": 2, "path": "GetLead", "retry_after": 30}   queues faults (faults.py)
    GET  /sandbox/state    switches, queued faults, counts, the clock

Both POSTs take JSON with `Content-Type: application/json`. The state is in `<folder>/sandbox.sqlite`; several processes
can serve the same folder at once.
"""

from lp_pipeline.sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]
