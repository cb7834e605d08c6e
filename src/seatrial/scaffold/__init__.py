"""What `seatrial init` writes: everything that a first trial of a service of one's own takes, and that runs.

    options, OpenAPI file ─► service ─► templates ─► files ─► written, all or none

A template is a file of ours with gaps (`templates/`), so that what is written can be read here as it will
stand there. Beside the files stand their schemas, so that an editor knows every key.
"""

from seatrial.scaffold.files import files_of, write
from seatrial.scaffold.service import Service, service_of

__all__ = ["Service", "files_of", "service_of", "write"]
