//! What of a restricted person's records goes to no partner: where they live and with whom they
//! are reached, who their landlord is, and who works with them. In whatever kind of record it
//! stands.

/// The fields that say it.
const WITHHELD: [&str; 25] = [
    "address_line_1",
    "address_line_2",
    "care_home",
    "destination",
    "email",
    "gp_practice_code",
    "gp_practice_name",
    "landlord",
    "location",
    "managing_provider_code",
    "phone",
    "postcode",
    "postcode_district",
    "property_ref",
    "provider",
    "provider_code",
    "provider_cqc_id",
    "team",
    "team_id",
    "tenancy_ref",
    "tenant_code",
    "town",
    "uprn",
    "worker",
    "worker_code",
];

/// Whether a field of a restricted person goes to nobody.
#[must_use]
pub fn is_withheld(field: &str) -> bool {
    WITHHELD.contains(&field)
}

#[cfg(test)]
mod tests {
    use super::is_withheld;
    use crate::record::kind::Kind;
    use crate::record::schema;

    /// A field that is added to a kind of record later, and says where somebody lives or who works
    /// with them, is held to this by its name.
    #[test]
    fn no_field_that_says_where_or_by_whom_is_forgotten() {
        let parts = ["address", "town", "postcode", "uprn", "landlord", "provider", "worker", "phone"];
        let parts = parts.iter().chain(&["email", "property", "tenan", "care_home", "practice", "location"]);
        let parts: Vec<&&str> = parts.collect();
        // Of what kind a tenancy is, not where.
        let harmless = ["tenancy_type", "tenancy_years", "starter_tenancy", "joint_tenancy"];
        for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Setting) {
            for field in &schema::of(*kind).fields {
                let says_where = parts.iter().any(|part| field.name.contains(**part));
                if says_where && !harmless.contains(&field.name) {
                    assert!(is_withheld(field.name), "{kind}.{}", field.name);
                }
            }
        }
    }
}
