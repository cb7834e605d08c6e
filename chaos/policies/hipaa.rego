# HIPAA Security Rule, 45 CFR Part 164 Subpart C: what can be told from manifests.
#
# Where a label (data-class: health) says that electronic protected health information is handled. A manifest
# shows no risk analysis, no training and no agreement with an associate, and nothing of what is not labelled.
package main

import data.lib.manifests
import rego.v1

deny_hipaa_encryption contains {
	"msg": sprintf("%s holds health data on a storage class that is not known to be encrypted", [manifests.called]),
	"control": "HIPAA 45 CFR 164.312(a)(2)(iv), encryption and decryption",
	"comply": "set spec.storageClassName to a class that encrypts, and list it in encrypted_storage_classes",
} if {
	input.kind == "PersistentVolumeClaim"
	manifests.handles({"health"})
	not object.get(input.spec, "storageClassName", "") in data.policy.encrypted_storage_classes
}

deny_hipaa_transmission contains {
	"msg": sprintf("%s exposes health data, and host %s has no TLS", [manifests.called, rule.host]),
	"control": "HIPAA 45 CFR 164.312(e)(1), transmission security",
	"comply": "list the host in spec.tls, with a secret that holds its certificate",
} if {
	input.kind == "Ingress"
	manifests.handles({"health"})
	some rule in input.spec.rules
	covered := {host | some each in input.spec.tls; some host in each.hosts}
	not rule.host in covered
}

deny_hipaa_audit contains {
	"msg": sprintf("%s handles health data and names no audit log", [manifests.called]),
	"control": "HIPAA 45 CFR 164.312(b), audit controls",
	"comply": "add the annotation audit-log with where accesses are recorded; seatrial's audit-chain check proves it",
} if {
	manifests.is_workload
	manifests.handles({"health"})
	not manifests.annotation("audit-log")
}

deny_hipaa_backup contains {
	"msg": sprintf("%s holds health data and names no backup", [manifests.called]),
	"control": "HIPAA 45 CFR 164.308(a)(7)(ii)(A), data backup plan",
	"comply": "add the annotation backup-policy with the plan that covers it",
} if {
	input.kind == "PersistentVolumeClaim"
	manifests.handles({"health"})
	not manifests.annotation("backup-policy")
}

deny_hipaa_secret contains {
	"msg": sprintf("%s: container %s has %s in plain text", [manifests.called, container.name, variable.name]),
	"control": "HIPAA 45 CFR 164.312(a)(1), access control",
	"comply": "take it from a secret: valueFrom.secretKeyRef",
} if {
	some container in manifests.containers
	some variable in container.env
	regex.match(`(?i)(password|passwd|secret|token|api_?key)$`, variable.name)
	object.get(variable, "value", "") != ""
}
