# What the policies beside this directory ask of Kubernetes manifests, Terraform and Dockerfiles.
package lib.manifests

import rego.v1

workload_kinds := {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"}

is_workload if input.kind in workload_kinds

pod_spec := input.spec if input.kind == "Pod"

pod_spec := input.spec.jobTemplate.spec.template.spec if input.kind == "CronJob"

pod_spec := input.spec.template.spec if input.kind in workload_kinds - {"Pod", "CronJob"}

containers contains container if some container in pod_spec.containers

containers contains container if some container in pod_spec.initContainers

annotation(name) := object.get(object.get(input, "metadata", {}), "annotations", {})[name]

# The kind of data that a manifest says it handles: the label data-class, of the object or of its pods.
data_class := input.metadata.labels["data-class"]

handles(classes) if data_class in classes

called := sprintf("%s %s", [input.kind, input.metadata.name])

# Terraform: every resource of these types, with its name.
resources(types) := {[type, name, body] |
	some type in types
	some name, bodies in input.resource[type]
	some body in bodies
}

# A Dockerfile is a list of commands.
is_dockerfile if {
	is_array(input)
	some command in input
	command.Cmd == "from"
}
