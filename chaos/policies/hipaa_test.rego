package main

import rego.v1

health(kind, annotations, spec) := {
	"kind": kind,
	"metadata": {"name": "records", "labels": {"data-class": "health"}, "annotations": annotations},
	"spec": spec,
}

test_health_data_is_encrypted_and_backed_up if {
	plain := health("PersistentVolumeClaim", {}, {})
	count(deny_hipaa_encryption) == 1 with input as plain with data.policy as encrypted
	count(deny_hipaa_backup) == 1 with input as plain
	good := health("PersistentVolumeClaim", {"backup-policy": "nightly"}, {"storageClassName": "encrypted"})
	count(deny_hipaa_encryption) == 0 with input as good with data.policy as encrypted
	count(deny_hipaa_backup) == 0 with input as good
}

test_health_data_is_transmitted_with_tls if {
	rules := [{"host": "a.example"}, {"host": "b.example"}]
	found := deny_hipaa_transmission with input as health("Ingress", {}, {"rules": rules, "tls": [{"hosts": ["a.example"]}]})
	{each.msg | some each in found} == {"Ingress records exposes health data, and host b.example has no TLS"}
	count(deny_hipaa_transmission) == 2 with input as health("Ingress", {}, {"rules": rules})
	covered := health("Ingress", {}, {"rules": rules, "tls": [{"hosts": ["a.example", "b.example"]}]})
	count(deny_hipaa_transmission) == 0 with input as covered
}

test_accesses_are_recorded if {
	count(deny_hipaa_audit) == 1 with input as health("Deployment", {}, {"template": {"spec": {}}})
	count(deny_hipaa_audit) == 0 with input as health("Deployment", {"audit-log": "ledger"}, {"template": {"spec": {}}})
}

with_variable(variable) := {
	"kind": "Pod",
	"metadata": {"name": "p"},
	"spec": {"containers": [{"name": "c", "env": [variable]}]},
}

test_no_secret_in_plain_text if {
	count(deny_hipaa_secret) == 1 with input as with_variable({"name": "DB_PASSWORD", "value": "x"})
	count(deny_hipaa_secret) == 0 with input as with_variable({"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {}}})
	count(deny_hipaa_secret) == 0 with input as with_variable({"name": "TOKEN_URL", "value": "x"})
}
