"""The SAM transform of a template, as CloudFormation would do it: TEMPLATE in, JSON out on standard output. Asks nobody."""
import json, os, sys
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")


class NoPolicies(ManagedPolicyLoader):
    """The template names no managed policy; the real loader would ask IAM for the list."""

    def load(self):
        return {}


with open(sys.argv[1], encoding="utf-8") as file:
    template = yaml_parse(file.read())
# `sam deploy` uploads the folder and writes where it is.
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = "s3://bucket/key"
json.dump(transform(template, {}, NoPolicies(None)), sys.stdout, indent=1)
