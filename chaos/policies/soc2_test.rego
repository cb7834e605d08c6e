package main

import rego.v1

pod(container) := {
	"kind": "Pod",
	"metadata": {"name": "shop"},
	"spec": {"containers": [object.union({"name": "app", "image": "shop:1"}, container)]},
}

test_a_container_that_may_be_root if {
	count(deny_soc2_root) == 1 with input as pod({})
	count(deny_soc2_root) == 0 with input as pod({"securityContext": {"runAsNonRoot": true}})
}

test_what_a_container_says_counts_before_its_pod if {
	inside := pod({"securityContext": {"runAsNonRoot": false}})
	given := object.union(inside, {"spec": object.union(inside.spec, {"securityContext": {"runAsNonRoot": true}})})
	count(deny_soc2_root) == 1 with input as given
	plain := pod({})
	of_the_pod := object.union(plain, {"spec": object.union(plain.spec, {"securityContext": {"runAsNonRoot": true}})})
	count(deny_soc2_root) == 0 with input as of_the_pod
}

test_privileged if {
	count(deny_soc2_privileged) == 1 with input as pod({"securityContext": {"privileged": true}})
	count(deny_soc2_privileged) == 0 with input as pod({})
}

test_images_that_move if {
	count(deny_soc2_image) == 1 with input as pod({"image": "shop:latest"})
	count(deny_soc2_image) == 1 with input as pod({"image": "registry:5000/shop"})
	count(deny_soc2_image) == 0 with input as pod({"image": "registry:5000/shop:1.2"})
	count(deny_soc2_image) == 0 with input as pod({"image": "shop@sha256:aa"})
}

test_base_images_that_move if {
	count(deny_soc2_image) == 1 with input as [{"Cmd": "from", "Value": ["debian"], "StartLine": 1}]
	count(deny_soc2_image) == 0 with input as [
		{"Cmd": "from", "Value": ["debian:12", "AS", "build"], "StartLine": 1},
		{"Cmd": "from", "Value": ["build"], "StartLine": 2},
		{"Cmd": "from", "Value": ["scratch"], "StartLine": 3},
	]
}

test_dependencies_are_held if {
	count(deny_soc2_dependency) == 1 with input as {"dependencies": {"left-pad": "*", "right-pad": "^1.0"}}
	given := [{"name": "flask", "specifier": "", "link": "", "line": 1}, {"name": "x", "specifier": "==1", "link": "", "line": 2}]
	count(deny_soc2_dependency) == 1 with input as {"requirements": given}
	count(deny_soc2_dependency) == 0 with input as {"dependencies": {"right-pad": "^1.0"}}
}

group(port) := {"resource": {"aws_security_group": {"a": [{"ingress": [{"from_port": port, "cidr_blocks": ["0.0.0.0/0"]}]}]}}}

test_the_internet_at_ssh if {
	count(deny_soc2_ingress) == 1 with input as group(22)
	count(deny_soc2_ingress) == 0 with input as group(443)
}

test_ingress_has_tls if {
	count(deny_soc2_tls) == 1 with input as {"kind": "Ingress", "metadata": {"name": "i"}, "spec": {}}
	count(deny_soc2_tls) == 0 with input as {"kind": "Ingress", "metadata": {"name": "i"}, "spec": {"tls": [{"hosts": ["a"]}]}}
}

test_one_replica_is_a_warning if {
	count(warn_soc2_replicas) == 1 with input as {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {}}
	count(warn_soc2_replicas) == 0 with input as {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 2}}
}

test_memory_is_limited if {
	count(deny_soc2_limits) == 1 with input as pod({})
	count(deny_soc2_limits) == 0 with input as pod({"resources": {"limits": {"memory": "1Gi"}}})
}
