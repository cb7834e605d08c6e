"""What a command, the daemon, a page or a search asks for: a trial, from its request to its record.

request ──examination──► source ──targets──► system ──run──► result ──records──► run database, incidents
              │                     │                                │
         all that is wrong     the testbed, if                 Caller: is told, watches,
         with it, at once      it is that one                  and may ask for the end

An experiment or a suite goes this way in `running`. A search is many runs: `capacity` tries one rate after
the other, `exploration` one schedule of faults after the other, out of `fault_choices`, kept in
`exploration_store`, told by `exploration_account`.

Nothing here knows a terminal: whoever asks is a `Caller`.
"""
