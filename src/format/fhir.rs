//! FHIR R4 JSON: a Bundle is one unit a resource.
