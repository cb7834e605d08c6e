# GDPR, Regulation (EU) 2016/679: what can be told from manifests.
#
# A manifest shows what is declared, not what runs, and not what the data is used for. These rules find what
# is plainly missing where a label (data-class: personal) says that personal data is handled. They prove no
# compliance: lawfulness, consent and the rights of data subjects are in no manifest, nor is data without the
# label. Names that count as encrypted, and regions in the Union, are in data.yaml.
package main

import data.lib.manifests
import rego.v1

deny_gdpr_encryption contains {
	"msg": sprintf("%s holds personal data on a storage class that is not known to be encrypted", [manifests.called]),
	"control": "GDPR Art. 32(1)(a), encryption of personal data",
	"comply": "set spec.storageClassName to a class that encrypts, and list it in encrypted_storage_classes",
} if {
	input.kind == "PersistentVolumeClaim"
	manifests.handles({"personal"})
	not object.get(input.spec, "storageClassName", "") in data.policy.encrypted_storage_classes
}

deny_gdpr_encryption contains {
	"msg": sprintf("%s.%s stores data without encryption", [type, name]),
	"control": "GDPR Art. 32(1)(a), encryption of personal data",
	"comply": "set storage_encrypted = true",
} if {
	some [type, name, body] in manifests.resources({"aws_db_instance", "aws_rds_cluster"})
	object.get(body, "storage_encrypted", false) != true
}

deny_gdpr_retention contains {
	"msg": sprintf("%s handles personal data and says nowhere for how long it is kept", [manifests.called]),
	"control": "GDPR Art. 5(1)(e), storage limitation",
	"comply": "add the annotation data-retention, such as 90d, and delete by it",
} if {
	manifests.is_workload
	manifests.handles({"personal"})
	not manifests.annotation("data-retention")
}

deny_gdpr_record contains {
	"msg": sprintf("%s handles personal data and names no record of that processing", [manifests.called]),
	"control": "GDPR Art. 30(1), records of processing activities",
	"comply": "add the annotation processing-record with the number of the entry in the register",
} if {
	manifests.is_workload
	manifests.handles({"personal"})
	not manifests.annotation("processing-record")
}

deny_gdpr_transfer contains {
	"msg": sprintf("the provider's region %s is not in the Union", [region]),
	"control": "GDPR Art. 44, transfers to third countries",
	"comply": "use a region of regions_in_the_union, or add an exception that names the safeguard of Art. 46",
} if {
	some providers in input.provider
	some provider in providers
	region := provider.region
	not startswith(region, "${")
	not region in data.policy.regions_in_the_union
}
