"""Operations of the target that are part of the story: deploy, roll back, stop and start a release.

An action follows the protocol of a fault; its undo restores what was before the run's first action on that
role, and is a no-op when the story itself ended there.
"""
