"""What a command, the daemon, a page or a search asks for: a trial, from its request to its record.

request ──examination──► source ──targets──► system ──run──► result ──records──► run database, incidents
              │                     │                                │
         all that is wrong     the testbed, if                 Caller: is told, watches,
         with it, at once      it is that one                  and may ask for the end

Nothing here knows a terminal: whoever asks is a `Caller`.
"""
