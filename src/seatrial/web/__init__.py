"""The dashboard: what was measured, planned and told, for those who look at it together.

    store · schedules · fault journal · open runs ──read──► a document ──┬──► /api/…   as JSON
                                                                         └──► /…       as a page of the same
    a token, the same origin ──► an action: into the ledger first, then done

Nothing is kept here that could be lost: a page is read anew from where its facts are, and a server that is
killed leaves nothing half done. What is shown was chosen by targets, scenarios and logs, so nothing of it is
believed: pages escape it, and their policy runs no script but ours.
"""
