"""The kinds of service in plain words, by their code in the value set `service` (mappings/value_sets/service.toml)."""

from collections.abc import Mapping
from typing import Final

from gateway.web.words import N_

SERVICE_KINDS: Final[Mapping[str, str]] = {
    "meals": N_("Food and meals"),
    "emergency-support": N_("Emergency support"),
    "day-support": N_("Day support or a group"),
    "home-support-domiciliary": N_("Help at home"),
    "transport": N_("Transport"),
    "equipment": N_("Equipment"),
    "learning-education-employment": N_("Help with learning, training or work"),
    "other-short-term-support": N_("Other support for a short time"),
    "other-long-term-support": N_("Other support for a long time, like mentoring or befriending"),
    "carer-respite": N_("A break for unpaid carers"),
    "carer-sitting-service": N_("Sitting service for unpaid carers"),
    "carer-universal-services": N_("Advice and groups for unpaid carers"),
    "other-carer-support": N_("Other support for unpaid carers"),
    "community-supported-living": N_("Supported living in the community"),
    "extra-care-housing": N_("Housing with extra care"),
    "shared-lives": N_("Shared Lives"),
    "reablement": N_("Reablement"),
    "short-term-residential-care": N_("Residential care for a short time"),
    "long-term-residential-care": N_("Residential care for a long time"),
    "short-term-nursing-care": N_("Nursing care for a short time"),
    "long-term-nursing-care": N_("Nursing care for a long time"),
    "end-of-life-care": N_("Care at the end of life"),
    "direct-payment": N_("Direct payments"),
    "social-worker-support": N_("Social work"),
    "other-professional-support": N_("Support by another profession"),
    "social-care": N_("Social care department"),
    "youth-offending": N_("Youth offending team"),
    "CAMHS": N_("Mental health of children and adolescents"),
    "family-court": N_("Family court"),
    "primary-school": N_("Primary school"),
    "high-school": N_("Secondary school"),
    "SEN-primary-school": N_("Primary school with special educational needs"),
    "SEN-high-school": N_("Secondary school with special educational needs"),
    "alternative-provision-school": N_("Alternative provision school"),
}
