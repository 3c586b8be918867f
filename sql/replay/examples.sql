-- SPEC E4: the first differences, for people.
from difference order by all nulls first limit 200;
