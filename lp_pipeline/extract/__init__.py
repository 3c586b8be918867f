"""Reading LeadPerfection's feeds into the warehouse: which windows, what a reading is, and how it is stored.

The one place that knows both the client and the warehouse. It decides no trigger and no merge: SQL does.
"""
