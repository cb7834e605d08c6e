"""One run from start to end: plan it, conduct it, judge it, keep the evidence.

plan ──► conductor ──► evidence directory ──► judge ──► verdict.json, report.html, junit.xml
          │  ▲
          │  └── request log (tailed while it grows)
          └───── load process, timeline of faults and actions, guards
"""
