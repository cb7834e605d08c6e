# SOC 2, Trust Services Criteria (2017, points of focus 2022): what can be told from manifests.
#
# An auditor asks whether controls worked over months. A manifest shows that one is declared today; the history
# of these checks in continuous integration is the evidence, each check alone is not.
package main

import data.lib.manifests
import rego.v1

deny_soc2_root contains {
	"msg": sprintf("%s: container %s may run as root", [manifests.called, container.name]),
	"control": "SOC 2 CC6.1, logical access",
	"comply": "set securityContext.runAsNonRoot: true, of the container or of its pod",
} if {
	some container in manifests.containers
	not non_root(container)
}

non_root(container) if container.securityContext.runAsNonRoot == true

non_root(container) if {
	not has_own_answer(container)
	manifests.pod_spec.securityContext.runAsNonRoot == true
}

has_own_answer(container) if "runAsNonRoot" in object.keys(object.get(container, "securityContext", {}))

deny_soc2_privileged contains {
	"msg": sprintf("%s: container %s is privileged", [manifests.called, container.name]),
	"control": "SOC 2 CC6.1, logical access",
	"comply": "take securityContext.privileged away, and add the one capability that is needed",
} if {
	some container in manifests.containers
	container.securityContext.privileged == true
}

deny_soc2_ingress contains {
	"msg": sprintf("%s.%s lets the whole internet in at port %v", [type, name, rule.from_port]),
	"control": "SOC 2 CC6.6, access from outside the boundary",
	"comply": "name the networks in cidr_blocks that need it; only 80 and 443 may be open to all",
} if {
	some [type, name, body] in manifests.resources({"aws_security_group"})
	some rule in body.ingress
	some block in rule.cidr_blocks
	block in {"0.0.0.0/0", "::/0"}
	not rule.from_port in {80, 443}
}

deny_soc2_tls contains {
	"msg": sprintf("%s serves without TLS", [manifests.called]),
	"control": "SOC 2 CC6.7, protection in transmission",
	"comply": "add spec.tls with the hosts and a secret that holds their certificate",
} if {
	input.kind == "Ingress"
	count(object.get(input.spec, "tls", [])) == 0
}

deny_soc2_image contains {
	"msg": sprintf("%s: the image %s can be another one tomorrow", [manifests.called, container.image]),
	"control": "SOC 2 CC8.1, change management",
	"comply": "name a digest (@sha256:…), or a version that is never moved",
} if {
	some container in manifests.containers
	floats(container.image)
}

deny_soc2_image contains {
	"msg": sprintf("line %d: the base image %s can be another one tomorrow", [command.StartLine, image]),
	"control": "SOC 2 CC8.1, change management",
	"comply": "name a digest (@sha256:…), or a version that is never moved",
} if {
	manifests.is_dockerfile
	some command in input
	command.Cmd == "from"
	image := command.Value[0]
	not image in stages
	not image == "scratch"
	not contains(image, "$")
	floats(image)
}

stages contains command.Value[2] if {
	some command in input
	command.Cmd == "from"
	lower(command.Value[1]) == "as"
}

floats(image) if endswith(image, ":latest")

floats(image) if {
	not contains(image, "@sha256:")
	last := split(image, "/")[count(split(image, "/")) - 1]
	not contains(last, ":")
}

deny_soc2_dependency contains {
	"msg": sprintf("%s %s: whatever is published next is installed", [section, name]),
	"control": "SOC 2 CC8.1, change management",
	"comply": "name a version or a range, and commit the lock file",
} if {
	some section in {"dependencies", "devDependencies"}
	some name, version in input[section]
	version in {"*", "latest", "", "x"}
}

deny_soc2_dependency contains {
	"msg": sprintf("line %d: %s is not held to a version", [each.line, each.name]),
	"control": "SOC 2 CC8.1, change management",
	"comply": "name a version (==), or a constraint, or install from a lock file with hashes",
} if {
	some each in input.requirements
	each.specifier == ""
	each.link == ""
}

warn_soc2_replicas contains {
	"msg": sprintf("%s has one replica: every restart is downtime", [manifests.called]),
	"control": "SOC 2 A1.2, availability",
	"comply": "set spec.replicas to two or more, and measure it with seatrial run",
} if {
	input.kind in {"Deployment", "StatefulSet"}
	object.get(input.spec, "replicas", 1) < 2
}

deny_soc2_limits contains {
	"msg": sprintf("%s: container %s may take all memory of its node", [manifests.called, container.name]),
	"control": "SOC 2 A1.1, capacity",
	"comply": "set resources.limits.memory",
} if {
	some container in manifests.containers
	not container.resources.limits.memory
}
