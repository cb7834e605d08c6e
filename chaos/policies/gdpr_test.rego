package main

import rego.v1

claim(class, storage) := {
	"kind": "PersistentVolumeClaim",
	"metadata": {"name": "orders", "labels": {"data-class": class}},
	"spec": {"storageClassName": storage},
}

workload(class, annotations) := {
	"kind": "Deployment",
	"metadata": {"name": "shop", "labels": {"data-class": class}, "annotations": annotations},
	"spec": {"template": {"spec": {"containers": []}}},
}

encrypted := {"encrypted_storage_classes": ["encrypted"], "regions_in_the_union": ["eu-west-1"]}

test_personal_data_on_plain_storage if {
	some found in deny_gdpr_encryption with input as claim("personal", "standard") with data.policy as encrypted
	found.control == "GDPR Art. 32(1)(a), encryption of personal data"
}

test_personal_data_on_encrypted_storage if {
	count(deny_gdpr_encryption) == 0 with input as claim("personal", "encrypted") with data.policy as encrypted
}

test_other_data_may_be_anywhere if {
	count(deny_gdpr_encryption) == 0 with input as claim("public", "standard") with data.policy as encrypted
}

test_a_database_without_encryption if {
	plain := {"resource": {"aws_db_instance": {"orders": [{"engine": "postgres"}]}}}
	count(deny_gdpr_encryption) == 1 with input as plain
	sealed := {"resource": {"aws_db_instance": {"orders": [{"storage_encrypted": true}]}}}
	count(deny_gdpr_encryption) == 0 with input as sealed
}

test_retention_and_record_are_named if {
	count(deny_gdpr_retention) == 1 with input as workload("personal", {})
	count(deny_gdpr_record) == 1 with input as workload("personal", {})
	told := workload("personal", {"data-retention": "90d", "processing-record": "17"})
	count(deny_gdpr_retention) == 0 with input as told
	count(deny_gdpr_record) == 0 with input as told
	count(deny_gdpr_record) == 0 with input as workload("internal", {})
}

test_a_region_outside_the_union if {
	count(deny_gdpr_transfer) == 1 with input as {"provider": {"aws": [{"region": "us-east-1"}]}} with data.policy as encrypted
	count(deny_gdpr_transfer) == 0 with input as {"provider": {"aws": [{"region": "eu-west-1"}]}} with data.policy as encrypted
	count(deny_gdpr_transfer) == 0 with input as {"provider": {"aws": [{"region": "${var.region}"}]}} with data.policy as encrypted
}
